//! The services as a command opens them when no server runs: the same code on the same files, without listeners.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use link::Service;
use protocol::ServiceName;
use runtime::lifecycle::{Phase, Shutdown, Tasks};
use runtime::ops::Readiness;
use runtime::store::StoreLock;
use runtime::telemetry::metrics;

use crate::config::Config;

/// How long the workers of an opened store may take to end.
const END_WITHIN: Duration = Duration::from_secs(10);

/// Opened services. End them, or what their workers hold is lost.
pub(crate) struct Opened {
    shutdown: Shutdown,
    tasks: Vec<Tasks>,
    chat: Option<Arc<chat::Chat>>,
    locks: Vec<StoreLock>,
}

impl Opened {
    pub(crate) fn new() -> Self {
        metrics::install();
        Self { shutdown: Shutdown::new(), tasks: Vec::new(), chat: None, locks: Vec::new() }
    }

    /// Opens the accounts; `lock` is their folder's.
    pub(crate) fn auth(&mut self, config: &Config, lock: StoreLock) -> Result<Arc<auth::Auth>> {
        self.locks.push(lock);
        let host = auth::Host::new(
            self.tasks(ServiceName::Auth),
            self.shutdown.clone(),
            Readiness::new(self.shutdown.clone()),
        );
        Ok(auth::Auth::open(config.auth.clone(), &config.folder(ServiceName::Auth), host)?)
    }

    /// Opens the conversations; `lock` is their folder's.
    pub(crate) fn chat(&mut self, config: &Config, lock: StoreLock, auth: Arc<dyn Service>) -> Result<Arc<chat::Chat>> {
        self.locks.push(lock);
        let host = chat::Host {
            tasks: self.tasks(ServiceName::Chat),
            shutdown: self.shutdown.clone(),
            readiness: Readiness::new(self.shutdown.clone()),
            redis: None,
        };
        let folder = config.folder(ServiceName::Chat);
        let chat = chat::Chat::open(config.chat.clone(), &folder, chat::Peers { auth }, host)?;
        self.chat = Some(Arc::clone(&chat));
        Ok(chat)
    }

    /// Ends the workers, writes down what waits, and lets servers in again.
    pub(crate) async fn end(self) {
        self.shutdown.advance(Phase::Stop);
        for tasks in self.tasks {
            tasks.join(END_WITHIN).await;
        }
        if let Some(chat) = self.chat {
            chat.close().await;
        }
        drop(self.locks);
    }

    fn tasks(&mut self, service: ServiceName) -> Tasks {
        let tasks = Tasks::new(service);
        self.tasks.push(tasks.clone());
        tasks
    }
}
