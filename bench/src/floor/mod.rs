//! The floor programs: the least that any server must do for the same work, run as processes of their own beside the real one.
//!
//! A figure alone says more about the machine than about the program. Each floor does the same system calls with nothing around
//! them, is measured by the same clock in the same run, and the ratio is what is reported.

pub(crate) mod fanout;
pub(crate) mod idle;
pub(crate) mod readers;
pub(crate) mod relay;
pub(crate) mod sends;

use std::io::Write;
use std::net::TcpListener;

use anyhow::Result;

/// Binds a free port of loopback and tells the parent process which.
fn listen() -> Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", listener.local_addr()?)?;
    out.flush()?;
    Ok(listener)
}
