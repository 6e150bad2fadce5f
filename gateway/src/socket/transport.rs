//! Frames in and out of one socket; what carries them is known here only.
//!
//! A default socket of the library holds 130 kB of buffers. Ours are small: what is read comes through one kilobyte (a
//! larger frame gets its own room), what is written gathers in a [`Line`] until it is flushed, so that a queue costs one write.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{SinkExt, Stream};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use protocol::CloseCode;
use protocol::limits::FRAME_BYTES_MAX;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::line::Line;
use crate::codec::Frame;

/// What is read at once.
const READ_BYTES: usize = 1_024;
/// The most bytes of control frames that the library holds for a socket that takes nothing.
const WRITE_BYTES_MAX: usize = 4 * 1_024;
/// A frame over the limit is still read up to here, so that its sender hears why it is closed.
const READ_FRAME_MAX: usize = 2 * FRAME_BYTES_MAX;
/// How long the other end has to answer a close.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// One socket.
pub(super) struct Transport {
    socket: WebSocketStream<Line<TokioIo<Upgraded>>>,
}

/// What came in.
pub(super) enum Incoming {
    /// A text frame.
    Text(Utf8Bytes),
    /// A ping or pong of the transport itself: a sign of life.
    Alive,
    /// The client closes, with this number.
    Closed(Option<u16>),
    /// The client broke the rules.
    Violation(CloseCode),
    /// The connection is gone.
    Lost,
}

/// The connection is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Lost;

impl Transport {
    pub(super) async fn new(stream: Upgraded) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(WRITE_BYTES_MAX)
            .max_frame_size(Some(READ_FRAME_MAX))
            .max_message_size(Some(READ_FRAME_MAX));
        let line = Line::new(TokioIo::new(stream));
        Self { socket: WebSocketStream::from_raw_socket(line, Role::Server, Some(config)).await }
    }

    /// The next thing that came in.
    pub(super) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        Pin::new(&mut self.socket).poll_next(cx).map(|next| match next {
            Some(Ok(Message::Text(text))) if text.as_str().len() > FRAME_BYTES_MAX => {
                Incoming::Violation(CloseCode::FrameTooLarge)
            }
            Some(Ok(Message::Text(text))) => Incoming::Text(text),
            Some(Ok(Message::Binary(_) | Message::Frame(_))) => Incoming::Violation(CloseCode::ProtocolViolation),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Incoming::Alive,
            Some(Ok(Message::Close(frame))) => Incoming::Closed(frame.map(|frame| frame.code.into())),
            Some(Err(error)) => broken(error),
            None => Incoming::Lost,
        })
    }

    pub(super) async fn recv(&mut self) -> Incoming {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Adds a frame to what is written next.
    pub(super) fn feed(&mut self, frame: &Frame) {
        self.socket.get_mut().push_text(frame.as_bytes());
    }

    /// Whether something was fed and not written.
    pub(super) fn is_unflushed(&self) -> bool {
        self.unflushed() > 0
    }

    /// How many bytes were fed and not written.
    pub(super) fn unflushed(&self) -> usize {
        self.socket.get_ref().waiting()
    }

    /// Writes what was fed.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        self.socket.get_mut().poll_drain(cx).map_err(|_| Lost)
    }

    /// Writes one frame and waits until it is out.
    pub(super) async fn send(&mut self, frame: Frame) -> Result<(), Lost> {
        self.feed(&frame);
        std::future::poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Closes in good order, as far as the other end takes part.
    pub(super) async fn close(mut self, code: CloseCode, reason: String) {
        let closing = async {
            let frame = CloseFrame { code: code.number().into(), reason: reason.into() };
            if self.socket.send(Message::Close(Some(frame))).await.is_err() {
                return;
            }
            // Whoever still sends would have its reading of the close cut off by a reset.
            while let Incoming::Text(_) | Incoming::Alive = self.recv().await {}
        };
        let _ = tokio::time::timeout(CLOSE_WITHIN, closing).await;
    }

    /// Answers the client's close.
    pub(super) async fn finish(mut self) {
        let flushing = std::future::poll_fn(|cx| self.poll_flush(cx));
        let _ = tokio::time::timeout(CLOSE_WITHIN, flushing).await;
    }
}

fn broken(error: Error) -> Incoming {
    match error {
        Error::Capacity(_) => Incoming::Violation(CloseCode::FrameTooLarge),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Incoming::Lost,
        Error::Protocol(_) | Error::Utf8(_) => Incoming::Violation(CloseCode::ProtocolViolation),
        _ => Incoming::Lost,
    }
}
