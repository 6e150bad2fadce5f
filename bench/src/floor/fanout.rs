//! Floor of the fan-out: whatever has arrived from the publisher goes to every subscriber in one write.
//!
//! That is the same coalescing as the server's (a connection's whole queue in one write) without queues, frames or tasks: one
//! thread, one `write` per subscriber and batch.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::Result;

/// Serves one run: accepts `subscribers` connections, then one publisher, and copies until the publisher closes.
pub(crate) fn run(subscribers: usize) -> Result<()> {
    let listener = super::listen()?;
    let mut readers: Vec<TcpStream> = Vec::with_capacity(subscribers);
    while readers.len() < subscribers {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        readers.push(stream);
    }
    let (mut publisher, _) = listener.accept()?;
    publisher.set_nodelay(true)?;
    publisher.write_all(b"!")?;
    let mut batch = vec![0; 64 * 1024];
    loop {
        let length = publisher.read(&mut batch)?;
        if length == 0 {
            return Ok(());
        }
        for reader in &mut readers {
            reader.write_all(&batch[..length])?;
        }
    }
}
