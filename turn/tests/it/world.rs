//! A server of a test's own, on free ports of loopback.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use protocol::ServiceName;
use runtime::config::Secret;
use runtime::lifecycle::{Phase, Shutdown, Tasks};
use runtime::turn_credentials::{TurnCredentials, TurnSecrets};
use turn::{Config, Host, Listeners, Server};

pub(crate) const SECRET: &str = "a secret of these tests";

/// A running server; it ends with the test.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) address: SocketAddr,
    pub(crate) tasks: Tasks,
    shutdown: Shutdown,
}

impl World {
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let _ = runtime::telemetry::metrics::install();
        let mut config = Config { listen: vec!["127.0.0.1:0".parse().unwrap()], ..Config::default() };
        change(&mut config);
        let listeners = Listeners::bind(&config).unwrap();
        let address = listeners.addresses()[0];
        let (tasks, shutdown) = (Tasks::new(ServiceName::Turn), Shutdown::new());
        let host = Host { tasks: tasks.clone(), shutdown: shutdown.clone() };
        Self { server: Server::start(config, secrets(), listeners, host), address, tasks, shutdown }
    }

    pub(crate) fn shut_down(&self, phase: Phase) {
        self.shutdown.advance(phase);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.advance(Phase::Stop);
    }
}

pub(crate) fn secrets() -> TurnSecrets {
    TurnSecrets::new(&Secret::new(SECRET), &Secret::default()).unwrap()
}

/// Credentials that expire in so many seconds.
pub(crate) fn credentials(name: &str, lifetime_s: u64) -> TurnCredentials {
    secrets().make(name, Duration::from_secs(lifetime_s), now_s())
}

pub(crate) fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
