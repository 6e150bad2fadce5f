//! The way of a TCP connection, between any two parts: it can be cut, frozen, slowed, split and go half-open.
//!
//! Each direction is asked for its [`Way`] before every piece, so that a word of the test takes effect at once, also on what is under way.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What is read at once.
const PIECE_BYTES: usize = 16 * 1024;

/// What happens to what is sent in one direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Way {
    /// It arrives.
    #[default]
    Open,
    /// It arrives so much later.
    Slow(Duration),
    /// It waits until the way changes: the connection stays, and nothing arrives.
    Frozen,
    /// It is lost while the connection stays, which no TCP would do for long: a half-open connection.
    Lost,
    /// It arrives byte by byte.
    Split,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Ways {
    there: Way,
    back: Way,
    /// Grows with each cut: connections of an earlier number end.
    cut: u64,
    /// No new connection is taken.
    refused: bool,
}

/// A proxy between whoever connects to it and a target.
pub struct Cable {
    address: SocketAddr,
    ways: watch::Sender<Ways>,
    target: Arc<Mutex<SocketAddr>>,
    accepting: JoinHandle<()>,
}

impl Cable {
    /// A way to the target, from a free port of this address.
    ///
    /// # Panics
    /// When it can't listen.
    pub async fn to(target: SocketAddr, from: Ipv4Addr) -> Self {
        let listener = TcpListener::bind((from, 0)).await.expect("a port");
        let address = listener.local_addr().expect("its number");
        let (ways, _) = watch::channel(Ways::default());
        let target = Arc::new(Mutex::new(target));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&target), ways.clone()));
        Self { address, ways, target, accepting }
    }

    /// Where to connect to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Later connections go there.
    pub fn lead_to(&self, target: SocketAddr) {
        *self.target.lock() = target;
    }

    /// What happens to what is sent to the target from now on.
    pub fn there(&self, way: Way) {
        self.ways.send_modify(|ways| ways.there = way);
    }

    /// What happens to what the target sends from now on.
    pub fn back(&self, way: Way) {
        self.ways.send_modify(|ways| ways.back = way);
    }

    /// Both directions.
    pub fn both(&self, way: Way) {
        self.ways.send_modify(|ways| (ways.there, ways.back) = (way, way));
    }

    /// Ends every connection; new ones are taken.
    pub fn cut(&self) {
        self.ways.send_modify(|ways| ways.cut += 1);
    }

    /// Ends every connection and takes no new one until [`mend`](Self::mend).
    pub fn sever(&self) {
        self.ways.send_modify(|ways| {
            ways.cut += 1;
            ways.refused = true;
        });
    }

    /// Ends every connection, and everything of later ones arrives: what comes after [`Way::Lost`], since no TCP goes on over a hole.
    pub fn renew(&self) {
        self.ways.send_modify(|ways| *ways = Ways { cut: ways.cut + 1, ..Ways::default() });
    }

    /// Everything arrives again.
    pub fn mend(&self) {
        self.ways.send_modify(|ways| *ways = Ways { cut: ways.cut, ..Ways::default() });
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn accept(listener: TcpListener, target: Arc<Mutex<SocketAddr>>, ways: watch::Sender<Ways>) {
    while let Ok((near, _)) = listener.accept().await {
        let now = *ways.borrow();
        if now.refused {
            continue;
        }
        let (target, ways) = (*target.lock(), ways.subscribe());
        tokio::spawn(async move {
            let Ok(far) = TcpStream::connect(target).await else { return };
            // What the test measures is the way, not how the kernel gathers small pieces.
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            let (near_in, near_out) = near.into_split();
            let (far_in, far_out) = far.into_split();
            let mut until = ways.clone();
            let cut = until.wait_for(|ways| ways.cut != now.cut);
            tokio::select! {
                // First: where a piece was lost nothing that comes after it may arrive.
                biased;
                _ = cut => {}
                () = carry(near_in, far_out, ways.clone(), |ways| ways.there) => {}
                () = carry(far_in, near_out, ways, |ways| ways.back) => {}
            }
        });
    }
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut ways: watch::Receiver<Ways>,
    side: impl Fn(&Ways) -> Way,
) {
    let mut piece = vec![0; PIECE_BYTES];
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        let Ok(now) = ways.wait_for(|ways| side(ways) != Way::Frozen).await.map(|ways| side(&ways)) else { return };
        let written = match now {
            Way::Open | Way::Frozen => to.write_all(&piece[..length]).await,
            Way::Lost => Ok(()),
            Way::Slow(by) => {
                tokio::time::sleep(by).await;
                to.write_all(&piece[..length]).await
            }
            Way::Split => split(&mut to, &piece[..length]).await,
        };
        if written.is_err() {
            return;
        }
    }
}

async fn split(to: &mut OwnedWriteHalf, piece: &[u8]) -> std::io::Result<()> {
    for byte in piece {
        to.write_all(std::slice::from_ref(byte)).await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}
