//! Floor of an idle socket: a server that accepts and holds, one task a connection, no buffer.

use anyhow::Result;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

/// Serves until the process is killed.
pub(crate) fn run() -> Result<()> {
    let listener = super::listen()?;
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async move {
        let listener = TcpListener::from_std(listener)?;
        loop {
            let (mut stream, _) = listener.accept().await?;
            tokio::spawn(async move {
                // An idle client sends nothing: this ends when it goes.
                let _ = stream.read(&mut [0]).await;
            });
        }
    })
}
