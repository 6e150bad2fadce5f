//! The gateway, put together: its parts, its background tasks, its router.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use link::Service;
use protocol::ServiceName;
use runtime::audit::Spool;
use runtime::lifecycle::{Shutdown, Tasks};
use runtime::ops::Readiness;
use runtime::redis::Redis;
use runtime::telemetry::metrics::declare_plain;
use tokio::sync::Semaphore;
use tokio::time::MissedTickBehavior;

use crate::Config;
use crate::clock;
use crate::devices::Reports;
use crate::drain::{self, Sockets};
use crate::edge::{Denials, Edge, Origins, commands_by_name, router};
use crate::hub::{FILL_WORKERS, Hub};
use crate::identities::Identities;
use crate::limits::{Limits, Unauthenticated};
use crate::meters::Meters;
use crate::session::{Budget, Settings};
use crate::socket::Turns;
use crate::token::Tokens;

/// Between two looks over all connections.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// Between two looks over all limiters, in sweeps.
const TRIM_EVERY_SWEEPS: u64 = 60;
/// How many pages, and registers of users, are read at the same time for connections that lag: a storm of them must not starve everyone's commands.
const READS_AT_ONCE: usize = 64;

/// The services behind the gateway, in this process or another.
#[derive(Clone)]
pub struct Services {
    /// Accounts, tokens, revocations.
    pub auth: Arc<dyn Service>,
    /// Conversations and their logs.
    pub chat: Arc<dyn Service>,
    /// Calls.
    pub signaling: Arc<dyn Service>,
    /// Files.
    pub storage: Arc<dyn Service>,
}

/// What the gateway is built from.
pub struct Parts {
    /// The services behind it.
    pub services: Services,
    /// Counts of rate limits, by the names of [`protocol::limits::RATE_LIMITS`]; what is absent keeps the table's.
    pub limits: BTreeMap<String, u32>,
    /// The Redis by which several gateways count together and know each other's connections; none where there is one gateway.
    pub redis: Option<Redis>,
    /// Where denials are audited. Without one they are not.
    pub audit: Option<Spool>,
    /// How the process goes down.
    pub shutdown: Shutdown,
    /// Where it says what it depends on, and so whether it can serve.
    pub readiness: Readiness,
    /// Where background tasks run.
    pub tasks: Tasks,
}

/// The edge of the system.
pub struct Gateway {
    edge: Arc<Edge>,
}

impl Gateway {
    /// Builds it and starts its background tasks; it is ready when the readiness that it was given says so. Call it inside a tokio runtime.
    #[must_use]
    pub fn build(config: Config, parts: Parts) -> Self {
        let Parts { services, limits, redis, audit, shutdown, readiness, tasks } = parts;
        declare_plain(ServiceName::Gateway);
        let settings = Settings {
            queue_bytes: config.queue_bytes,
            slow_after_ms: config.slow_after_ms,
            unacked_max: config.unacked_max,
            budget: Budget::new(config.queue_bytes_total),
        };
        let hub = Arc::new(Hub::new(Arc::clone(&services.chat), settings, config.parked_max));
        let edge = Arc::new(Edge {
            tokens: Tokens::new(Arc::clone(&services.auth)),
            limits: Limits::new(&limits, redis.clone()),
            unauthenticated: Unauthenticated::new(config.unauthenticated_per_address),
            origins: Origins::new(&config.allowed_origins),
            hub,
            identities: Identities::new(redis),
            devices: Reports::default(),
            denials: Denials::new(audit),
            meters: Meters::new(),
            sockets: Sockets::default(),
            hellos: Turns::new(shutdown.clone()),
            reads: Arc::new(Semaphore::new(READS_AT_ONCE)),
            shutdown: shutdown.clone(),
            commands: commands_by_name(),
            services,
            config,
        });
        start(&edge, &readiness, &shutdown, &tasks);
        Self { edge }
    }

    #[cfg(test)]
    pub(crate) fn edge(&self) -> Arc<Edge> {
        Arc::clone(&self.edge)
    }

