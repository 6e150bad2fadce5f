//! The handle that services ask.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use protocol::ServiceName;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, Pipeline, RedisResult, ScriptInvocation};
use tokio::sync::{Notify, watch};

use super::config::Config;
use super::connect::Connector;
use super::failure::{self, Failure};
use super::health::{Answer, Health, Standing};
use super::lua::Lua;
use super::meters::Meters;
use super::supervise;
use crate::lifecycle::{Shutdown, Tasks};

/// A service's Redis. Clones share the connection.
#[derive(Clone)]
pub struct Redis {
    pub(super) shared: Arc<Shared>,
    /// What the keys of this handle begin with.
    prefix: Arc<str>,
}

pub(super) struct Shared {
    pub(super) connector: Connector,
    pub(super) standing: watch::Sender<Standing>,
    pub(super) live: ArcSwapOption<Live>,
    /// The connection was given up.
    pub(super) broken: Notify,
    pub(super) meters: Meters,
    pub(super) life_key: String,
    fallback: bool,
    pub(super) answer_within: Duration,
    settling: AtomicUsize,
}

/// The connection of the moment.
pub(super) struct Live {
    connection: MultiplexedConnection,
    health: Mutex<Health>,
}

impl Redis {
    /// A handle whose connection is made, and made again, by a task of the service. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// What is wrong with the configuration. That Redis is not there is no error.
    pub fn start(config: &Config, service: ServiceName, tasks: &Tasks, shutdown: Shutdown) -> Result<Self, String> {
        let shared = Arc::new(Shared {
            connector: Connector::new(config)?,
            standing: watch::Sender::new(Standing::Down),
            live: ArcSwapOption::empty(),
            broken: Notify::new(),
            meters: Meters::new(service),
            life_key: format!("{}:life", config.prefix),
            fallback: config.fallback,
            answer_within: config.answer_within,
            settling: AtomicUsize::new(0),
        });
        tasks.spawn("redis", supervise::supervise(Arc::clone(&shared), shutdown));
        Ok(Self { shared, prefix: config.prefix.as_str().into() })
    }

    /// The same Redis, whose keys belong to one life of a store.
    #[must_use]
    pub fn under(&self, epoch: impl Display) -> Self {
        Self { shared: Arc::clone(&self.shared), prefix: format!("{}:{epoch}", self.prefix).into() }
    }

    /// A key: the prefix, what kind of thing it is, and the hash tag of the thing, so that all keys of one thing lie on one node of a Cluster.
    #[must_use]
    pub fn key(&self, kind: &str, tag: impl Display) -> String {
        format!("{}:{kind}:{{{tag}}}", self.prefix)
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        *self.shared.standing.borrow()
    }

    /// Hears how it stands.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Standing> {
        self.shared.standing.subscribe()
    }

    /// Whether a service goes on with its own memory without it.
    #[must_use]
    pub fn falls_back(&self) -> bool {
        self.shared.fallback
    }

    /// Says that the service still lives on its own memory although Redis is back, until the answer is dropped.
    #[must_use]
    pub fn settling(&self) -> Settling {
        self.shared.settling.fetch_add(1, Ordering::Relaxed);
        self.shared.show_degraded();
        Settling(Arc::clone(&self.shared))
    }

    /// One command; `name` is what metrics call it by.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn run<T: FromRedisValue>(&self, name: &'static str, command: &Cmd) -> Result<T, Failure> {
        self.ask(name, async |mut connection| command.query_async(&mut connection).await).await
    }

    /// Several commands in one round trip.
    ///
    /// # Errors
    /// Why there is no answer; some of the commands may have been done.
    pub async fn run_all<T: FromRedisValue>(&self, name: &'static str, commands: &Pipeline) -> Result<T, Failure> {
        self.ask(name, async |mut connection| commands.query_async(&mut connection).await).await
    }

    /// A script; `fill` gives it its keys and arguments.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn eval<T: FromRedisValue>(
        &self,
        lua: &Lua,
        fill: impl FnOnce(&mut ScriptInvocation<'_>),
    ) -> Result<T, Failure> {
        let mut invocation = lua.script.prepare_invoke();
        fill(&mut invocation);
        self.ask(lua.name, async |mut connection| invocation.invoke_async(&mut connection).await).await
    }

    async fn ask<T>(
        &self,
        name: &'static str,
        ask: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, Failure> {
        let Some(live) = self.shared.live.load_full() else {
            self.shared.meters.error(name, Failure::Gone.label());
            return Err(Failure::Gone);
        };
        self.shared.ask(&live, name, ask).await
    }
}

impl Shared {
    /// Asks over this connection, and gives it up if that is what the answer says.
    pub(super) async fn ask<T>(
        &self,
        live: &Arc<Live>,
        name: &'static str,
        ask: impl AsyncFnOnce(MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T, Failure> {
        let began = Instant::now();
        let answered = tokio::time::timeout(self.answer_within, ask(live.connection.clone())).await;
        self.meters.command(name, began.elapsed());
        let (answer, result) = match answered {
            Ok(Ok(value)) => (Answer::Given, Ok(value)),
            Ok(Err(error)) => match failure::of(&error) {
                failure @ Failure::Refused(_) if !failure::is_unfit(&error) => (Answer::Given, Err(failure)),
                failure => (Answer::Broken, Err(failure)),
            },
            Err(_) => (Answer::Late, Err(Failure::Lost(format!("no answer within {:?}", self.answer_within)))),
        };
        if let Err(failure) = &result {
            self.meters.error(name, failure.label());
        }
        if live.health.lock().note(answer) {
            self.give_up(live);
        }
        result
    }

    /// Nobody is to ask over this connection any more.
    fn give_up(&self, live: &Arc<Live>) {
        let present = self.live.load();
        if present.as_ref().is_some_and(|present| Arc::ptr_eq(present, live)) {
            self.live.store(None);
            self.stands(Standing::Down);
            self.broken.notify_one();
        }
    }

    pub(super) fn stands(&self, standing: Standing) {
        self.meters.up(standing.is_up());
        self.standing.send_replace(standing);
        self.show_degraded();
    }

    fn show_degraded(&self) {
        let degraded = !self.standing.borrow().is_up() || self.settling.load(Ordering::Relaxed) > 0;
        self.meters.degraded(degraded);
    }
}

impl Live {
    pub(super) fn new(connection: MultiplexedConnection) -> Arc<Self> {
        Arc::new(Self { connection, health: Mutex::default() })
    }
}

/// While it is held the service counts as degraded.
pub struct Settling(Arc<Shared>);

impl Drop for Settling {
    fn drop(&mut self) {
        self.0.settling.fetch_sub(1, Ordering::Relaxed);
        self.0.show_degraded();
    }
}
