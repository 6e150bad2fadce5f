//! Floor of relayed signals: two connections that follow each other are a pair, and what one says the other hears.
//!
//! No frames, no authentication, nothing kept: a read and a write for whatever has arrived.

use anyhow::Result;
use tokio::io::copy_bidirectional;
use tokio::net::TcpListener;

/// Serves until the process is killed.
pub(crate) fn run() -> Result<()> {
    let listener = super::listen()?;
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async move {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (mut one, _) = listener.accept().await?;
            let (mut other, _) = listener.accept().await?;
            one.set_nodelay(true)?;
            other.set_nodelay(true)?;
            tokio::spawn(async move {
                // A pair ends when either goes.
                let _ = copy_bidirectional(&mut one, &mut other).await;
            });
        }
    })
}
