//! Frames in and out of one socket; what carries them is known here only.
//!
//! A default socket of the library holds 130 kB of buffers. Ours are small: what is read comes through one kilobyte (a
//! larger frame gets its own room), what is written gathers in a [`Line`] until it is flushed, so that a queue costs one write.

use std::io::ErrorKind;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use protocol::CloseCode;
use protocol::limits::FRAME_BYTES_MAX;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes, WebSocket};

use super::line::Line;
use super::readable::Readable;
use crate::codec::Frames;

/// What is read at once.
const READ_BYTES: usize = 1_024;
/// The most bytes of control frames that the library holds for a socket that takes nothing.
const WRITE_BYTES_MAX: usize = 4 * 1_024;
/// A frame over the limit is still read up to here, so that its sender hears why it is closed.
const READ_FRAME_MAX: usize = 2 * FRAME_BYTES_MAX;
/// How long the other end has to answer a close.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// One socket; one task polls it.
pub(super) struct Transport {
    socket: WebSocket<Line<TokioIo<Upgraded>>>,
    readable: Arc<Readable>,
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
    pub(super) fn new(stream: Upgraded) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(WRITE_BYTES_MAX)
            .max_frame_size(Some(READ_FRAME_MAX))
            .max_message_size(Some(READ_FRAME_MAX));
        let readable = Readable::new();
        let line = Line::new(TokioIo::new(stream), Waker::from(Arc::clone(&readable)));
        Self { socket: WebSocket::from_raw_socket(line, Role::Server, Some(config)), readable }
    }

    /// The next thing that came in.
    pub(super) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        if !self.readable.begin(cx.waker()) {
            return Poll::Pending;
        }
        let incoming = match self.socket.read() {
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => return Poll::Pending,
            Ok(Message::Text(text)) if text.as_str().len() > FRAME_BYTES_MAX => {
                Incoming::Violation(CloseCode::FrameTooLarge)
            }
            Ok(Message::Text(text)) => Incoming::Text(text),
            Ok(Message::Binary(_) | Message::Frame(_)) => Incoming::Violation(CloseCode::ProtocolViolation),
            Ok(Message::Ping(_) | Message::Pong(_)) => Incoming::Alive,
            Ok(Message::Close(frame)) => Incoming::Closed(frame.map(|frame| frame.code.into())),
            Err(error) => broken(error),
        };
        self.readable.goes_on();
        Poll::Ready(incoming)
    }

    pub(super) async fn recv(&mut self) -> Incoming {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Adds frames to what is written next.
    pub(super) fn feed(&mut self, frames: Frames) {
        self.socket.get_mut().push(frames.into_bytes());
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
    pub(super) async fn send(&mut self, frame: Frames) -> Result<(), Lost> {
        self.feed(frame);
        std::future::poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Closes in good order, as far as the other end takes part.
    pub(super) async fn close(mut self, code: CloseCode, reason: String) {
        let closing = async {
            let frame = CloseFrame { code: code.number().into(), reason: reason.into() };
            // What could not be written at once is written now.
            let _ = self.socket.close(Some(frame));
            if std::future::poll_fn(|cx| self.poll_finish(cx)).await.is_err() {
                return;
            }
            // Whoever still sends would have its reading of the close cut off by a reset.
            while let Incoming::Text(_) | Incoming::Alive = self.recv().await {}
        };
        let _ = tokio::time::timeout(CLOSE_WITHIN, closing).await;
    }

    /// Answers the client's close.
    pub(super) async fn finish(mut self) {
        let finishing = std::future::poll_fn(|cx| self.poll_finish(cx));
        let _ = tokio::time::timeout(CLOSE_WITHIN, finishing).await;
    }

    /// Writes what the library has to say, too.
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Lost>> {
        self.readable.attend(cx.waker());
        match self.socket.flush() {
            Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
            // The library has said its last word; the line may still hold it.
            Ok(()) | Err(Error::ConnectionClosed) => self.poll_flush(cx),
            Err(_) => Poll::Ready(Err(Lost)),
        }
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
