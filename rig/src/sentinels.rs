//! A master, a replica and three sentinels: what is needed to see a failover.

use std::net::SocketAddr;
use std::path::Path;

use tempfile::TempDir;
use tokio::process::Command;

use crate::address::{free_port, own_address};
use crate::program::Program;
use crate::redis::{RedisServer, ask};
use crate::wait;

/// How the sentinels call the master.
const MASTER: &str = "rig";
/// A sentinel that does not hear the master for so many milliseconds thinks it is down.
const DOWN_AFTER_MS: u32 = 300;

/// A watched pair.
pub struct Sentinels {
    first: RedisServer,
    second: RedisServer,
    addresses: Vec<SocketAddr>,
    _programs: Vec<Program>,
    _folder: TempDir,
}

impl Sentinels {
    /// Starts all five and waits until the sentinels know each other and the replica is in step.
    ///
    /// # Panics
    /// When they do not come up.
    pub async fn start() -> Self {
        let first = RedisServer::start().await;
        let master = first.address();
        let (ip, port) = (master.ip().to_string(), master.port().to_string());
        let second = RedisServer::start_with(&["--replicaof", &ip, &port]).await;
        let folder = tempfile::tempdir().expect("a folder");
        let (programs, addresses): (Vec<_>, Vec<_>) =
            (0..3).map(|number| sentinel(number, master, folder.path())).unzip();
        for address in &addresses {
            wait::until("the sentinels to know each other", async || {
                let known = ask(*address, &["SENTINEL", "CKQUORUM", MASTER]).await.ok()?;
                let replicas = ask(*address, &["INFO", "sentinel"]).await.ok()?;
                (known.starts_with("+OK 3") && replicas.contains("slaves=1,sentinels=3")).then_some(())
            })
            .await;
        }
        wait::until("the replica to be in step", async || {
            let info = ask(second.address(), &["INFO", "replication"]).await.ok()?;
            info.contains("master_link_status:up").then_some(())
        })
        .await;
        Self { first, second, addresses, _programs: programs, _folder: folder }
    }

    /// How the sentinels call the master.
    #[must_use]
    pub fn master_name(&self) -> &'static str {
        MASTER
    }

    /// Where the sentinels listen.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Kills the first master and waits until the replica is one.
    pub async fn fail_over(&mut self) {
        self.first.kill().await;
        let second = self.second.address();
        wait::until("the replica to be the master", async || {
            // A server that changes its role ends its connections.
            let info = ask(second, &["INFO", "replication"]).await.ok()?;
            info.contains("role:master").then_some(())
        })
        .await;
    }
}

fn sentinel(number: u8, master: SocketAddr, folder: &Path) -> (Program, SocketAddr) {
    let ip = own_address();
    let address = SocketAddr::from((ip, free_port(ip)));
    // A sentinel writes its state into its configuration.
    let file = folder.join(format!("sentinel-{number}.conf"));
    let text = format!(
        "port {port}\nprotected-mode no\nbind {ip}\nsentinel announce-ip {ip}\nsentinel announce-port {port}\ndir {folder}\nsentinel monitor {MASTER} {master_ip} {master_port} 2\n\
         sentinel down-after-milliseconds {MASTER} {DOWN_AFTER_MS}\nsentinel failover-timeout {MASTER} 3000\n",
        port = address.port(),
        folder = folder.display(),
        master_ip = master.ip(),
        master_port = master.port(),
    );
    std::fs::write(&file, text).expect("a configuration");
    let mut command = Command::new("redis-server");
    command.arg(&file).arg("--sentinel");
    (Program::start(&format!("sentinel-{number}"), command, folder), address)
}
