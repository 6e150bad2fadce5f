//! Hearing the versions that other processes write. What is heard is the whole state, so that nobody has to ask for it.

use runtime::redis::{Failure, Redis, Subscription};

use super::super::unit;
use super::RedisCalls;
use crate::machine::CallState;

/// Versions that may wait for whoever hears them. Where one finds no room the channel is left, and all live calls are read anew.
const WAITING_MAX: usize = 4_096;

/// Versions as they are written, by any process.
pub(crate) struct Versions(Subscription);

impl RedisCalls {
    /// Hears versions from now on.
    pub(crate) async fn versions(&self) -> Result<Versions, Failure> {
        self.redis.subscribe(&self.keys.versions, WAITING_MAX).await.map(Versions)
    }

    /// The Redis that they are in.
    pub(crate) fn redis(&self) -> &Redis {
        &self.redis
    }
}

impl Versions {
    /// The next one; none when some may have been missed.
    pub(crate) async fn next(&mut self) -> Option<CallState> {
        loop {
            let state = self.0.next().await.filter(|_| self.0.lost() == 0)?;
            match unit::parse(&state) {
                Ok(call) => return Some(call),
                Err(error) => tracing::error!(%error, "a version that was told can't be read"),
            }
        }
    }
}
