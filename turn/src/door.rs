//! How a client is written to: a datagram, or bytes appended to its connection's queue.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::net::UdpSocket;
use tokio::sync::Notify;

/// Room that an idle queue keeps.
const ROOM_KEPT_BYTES: usize = 4 * 1024;

/// How a client came.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Transport {
    Udp,
    Tcp,
}

/// The way to a client, and so who it is: RFC 8656 tells allocations apart by their 5-tuple.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct FiveTuple {
    pub(crate) transport: Transport,
    /// Where the server was spoken to.
    pub(crate) server: SocketAddr,
    /// Who spoke.
    pub(crate) client: SocketAddr,
}

/// The way to a client.
#[derive(Clone, Debug)]
pub(crate) enum Door {
    Udp(Arc<UdpSocket>),
    Tcp(Arc<TcpQueue>),
}

impl Door {
    /// Sends one packet, or drops it and says so: nothing waits for a client that doesn't read.
    pub(crate) fn send(&self, client: SocketAddr, packet: &[u8]) -> bool {
        match self {
            Self::Udp(socket) => socket.try_send_to(packet, client).is_ok(),
            Self::Tcp(queue) => queue.push(packet),
        }
    }

    /// Whether ChannelData is padded on the way.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self, Self::Tcp(_))
    }
}

/// What waits to be written to a connection, bounded in bytes.
#[derive(Debug)]
pub(crate) struct TcpQueue {
    waiting: Mutex<Vec<u8>>,
    filled: Notify,
    bytes_max: usize,
}

impl TcpQueue {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { waiting: Mutex::default(), filled: Notify::new(), bytes_max }
    }

    /// Appends a whole packet, or nothing.
    fn push(&self, packet: &[u8]) -> bool {
        let mut waiting = self.waiting.lock();
        let fits = waiting.len() + packet.len() <= self.bytes_max;
        if fits {
            waiting.extend_from_slice(packet);
            self.filled.notify_one();
        }
        fits
    }

    /// Waits for bytes and takes all there are; `written` is the buffer of the last time, whose room is used again.
    pub(crate) async fn take(&self, written: &mut Vec<u8>) {
        written.clear();
        written.shrink_to(ROOM_KEPT_BYTES);
        loop {
            {
                let mut waiting = self.waiting.lock();
                if !waiting.is_empty() {
                    std::mem::swap(&mut *waiting, written);
                    return;
                }
            }
            self.filled.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_queue_takes_whole_packets_up_to_its_bound() {
        let queue = TcpQueue::new(10);
        assert!(queue.push(b"12345"));
        assert!(!queue.push(b"123456"));
        assert!(queue.push(b"54321"));
        let mut written = Vec::new();
        queue.take(&mut written).await;
        assert_eq!(written, b"1234554321");
        assert!(queue.push(b"x"));
        queue.take(&mut written).await;
        assert_eq!(written, b"x");
    }
}
