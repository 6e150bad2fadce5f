//! The floor's subscribers, in a process of their own: with the server's clients they would be more files than one process may open.
//!
//! The parent writes a total of bytes as a line; when that much has arrived in all, a line comes back.

use std::io::{BufRead, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::bed::Deliveries;

/// Reads from `count` connections until the parent closes its end.
pub(crate) fn run(address: SocketAddr, count: usize) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let deliveries = Arc::new(Deliveries::default());
    runtime.block_on(async {
        for _ in 0..count {
            let mut reader = TcpStream::connect(address).await?;
            let deliveries = Arc::clone(&deliveries);
            tokio::spawn(async move {
                let mut buffer = vec![0; 4 * 1024];
                while let Ok(length @ 1..) = reader.read(&mut buffer).await {
                    deliveries.add(length as u64);
                }
            });
        }
        anyhow::Ok(())
    })?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{address}")?;
    out.flush()?;
    for line in std::io::stdin().lock().lines() {
        runtime.block_on(deliveries.wait_for_total(line?.parse()?));
        writeln!(out, "reached")?;
        out.flush()?;
    }
    Ok(())
}
