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
/// A sentinel that does not hear the master for so many milliseconds thinks it is down. After a failover it takes half a second until they have
/// connected to the new one: with less than that they would depose each one that they have just made.
const DOWN_AFTER_MS: u32 = 1_500;

/// A watched pair.
pub struct Sentinels {
    servers: [RedisServer; 2],
    /// Who was the master when it was killed or frozen.
    hit: usize,
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
        let servers = [RedisServer::start().await, RedisServer::start().await];
        let master = servers[0].address();
        follow(&servers[1], master).await;
        let folder = tempfile::tempdir().expect("a folder");
        let (programs, addresses): (Vec<_>, Vec<_>) =
            (0..3).map(|number| sentinel(number, master, folder.path())).unzip();
        for address in &addresses {
            wait::until("the sentinels to know each other", async || {
                let known = ask(*address, &["SENTINEL", "CKQUORUM", MASTER]).await.ok()?;
                known.starts_with("+OK 3").then_some(())
            })
            .await;
        }
        let pair = Self { servers, hit: 0, addresses, _programs: programs, _folder: folder };
        pair.is_whole().await;
        pair
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

    /// Who is the master, as the sentinels have it.
    ///
    /// # Panics
    /// When they don't say.
    pub async fn master(&self) -> &RedisServer {
        &self.servers[self.master_number().await]
    }

    async fn master_number(&self) -> usize {
        wait::until("a sentinel to name the master", async || {
            let info = ask(self.addresses[0], &["INFO", "sentinel"]).await.ok()?;
            self.servers.iter().position(|server| info.contains(&format!("address={},", server.address())))
        })
        .await
    }

    /// Waits until a replica is in step that can follow the master.
    pub async fn is_whole(&self) {
        wait::until("a replica that can follow the master", async || {
            let master = self.master_number().await;
            let role = ask(self.servers[master].address(), &["INFO", "replication"]).await.ok()?;
            let link = ask(self.servers[1 - master].address(), &["INFO", "replication"]).await.ok()?;
            let known = ask(self.addresses[0], &["INFO", "sentinel"]).await.ok()?;
            let follows = role.contains("role:master") && link.contains("master_link_status:up");
            (follows && known.contains("status=ok") && known.contains("slaves=1,")).then_some(())
        })
        .await;
    }

    /// Kills the master.
    pub async fn kill_master(&mut self) {
        self.hit = self.master_number().await;
        self.servers[self.hit].kill().await;
    }

    /// Freezes the master.
    pub async fn freeze_master(&mut self) {
        self.hit = self.master_number().await;
        self.servers[self.hit].freeze();
    }

    /// Ends the freeze. Who was followed meanwhile takes itself for the master until the sentinels have told it otherwise.
    pub fn thaw(&mut self) {
        self.servers[self.hit].thaw();
    }

    /// Waits until the other one has followed the master that was killed or frozen.
    pub async fn is_followed(&self) {
        let other = self.servers[1 - self.hit].address();
        wait::until("the replica to be the master", async || {
            // A server that changes its role ends its connections.
            let info = ask(other, &["INFO", "replication"]).await.ok()?;
            (info.contains("role:master") && self.master_number().await != self.hit).then_some(())
        })
        .await;
    }

    /// Starts the one that was killed again, empty: as the master, if none has followed it yet, and as the replica of who has.
    pub async fn revive(&mut self) {
        self.servers[self.hit].restart().await;
        let master = self.master_number().await;
        if master != self.hit {
            follow(&self.servers[self.hit], self.servers[master].address()).await;
        }
    }

    /// Kills the master and waits until the replica is one.
    pub async fn fail_over(&mut self) {
        self.is_whole().await;
        self.kill_master().await;
        self.is_followed().await;
    }

    /// Has the sentinels promote the replica while both live, as an operator does, and waits until they have.
    pub async fn hand_over(&mut self) {
        self.is_whole().await;
        self.hit = self.master_number().await;
        wait::until("the sentinels to begin", async || {
            ask(self.addresses[0], &["SENTINEL", "FAILOVER", MASTER]).await.ok()?.starts_with("+OK").then_some(())
        })
        .await;
        self.is_followed().await;
    }
}

/// Makes a server the replica of another.
async fn follow(server: &RedisServer, master: SocketAddr) {
    let (ip, port) = (master.ip().to_string(), master.port().to_string());
    assert!(server.ask(&["REPLICAOF", &ip, &port]).await.starts_with("+OK"));
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
