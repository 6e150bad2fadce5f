//! The Redis that the services of several processes share: one handle for each service that has a use for it.

use anyhow::{Result, anyhow};
use protocol::ServiceName;
use runtime::lifecycle::{Shutdown, Tasks};
use runtime::ops::{Dependency, Readiness};
use runtime::redis::{Redis, Standing};

use crate::config::Config;

/// The service's handle, if there is a Redis.
pub(crate) fn redis(
    config: &Config,
    service: ServiceName,
    tasks: &Tasks,
    readiness: &Readiness,
    shutdown: &Shutdown,
) -> Result<Option<Redis>> {
    let uses = !matches!(service, ServiceName::Storage | ServiceName::Turn);
    if !uses || !config.redis.is_set() {
        return Ok(None);
    }
    let redis =
        Redis::start(&config.redis, service, tasks, shutdown.clone()).map_err(|reason| anyhow!("redis: {reason}"))?;
    // A service that goes on by itself can serve without it.
    let dependency = readiness.dependency("redis", !redis.falls_back());
    tasks.spawn("redis-readiness", report(redis.clone(), dependency, shutdown.clone()));
    Ok(Some(redis))
}

async fn report(redis: Redis, dependency: Dependency, shutdown: Shutdown) {
    let mut standing = redis.watch();
    loop {
        match *standing.borrow_and_update() {
            Standing::Up { .. } => dependency.up(),
            Standing::Down => dependency.down("it does not answer"),
        }
        tokio::select! {
            changed = standing.changed() => if changed.is_err() { return },
            () = shutdown.stopped() => return,
        }
    }
}
