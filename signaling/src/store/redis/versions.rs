//! Hearing what other processes write: versions, and who serves which call. A version is heard whole, so that nobody has to ask for it.

use protocol::CallId;
use runtime::redis::{Failure, Redis, Subscription};
use serde::Deserialize;
use uuid::Uuid;

use super::super::unit;
use super::RedisCalls;
use crate::machine::CallState;

/// Versions that may wait for whoever hears them. Where one finds no room the channel is left, and all live calls are read anew.
const WAITING_MAX: usize = 4_096;

/// Versions as they are written, by any process.
pub(crate) struct Versions(Subscription);

/// What processes tell each other, inside of the script that does it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Told {
    /// A version was written.
    Version(Box<CallState>),
    /// A process let a leg in and serves the call from now on.
    Served {
        /// Which.
        call: CallId,
        /// Who.
        by: Uuid,
    },
    /// A process has followed a silent one in a call.
    Adopted {
        /// Which.
        call: CallId,
        /// Who.
        by: Uuid,
    },
}

impl RedisCalls {
    /// Hears versions from now on.
    pub(crate) async fn versions(&self) -> Result<Versions, Failure> {
        self.redis.subscribe(&self.keys.versions, WAITING_MAX).await.map(Versions)
    }

    /// The process that speaks.
    pub(crate) fn node(&self) -> Uuid {
        self.node
    }

    /// The Redis that they are in.
    pub(crate) fn redis(&self) -> &Redis {
        &self.redis
    }
}

impl Versions {
    /// The next one; none when some may have been missed.
    pub(crate) async fn next(&mut self) -> Option<Told> {
        loop {
            let message = self.0.next().await.filter(|_| self.0.lost() == 0)?;
            match unit::parse(&message) {
                Ok(told) => return Some(told),
                Err(error) => tracing::error!(%error, "what another process told can't be read"),
            }
        }
    }
}
