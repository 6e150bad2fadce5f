//! The bytes of one socket on their way out, gathered here instead of in the WebSocket library.
//!
//! The library keeps the room that its largest write once needed: after the burst of a hello that is 16 to 35 kB for each quiet
//! connection. Here the room is given back as soon as it is written. Frames of a server carry no mask (RFC 6455, section 5.1), so
//! ours are put in as they are, and one event's bytes serve all who hear it; the library adds its own control frames by the same
//! way, always whole, so that frames never mix.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Beyond this many waiting bytes the library's control frames wait in the library, which has a bound of its own.
const CONTROL_BELOW_BYTES: usize = 256 * 1_024;
/// The first byte of a text frame that is whole.
const WHOLE_TEXT: u8 = 0x81;

/// A socket's stream with what waits to be written to it.
pub(super) struct Line<S> {
    stream: S,
    out: Vec<u8>,
    written: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, out: Vec::new(), written: 0 }
    }

    /// Adds a text frame.
    pub(super) fn push_text(&mut self, text: &[u8]) {
        self.out.reserve(text.len() + 10);
        self.out.push(WHOLE_TEXT);
        match text.len() {
            length @ 0..=125 => self.out.push(length as u8),
            length @ 126..=0xffff => {
                self.out.push(126);
                self.out.extend_from_slice(&(length as u16).to_be_bytes());
            }
            length => {
                self.out.push(127);
                self.out.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        self.out.extend_from_slice(text);
    }

    /// How many bytes wait.
    pub(super) fn waiting(&self) -> usize {
        self.out.len() - self.written
    }

    /// Writes what waits.
    pub(super) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.out.len() {
            let length = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.out[self.written..]))?;
            if length == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += length;
        }
        self.out = Vec::new();
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Line<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Line<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.waiting() > CONTROL_BELOW_BYTES {
            ready!(self.poll_drain(cx))?;
        }
        self.out.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::protocol::Role;

    #[tokio::test]
    async fn frames_of_every_length_are_read_by_a_client_as_they_were_put_in() {
        let (near, far) = tokio::io::duplex(64);
        let mut line = Line::new(near);
        let mut client = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
        let lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 100_000];
        let writing = async {
            for length in lengths {
                line.push_text("x".repeat(length).as_bytes());
            }
            std::future::poll_fn(|cx| line.poll_drain(cx)).await.unwrap();
            assert_eq!(line.waiting(), 0);
            assert_eq!(line.out.capacity(), 0);
        };
        let reading = async {
            for length in lengths {
                let message = client.next().await.unwrap().unwrap();
                assert_eq!(message, Message::text("x".repeat(length)));
            }
        };
        tokio::join!(writing, reading);
    }

    #[tokio::test]
    async fn the_librarys_own_frames_go_between_ours_never_into_them() {
        let (near, far) = tokio::io::duplex(16);
        let mut server = WebSocketStream::from_raw_socket(Line::new(near), Role::Server, None).await;
        let mut client = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
        server.get_mut().push_text("a".repeat(300).as_bytes());
        let answering = async {
            // Reading answers the ping while most of the text still waits.
            let read = server.next().await.unwrap().unwrap();
            assert!(matches!(read, Message::Ping(_)));
            server.get_mut().push_text(b"b");
            server.flush().await.unwrap();
        };
        let asking = async {
            client.send(Message::Ping("here?".into())).await.unwrap();
            let mut heard = Vec::new();
            while heard.len() < 3 {
                heard.push(client.next().await.unwrap().unwrap());
            }
            heard
        };
        let ((), heard) = tokio::join!(answering, asking);
        assert_eq!(heard.iter().filter(|message| message.is_text()).count(), 2);
        assert!(heard.contains(&Message::Pong("here?".into())));
    }
}
