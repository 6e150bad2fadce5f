//! The floors of what a call does, from the client's side: a change that is committed before it is answered, and a relayed signal.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use protocol::ConversationId;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::super::sends::frame;
use crate::process::{Floor, cpu_time};

/// A `call.signal` frame with a description of 2 KiB, about.
pub(super) const SIGNAL_BYTES: usize = 2_400;

/// The floor of durable sends, one send after another on each connection.
pub(super) struct Commits {
    floor: Floor,
    lines: Vec<Line>,
    _directory: tempfile::TempDir,
}

struct Line {
    socket: BufReader<TcpStream>,
    conversation: ConversationId,
    sent: u64,
}

impl Commits {
    pub(super) async fn start(connections: usize) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let floor = Floor::start(&["sends", &path(directory.path())])?;
        let address = floor.address;
        let lines = try_join_all((0..connections).map(|_| async move {
            let socket = TcpStream::connect(address).await?;
            socket.set_nodelay(true)?;
            anyhow::Ok(Line { socket: BufReader::new(socket), conversation: ConversationId::now(), sent: 0 })
        }))
        .await?;
        Ok(Self { floor, lines, _directory: directory })
    }

    /// One change, committed and answered.
    pub(super) async fn commit(&mut self) -> Result<Duration> {
        let began = Instant::now();
        if let Some(line) = self.lines.first_mut() {
            line.commit().await?;
        }
        Ok(began.elapsed())
    }

    /// This many changes on every connection at once; answers the floor's CPU-seconds for each.
    pub(super) async fn cpu_seconds_each(&mut self, changes: usize) -> Result<f64> {
        let before = cpu_time(self.floor.pid())?;
        try_join_all(self.lines.iter_mut().map(|line| async move {
            for _ in 0..changes {
                line.commit().await?;
            }
            anyhow::Ok(())
        }))
        .await?;
        let cpu = cpu_time(self.floor.pid())?.saturating_sub(before);
        Ok(cpu.as_secs_f64() / (changes * self.lines.len()) as f64)
    }
}

impl Line {
    async fn commit(&mut self) -> Result<()> {
        self.sent += 1;
        self.socket.get_mut().write_all(&frame(self.sent, self.conversation)?).await?;
        let mut answer = Vec::new();
        self.socket.read_until(b'\n', &mut answer).await?;
        ensure!(!answer.is_empty(), "the floor program has ended");
        Ok(())
    }
}

/// The floor of relayed signals.
pub(super) struct Relay {
    floor: Floor,
    pairs: Vec<[TcpStream; 2]>,
}

impl Relay {
    pub(super) async fn start(pairs: usize) -> Result<Self> {
        let floor = Floor::start(&["relay"])?;
        let mut connected = Vec::with_capacity(pairs);
        // One after another: two that follow each other are a pair.
        for _ in 0..pairs {
            let (one, other) = (TcpStream::connect(floor.address).await?, TcpStream::connect(floor.address).await?);
            one.set_nodelay(true)?;
            other.set_nodelay(true)?;
            connected.push([one, other]);
        }
        Ok(Self { floor, pairs: connected })
    }

    /// One signal from one of the first pair to the other.
    pub(super) async fn pass(&mut self, back: bool) -> Result<Duration> {
        let began = Instant::now();
        if let Some([one, other]) = self.pairs.first_mut() {
            let (from, to) = if back { (other, one) } else { (one, other) };
            from.write_all(&[b'x'; SIGNAL_BYTES]).await?;
            to.read_exact(&mut [0; SIGNAL_BYTES]).await?;
        }
        Ok(began.elapsed())
    }

    /// This many signals in every pair, `at_once` of them in flight; answers how many the floor passes on in a CPU-second.
    pub(super) async fn per_cpu_second(&mut self, signals: usize, at_once: usize) -> Result<f64> {
        let before = cpu_time(self.floor.pid())?;
        try_join_all(self.pairs.iter_mut().map(|[one, other]| async move {
            for _ in 0..signals / at_once {
                for _ in 0..at_once {
                    one.write_all(&[b'x'; SIGNAL_BYTES]).await?;
                }
                let mut rest = at_once * SIGNAL_BYTES;
                let mut buffer = [0; 16 * 1024];
                while rest > 0 {
                    let length = other.read(&mut buffer).await?;
                    ensure!(length > 0, "the floor program has ended");
                    rest -= length.min(rest);
                }
            }
            Ok(())
        }))
        .await?;
        let cpu = cpu_time(self.floor.pid())?.saturating_sub(before);
        Ok((signals / at_once * at_once * self.pairs.len()) as f64 / cpu.as_secs_f64().max(0.01))
    }
}

fn path(directory: &Path) -> String {
    directory.display().to_string()
}
