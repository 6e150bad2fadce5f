//! The Redis that the services of several processes share: one handle for each service that has a use for it, and who tells and hears hints by it.

use std::sync::Arc;

use anyhow::{Result, anyhow};
use link::Service;
use protocol::ServiceName;
use runtime::bus::{self, Channelled};
use runtime::lifecycle::{Shutdown, Tasks};
use runtime::ops::{Dependency, Readiness};
use runtime::redis::{Redis, Standing};

use super::compose::Part;
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

/// Whether a service tells what happens in it.
fn has_hints(service: ServiceName) -> bool {
    matches!(service, ServiceName::Auth | ServiceName::Chat | ServiceName::Signaling)
}

/// A service of another process, heard by its channel where there is a Redis.
pub(crate) fn heard(remote: Arc<dyn Service>, redis: Option<&Redis>) -> Arc<dyn Service> {
    match redis {
        Some(redis) if has_hints(remote.name()) => Arc::new(Channelled::new(remote, redis.clone())),
        _ => remote,
    }
}

/// Tells other processes the hints of a service of this one, where there is a Redis.
pub(crate) fn tell(service: &Arc<dyn Service>, part: &Part, shutdown: &Shutdown) {
    if let Some(redis) = &part.redis
        && has_hints(service.name())
    {
        part.tasks.spawn("hints", bus::tell(Arc::clone(service), redis.clone(), shutdown.clone()));
    }
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
