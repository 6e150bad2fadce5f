//! Floor of an idle socket: a server that accepts and holds, one task a connection, no buffer.

use anyhow::Result;
use tokio::net::TcpListener;

/// Serves until the process is killed.
pub(crate) fn run() -> Result<()> {
    let listener = super::listen()?;
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async move {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(async move {
                // Readable means that the peer has gone: an idle client sends nothing.
                let _ = stream.readable().await;
            });
        }
    })
}
