//! The service as others see it: commands, hints, registers, and the gateways' reports.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use link::{Call, DeviceAnswer, DeviceReport, Event, Hints, Refusal, Reply, Service};
use protocol::{ServiceName, UserId};
use runtime::audit::Spool;
use runtime::lifecycle::{Shutdown, Tasks};
use runtime::ops::Readiness;
use runtime::redis::Redis;
use runtime::store::{OpenError, Store};

use crate::config::Config;
use crate::desk::{Desk, Live, Parts};
use crate::ice::Relay;
use crate::store::{CallStore, Others, RedisCalls, SharedCalls, SqliteCalls, StoreError, store_options};
use crate::{commands, watch, work};

/// What the service needs from the process around it.
pub struct Host {
    /// Where its workers run.
    pub tasks: Tasks,
    /// When they end.
    pub shutdown: Shutdown,
    /// Where it tells whether it can serve.
    pub readiness: Readiness,
    /// Where several processes share calls; without one they are in the service's own file.
    pub redis: Option<Redis>,
}

/// The other services that it asks.
pub struct Peers {
    /// Which logins have ended.
    pub auth: Arc<dyn Service>,
    /// Who belongs to a conversation; where records go.
    pub chat: Arc<dyn Service>,
    /// The other instances of signaling, which hear by Redis of each other's calls, and over the link while there is none.
    pub others: Vec<Arc<dyn Service>>,
    /// Where clients relay, if there is any TURN server.
    pub relay: Option<Relay>,
}

/// Calls.
pub struct Signaling {
    desk: Arc<Desk>,
    spool: Spool,
    store: Store,
}

impl Signaling {
    /// Opens the store in the service's folder, finds the calls that went on, and starts the workers. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// When the store can't be opened; the message says what to do.
    pub async fn open(config: Config, folder: &Path, peers: Peers, host: Host) -> Result<Arc<Self>, OpenError> {
        let options = store_options(folder);
        let path = options.path.clone();
        let store = Store::open(options)?;
        let Host { tasks, shutdown, readiness, redis } = host;
        let spool = Spool::start(store.clone(), config.audit_spool_max);
        // The file's epoch names the process: it is the same after a restart, and nobody else's.
        let (live, own) = (Arc::new(Live::default()), SqliteCalls::new(store.clone()));
        let shared = redis.map(|redis| {
            let (redis, others) = (RedisCalls::new(redis, store.epoch().0), Others::among(peers.others));
            Arc::new(SharedCalls::new(redis, own.clone(), Arc::clone(&live), others))
        });
        let calls: Arc<dyn CallStore> = match &shared {
            Some(shared) => Arc::clone(shared) as Arc<dyn CallStore>,
            None => Arc::new(own),
        };
        let (shared_too, chat, relay) = (shared.clone(), peers.chat, peers.relay);
        let parts = Parts { config, store: calls, shared: shared_too, live, chat, relay };
        let desk = Arc::new(Desk::new(parts));
        let (of, until) = (|| Arc::clone(&desk), || shutdown.clone());
        match shared {
            Some(shared) => {
                let failed = |error: StoreError| std::io::Error::other(error.to_string());
                work::meet_redis(&shared).await;
                let found = shared.find_again().await.map_err(|error| OpenError::Io { path, source: failed(error) })?;
                tasks.spawn("signaling-share", work::share(of(), shared, found, until()));
            }

            None => {
                let failed = |refusal: Refusal| std::io::Error::other(refusal.to_string());
                work::recover(&desk).await.map_err(|refusal| OpenError::Io { path, source: failed(refusal) })?;
            }
        }
        tasks.spawn("signaling-deadlines", work::keep_deadlines(of(), until()));
        tasks.spawn("signaling-outputs", work::perform_outputs(of(), until()));
        tasks.spawn("signaling-members", watch::watch_members(of(), until()));
        tasks.spawn("signaling-sessions", watch::watch_sessions(of(), peers.auth, until()));
        tasks.spawn("signaling-sockets", watch::watch_sockets(of(), until()));
        tasks.spawn("signaling-tidy", work::tidy(of(), readiness.dependency("store", true), until()));
        Ok(Arc::new(Self { desk, spool, store }))
    }

    /// Writes down what waits and closes the store. Call it after the workers have ended.
    pub async fn close(&self) {
        self.spool.drain().await;
        self.store.close().await;
    }

    /// The way into the audit trail for what the process does that is no command of its own.
    pub fn audit_spool(&self) -> Spool {
        self.spool.clone()
    }

    /// The store, for tools that run inside the process.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

#[async_trait]
impl Service for Signaling {
    fn name(&self) -> ServiceName {
        ServiceName::Signaling
    }

    async fn execute(&self, call: Call) -> Reply {
        commands::execute(&self.desk, &self.spool, call).await
    }

    async fn watch(&self) -> Result<Hints, Refusal> {
        Ok(self.desk.publisher.watch())
    }

    async fn registers(&self, user: UserId) -> Result<Vec<Event>, Refusal> {
        self.desk.registers(user).await
    }

    async fn devices(&self, report: DeviceReport) -> Result<DeviceAnswer, Refusal> {
        self.desk.report(&report).await
    }
}
