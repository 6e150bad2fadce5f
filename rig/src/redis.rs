//! A Redis of the test's own.
//!
//! It is spoken to by its own protocol in a few lines here instead of by the client library, so that what the tests do to it does not go through what they
//! test.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::address::{free_port, own_address};
use crate::program::Program;
use crate::wait;

/// A Redis server. It keeps its address over a restart, and nothing of its data unless it is told to.
pub struct RedisServer {
    address: SocketAddr,
    arguments: Vec<String>,
    folder: TempDir,
    program: Program,
}

impl RedisServer {
    /// Starts one.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts one with arguments of its own, such as `["--requirepass", "…"]`.
    ///
    /// # Panics
    /// When none can be started; `redis-server` must be installed.
    pub async fn start_with(arguments: &[&str]) -> Self {
        Self::start_at(own_address(), arguments).await
    }

    /// The same at this loopback address.
    ///
    /// # Panics
    /// When none can be started.
    pub async fn start_at(ip: Ipv4Addr, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        loop {
            let address = SocketAddr::from((ip, free_port(ip)));
            let mut program = launch(ip, address.port(), &arguments, folder.path());
            // Somebody else may have taken the port between the look and the start.
            if answers(address, &mut program).await {
                return Self { address, arguments, folder, program };
            }
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Kills it by SIGKILL.
    pub async fn kill(&mut self) {
        self.program.kill().await;
    }

    /// Starts it again where it was, empty.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn restart(&mut self) {
        let SocketAddr::V4(address) = self.address else { panic!("it listens on IPv4") };
        self.program = launch(*address.ip(), address.port(), &self.arguments, self.folder.path());
        let started = answers(self.address, &mut self.program).await;
        assert!(started, "Redis did not come back: {}", self.program.log());
    }

    /// Freezes it: it answers nothing, and its connections stay.
    pub fn freeze(&mut self) {
        self.program.freeze();
    }

    /// Ends the freeze.
    pub fn thaw(&mut self) {
        self.program.thaw();
    }

    /// Removes all that it holds.
    pub async fn flush(&self) {
        assert_eq!(self.ask(&["FLUSHALL"]).await, "+OK");
    }

    /// Closes the connections of its clients, as a restarted proxy would.
    pub async fn drop_clients(&self) {
        self.ask(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).await;
        self.ask(&["CLIENT", "KILL", "TYPE", "pubsub", "SKIPME", "yes"]).await;
    }

    /// Asks it something over a connection of its own, and answers with the reply as the protocol writes it (of a bulk string its text, of nothing an empty one).
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn ask(&self, words: &[&str]) -> String {
        wait::within("an answer of Redis", ask(self.address, words)).await.expect("an answer of Redis")
    }
}

fn launch(ip: Ipv4Addr, port: u16, arguments: &[String], folder: &Path) -> Program {
    let mut command = Command::new("redis-server");
    let (ip, port) = (ip.to_string(), port.to_string());
    command.args(["--bind", &ip, "--port", &port, "--save", "", "--appendonly", "no"]);
    // A replica is known to sentinels by the address that it comes from; Redis takes 127.0.0.1 alone for this machine.
    command.args(["--protected-mode", "no"]);
    command.args(["--replica-announce-ip", &ip, "--bind-source-addr", &ip, "--dir"]).arg(folder);
    command.args(arguments);
    Program::start("redis", command, folder)
}

/// Whether it is this process that answers there.
async fn answers(address: SocketAddr, program: &mut Program) -> bool {
    let pid = format!("process_id:{}\r", program.pid());
    wait::until("Redis to answer", async || {
        if program.has_ended() {
            return Some(false);
        }
        match ask(address, &["INFO", "server"]).await {
            Ok(info) if info.contains(&pid) => Some(true),
            // A password is asked for: it is up.
            Ok(refusal) if refusal.starts_with("-NOAUTH") => Some(true),
            _ => None,
        }
    })
    .await
}

pub(crate) async fn ask(address: SocketAddr, words: &[&str]) -> std::io::Result<String> {
    let mut stream = BufReader::new(TcpStream::connect(address).await?);
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    stream.write_all(request.as_bytes()).await?;
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let line = line.trim_end().to_owned();
    match line.strip_prefix('$').and_then(|length| length.parse::<usize>().ok()) {
        // Nothing is there: the protocol's length of -1.
        None if line == "$-1" => Ok(String::new()),
        Some(length) => {
            let mut text = vec![0; length];
            stream.read_exact(&mut text).await?;
            Ok(String::from_utf8_lossy(&text).into_owned())
        }
        None => Ok(line),
    }
}
