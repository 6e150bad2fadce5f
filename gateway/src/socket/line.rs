//! The bytes of one socket on their way out, gathered here instead of in the WebSocket library.
//!
//! The library keeps the room that its largest write once needed: after the burst of a hello that is 16 to 35 kB for each quiet
//! connection. Here the room is given back as soon as it is written, and what waits alone is not even copied: the block of frames
//! that all who hear it share is written as it is. The library adds its own control frames by the same way, always whole, so that
//! frames never mix.

use std::io::{self, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Beyond this many waiting bytes the library's control frames wait in the library, which has a bound of its own.
const CONTROL_BELOW_BYTES: usize = 256 * 1_024;

/// So much is asked of the kernel at once. The library asks for one kilobyte, so that a quiet connection holds no more; of a client
/// that sends 64 messages together that made 20 system calls instead of two, 4 % of a durable send.
const READ_AT_ONCE: usize = 16 * 1_024;

/// A socket's stream with what waits to be written to it. The library reads and writes it without waiting; what it waits for wakes
/// `waker`.
pub(super) struct Line<S> {
    stream: S,
    waker: Waker,
    /// What the kernel gave beyond what the library asked for.
    ahead: Bytes,
    /// What is written first: frames that came when nothing waited.
    shared: Bytes,
    /// What came after them.
    gathered: Vec<u8>,
    /// How much of `gathered` is written.
    written: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    pub(super) fn new(stream: S, waker: Waker) -> Self {
        Self { stream, waker, ahead: Bytes::new(), shared: Bytes::new(), gathered: Vec::new(), written: 0 }
    }

    /// Adds whole frames.
    pub(super) fn push(&mut self, frames: Bytes) {
        if self.waiting() == 0 {
            self.shared = frames;
        } else {
            self.gathered.extend_from_slice(&frames);
        }
    }

    /// How many bytes wait.
    pub(super) fn waiting(&self) -> usize {
        self.shared.len() + self.gathered.len() - self.written
    }

    /// Writes what waits.
    pub(super) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.waiting() > 0 {
            let gathered = &self.gathered[self.written..];
            let stream = Pin::new(&mut self.stream);
            let length = match (&self.shared[..], gathered) {
                ([], gathered) => ready!(stream.poll_write(cx, gathered))?,
                (shared, []) => ready!(stream.poll_write(cx, shared))?,
                (shared, gathered) => {
                    let both = [IoSlice::new(shared), IoSlice::new(gathered)];
                    ready!(stream.poll_write_vectored(cx, &both))?
                }
            };
            if length == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            let of_shared = length.min(self.shared.len());
            self.shared.advance(of_shared);
            self.written += length - of_shared;
        }
        self.shared = Bytes::new();
        self.gathered = Vec::new();
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    fn drain(&mut self) -> io::Result<()> {
        let waker = self.waker.clone();
        or_would_block(self.poll_drain(&mut Context::from_waker(&waker)))
    }
}

impl<S: AsyncRead + Unpin> Read for Line<S> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if !self.ahead.is_empty() {
            let length = bytes.len().min(self.ahead.len());
            self.ahead.copy_to_slice(&mut bytes[..length]);
            return Ok(length);
        }
        let mut room = [MaybeUninit::uninit(); READ_AT_ONCE];
        let mut buffer = ReadBuf::uninit(&mut room);
        let mut cx = Context::from_waker(&self.waker);
        or_would_block(Pin::new(&mut self.stream).poll_read(&mut cx, &mut buffer))?;
        let (asked, beyond) = buffer.filled().split_at(bytes.len().min(buffer.filled().len()));
        bytes[..asked.len()].copy_from_slice(asked);
        self.ahead = Bytes::copy_from_slice(beyond);
        Ok(asked.len())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Write for Line<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.waiting() > CONTROL_BELOW_BYTES {
            self.drain()?;
        }
        self.gathered.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.drain()
    }
}

fn or_would_block<T>(poll: Poll<io::Result<T>>) -> io::Result<T> {
    match poll {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::protocol::Role;
    use tokio_tungstenite::tungstenite::{Error, Message, WebSocket};

    use crate::codec::Codec;

    #[tokio::test]
    async fn what_waits_alone_is_not_copied_and_all_is_written_in_its_order_and_given_back() {
        let (near, far) = tokio::io::duplex(7);
        let mut line = Line::new(near, Waker::noop().clone());
        let mut client = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
        let block = Codec::Json.pong().into_bytes();
        line.push(block.clone());
        assert_eq!(line.shared.as_ptr(), block.as_ptr());
        for _ in 0..3 {
            line.push(block.clone());
        }
        let writing = async {
            std::future::poll_fn(|cx| line.poll_drain(cx)).await.unwrap();
            assert_eq!((line.waiting(), line.gathered.capacity()), (0, 0));
        };
        let reading = async {
            for _ in 0..4 {
                assert_eq!(client.next().await.unwrap().unwrap(), Message::text(r#"{"type":"pong"}"#));
            }
        };
        tokio::join!(writing, reading);
    }

    #[tokio::test]
    async fn what_was_read_ahead_comes_first_and_is_given_back() {
        use tokio::io::AsyncWriteExt;
        let (near, mut far) = tokio::io::duplex(64 * 1_024);
        let mut line = Line::new(near, Waker::noop().clone());
        let sent: Vec<u8> = (0..40_000u32).map(|number| number as u8).collect();
        far.write_all(&sent).await.unwrap();
        drop(far);
        let mut read = Vec::new();
        line.read_to_end(&mut read).unwrap();
        assert_eq!(read, sent);
        assert!(line.ahead.is_empty());
    }

    #[tokio::test]
    async fn the_librarys_own_frames_go_between_ours_never_into_them() {
        let (near, far) = tokio::io::duplex(16);
        let mut client = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
        let block = Codec::Json.pong().into_bytes();
        let answering = async {
            let waker = std::future::poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
            let mut server = WebSocket::from_raw_socket(Line::new(near, waker), Role::Server, None);
            (0..20).for_each(|_| server.get_mut().push(block.clone()));
            // Reading answers the ping while most of what we have to say still waits.
            let mut pinged = false;
            std::future::poll_fn(|cx| {
                let read = server.read();
                assert!(matches!(read, Ok(Message::Ping(_)) | Err(Error::Io(_))), "{read:?}");
                pinged |= read.is_ok();
                ready!(server.get_mut().poll_drain(cx)).unwrap();
                if pinged { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            server.get_mut().push(block.clone());
            std::future::poll_fn(|cx| server.get_mut().poll_drain(cx)).await.unwrap();
        };
        let asking = async {
            client.send(Message::Ping("here?".into())).await.unwrap();
            let mut heard = Vec::new();
            while heard.len() < 22 {
                heard.push(client.next().await.unwrap().unwrap());
            }
            heard
        };
        let ((), heard) = tokio::join!(answering, asking);
        assert_eq!(heard.iter().filter(|message| message.is_text()).count(), 21);
        assert!(heard.contains(&Message::Pong("here?".into())));
    }
}
