//! The service as others see it: commands, hints, logs, registers, devices.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use link::{
    Call, DeviceAnswer, DeviceReport, Event, Head, Hints, Page, Publisher, ReadRequest, Refusal, Reply, Service,
    Subscriptions,
};
use parking_lot::Mutex;
use protocol::{ErrorCode, ServiceName, StreamId, UserId};
use runtime::audit::Spool;
use runtime::lifecycle::{Shutdown, Tasks};
use runtime::ops::Readiness;
use runtime::redis::Redis;
use runtime::store::{Store, StoreOptions};

use crate::config::Config;
use crate::log::page;
use crate::presence::Presences;
use crate::presence::leases::Leases;
use crate::shared::{Shared, now_ms};
use crate::{commands, heads, markers, metrics, presence, registers, schema, tidy, typing};

/// The file in the service's folder.
pub(crate) const STORE_FILE: &str = "chat.db";

/// Under full load a batch takes twice the default's time: commands of one batch that change the same pages of the indexes
/// pay for them once.
const BATCH_TIME: Duration = Duration::from_millis(8);

/// A client's burst arrives within this; a commit takes two to ten times as long.
const GATHER: Duration = Duration::from_micros(100);

/// Under load the file is brought up to date at eight times this: a page of the indexes changes many times before it is
/// written to its place once.
const CHECKPOINT_KIB: u32 = 16 * 1_024;

/// How many heads are read in one question.
const HEADS_MAX: usize = 1_000;

/// What the service needs from the process around it.
pub struct Host {
    /// Where its workers run.
    pub tasks: Tasks,
    /// When they end.
    pub shutdown: Shutdown,
    /// Where it tells whether it can serve.
    pub readiness: Readiness,
    /// What it shares with other processes, if there is a Redis.
    pub redis: Option<Redis>,
}

/// The other services that it asks.
pub struct Peers {
    /// Whether a user exists.
    pub auth: Arc<dyn Service>,
}

/// Conversations and their logs, markers, presence.
pub struct Chat {
    pub(crate) shared: Shared,
    pub(crate) typing: typing::Throttle,
}

impl Chat {
    /// Opens the store in the service's folder and starts the workers. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// When the store can't be opened; the message says what to do.
    pub fn open(
        config: Config,
        folder: &Path,
        peers: Peers,
        host: Host,
    ) -> Result<Arc<Self>, runtime::store::OpenError> {
        let options = store_options(&config, folder);
        let path = options.path.clone();
        let store = Store::open(options)?;
        let grace_ms = config.presence_grace_ms;
        let leases = Leases::new(host.redis.as_ref(), store.epoch());
        let presences = store
            .read_now("presence/restore", move |connection| Presences::open(connection, grace_ms, leases, now_ms()))
            .map_err(|error| runtime::store::OpenError::Io {
                path,
                source: std::io::Error::other(error.to_string()),
            })?;
        let shared = Shared {
            publisher: Publisher::new(config.hints_max),
            spool: Spool::start(store.clone(), config.audit_spool_max),
            config: Arc::new(config),
            store,
            auth: peers.auth,
            shutdown: host.shutdown,
            meters: metrics::Meters::new(),
            nudge: markers::teller::Nudge::default(),
            delivered: Arc::default(),
            counts: Arc::default(),
            presences: Arc::new(presences),
            folds: Arc::new(Mutex::default()),
        };
        let every = Duration::from_millis(shared.config.markers_every_ms);
        host.tasks.spawn("chat-markers", markers::teller::run(shared.for_own_work(), every));
        host.tasks.spawn("chat-presence", presence::shell::run(shared.for_own_work()));
        host.tasks.spawn("chat-leases", presence::leases::run(shared.clone()));
        host.tasks.spawn("chat-tidy", tidy::run(shared.for_own_work(), host.readiness.dependency("store", true)));
        Ok(Arc::new(Self { shared, typing: typing::Throttle::default() }))
    }

    /// Writes down what waits and closes the store. Call it after the workers have ended.
    pub async fn close(&self) {
        self.shared.spool.drain().await;
        self.shared.store.close().await;
    }

    /// The way into the audit trail for what the process does that is no command of its own.
    pub fn audit_spool(&self) -> Spool {
        self.shared.spool.clone()
    }

    /// The store, for tools that run inside the process: audit queries, checkpoints, backups.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }
}

/// How the store in a folder is opened; for `migrate`.
pub fn store_options(config: &Config, folder: &Path) -> StoreOptions {
    let mut options = StoreOptions::new(folder.join(STORE_FILE), ServiceName::Chat, schema::MIGRATIONS);
    options.readers = config.readers;
    options.write_queue_max = config.write_queue_max;
    options.batch_max = config.batch_max;
    options.cache_kib = config.cache_kib;
    options.batch_time = BATCH_TIME;
    options.gather = GATHER;
    options.checkpoint_kib = CHECKPOINT_KIB;
    options
}

#[async_trait]
impl Service for Chat {
    fn name(&self) -> ServiceName {
        ServiceName::Chat
    }

    async fn execute(&self, call: Call) -> Reply {
        commands::execute(self, call).await
    }

    async fn watch(&self) -> Result<Hints, Refusal> {
        Ok(self.shared.publisher.watch())
    }

    async fn subscriptions(&self, user: UserId) -> Result<Subscriptions, Refusal> {
        let epoch = self.shared.store.epoch();
        self.shared
            .read("streams/subscriptions", move |connection| {
                Ok(Subscriptions { epoch, heads: heads::subscriptions(connection, user)? })
            })
            .await
    }

    async fn heads(&self, streams: Vec<StreamId>) -> Result<Vec<Head>, Refusal> {
        if streams.len() > HEADS_MAX {
            return Err(Refusal::new(ErrorCode::InvalidRequest, format!("at most {HEADS_MAX} heads at once")));
        }
        self.shared.read("streams/heads", move |connection| Ok(heads::heads(connection, &streams)?)).await
    }

    async fn read(&self, request: ReadRequest) -> Result<Page, Refusal> {
        self.shared.read("entries/read", move |connection| page::read(connection, request)).await
    }

    async fn registers(&self, user: UserId) -> Result<Vec<Event>, Refusal> {
        let (presences, counts) = (Arc::clone(&self.shared.presences), Arc::clone(&self.shared.counts));
        let (at_most, now) = (self.shared.config.registers_max, self.shared.now());
        self.shared
            .read("memberships/registers", move |connection| {
                registers::of(connection, &presences, &counts, user, at_most, now)
            })
            .await
    }

    async fn devices(&self, report: DeviceReport) -> Result<DeviceAnswer, Refusal> {
        if self.shared.delivered.note(&report.acknowledged) && !report.acknowledged.is_empty() {
            self.shared.nudge.nudge();
        }
        let known = self.shared.presences.report(self.shared.now(), &report);
        Ok(DeviceAnswer { resend: !known })
    }
}