    /// Waits for the drain, tells every client to come back after a time of its own, and ends when no socket is left.
    pub async fn drained(&self) {
        drain::drain(&self.edge).await;
    }

    /// Everything that clients reach: REST, the socket, the web client.
    pub fn router(&self) -> Router {
        router(Arc::clone(&self.edge))
    }
}

/// Starts what runs beside requests and sockets.
fn start(edge: &Arc<Edge>, readiness: &Readiness, shutdown: &Shutdown, tasks: &Tasks) {
    let spawn = |name, task| until_stopped(tasks, shutdown, name, task);
    spawn("watch", Box::pin(Arc::clone(&edge.hub).watch()));
    spawn("watch-calls", Box::pin(Arc::clone(&edge.hub).watch_calls(Arc::clone(&edge.services.signaling))));
    for _ in 0..FILL_WORKERS {
        spawn("fill", Box::pin(Arc::clone(&edge.hub).fill_gaps()));
    }
    spawn("revocations", Box::pin(tail_revocations(Arc::clone(edge))));
    spawn("identities", Box::pin(keep_identities(Arc::clone(edge))));
    spawn("devices", Box::pin(report_devices(Arc::clone(edge))));
    spawn("limits", Box::pin(settle_limits(Arc::clone(edge))));
    spawn("sweep", Box::pin(sweep(Arc::clone(edge), readiness.clone())));
}

type Task = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

fn until_stopped(tasks: &Tasks, shutdown: &Shutdown, name: &'static str, task: Task) {
    let shutdown = shutdown.clone();
    tasks.spawn(name, async move {
        tokio::select! {
            () = task => {}
            () = shutdown.stopped() => {}
        }
    });
}

async fn tail_revocations(edge: Arc<Edge>) {
    let hub = Arc::clone(&edge.hub);
    let tell = move |row: &link::Revocation| hub.revoke(row.user, row.revoked);
    edge.tokens.revocations().tail(tell).await;
}

async fn settle_limits(edge: Arc<Edge>) {
    edge.limits.settle().await;
}

async fn keep_identities(edge: Arc<Edge>) {
    edge.identities.keep(&edge.hub).await;
}

async fn report_devices(edge: Arc<Edge>) {
    let Services { chat, signaling, .. } = edge.services.clone();
    let presence = Arc::clone(&edge.devices.chat).report(chat, Arc::clone(&edge.hub));
    let legs = Arc::clone(&edge.devices.signaling).report(signaling, Arc::clone(&edge.hub));
    tokio::join!(presence, legs);
}

/// Looks at every connection once a second, and at what the gateway depends on.
async fn sweep(edge: Arc<Edge>, readiness: Readiness) {
    let auth = readiness.dependency("auth-service", true);
    let chat = readiness.dependency("chat-service", true);
    // Without calls there is still all the rest.
    let signaling = readiness.dependency("video-service", false);
    let mut turn = tokio::time::interval(SWEEP_EVERY);
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // A gateway that starts should not wait a whole turn to be ready.
    let mut early = tokio::time::interval(Duration::from_millis(50));
    early.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sweeps = 0;
    loop {
        tokio::select! {
            _ = turn.tick() => {
                sweeps += 1;
                edge.hub.sweep(clock::now());
                if sweeps % TRIM_EVERY_SWEEPS == 0 {
                    edge.limits.trim();
                }
            }
            _ = early.tick(), if !readiness.is_ready() || !edge.hub.is_watching_calls() => {}
        }
        match (edge.tokens.is_ready(), edge.tokens.revocations().is_reached()) {
            (false, _) => auth.down("revocations are not loaded yet"),
            (true, false) => auth.down("does not answer"),
            (true, true) => auth.up(),
        }
        match edge.hub.is_watching() {
            true => chat.up(),
            false => chat.down("no hints are coming in"),
        }
        match edge.hub.is_watching_calls() {
            true => signaling.up(),
            false => signaling.down("no hints are coming in"),
        }
    }
}
