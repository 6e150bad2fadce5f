//! What peer connections need to find each other: a TURN server, with credentials that end.
//!
//! A TURN server answers STUN too, so one list serves both. Credentials are made for one leg and name it: TURN's quotas count by the
//! user, its logs tell the call. They go to joined participants only, and a leg that goes on asks for new ones. When the leg ends, a
//! TURN server in this process ends its allocations at once; one elsewhere does so when the credentials expire, after minutes.

use std::sync::Arc;

use protocol::calls::{Ice, IceServer};
use protocol::{CallId, Millis, UserId};
use runtime::turn_credentials::TurnAccess;

/// Takes back what was granted to a name.
pub type Revoke = Arc<dyn Fn(&str) + Send + Sync>;

/// The TURN server that clients relay through.
#[derive(Clone)]
pub struct Relay {
    /// Where it is and what lets clients in.
    pub access: TurnAccess,
    /// How to take credentials back, where it serves in this process.
    pub revoke: Option<Revoke>,
}

impl Relay {
    /// For one leg.
    pub(crate) fn grant(&self, call: CallId, user: UserId, epoch: u64, now: Millis) -> Ice {
        let (made, expires_at_s) = self.access.grant(&name(call, user, epoch), now / 1_000);
        let server = IceServer {
            urls: self.access.urls.clone(),
            username: Some(made.username),
            credential: Some(made.password),
        };
        Ice { servers: vec![server], expires_at: Some(expires_at_s * 1_000) }
    }

    /// The leg has ended.
    pub(crate) fn end(&self, call: CallId, user: UserId, epoch: u64) {
        if let Some(revoke) = &self.revoke {
            revoke(&name(call, user, epoch));
        }
    }
}

fn name(call: CallId, user: UserId, epoch: u64) -> String {
    format!("{user}.{call}.{epoch}")
}
