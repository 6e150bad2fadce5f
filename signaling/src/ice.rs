//! What peer connections need to find each other: STUN and TURN servers, with credentials that end.
//!
//! Credentials are made for one leg and name it, so that TURN's quotas count by user and its logs tell the call. They go to joined
//! participants only.

use std::sync::Arc;
use std::time::Duration;

use protocol::calls::{Ice, IceServer};
use protocol::{CallId, Millis, UserId};
use runtime::turn_credentials::TurnSecrets;

/// What the process knows of its STUN and TURN servers.
#[derive(Clone, Default)]
pub struct IcePlan {
    /// STUN URIs (RFC 7064), for everyone.
    pub stun: Vec<String>,
    /// TURN, if there is any.
    pub turn: Option<Arc<TurnPlan>>,
}

/// A TURN server that takes our credentials.
pub struct TurnPlan {
    /// Its URIs (RFC 7065).
    pub urls: Vec<String>,
    /// What it knows us by.
    pub secrets: TurnSecrets,
    /// How long credentials last; a client asks for new ones before.
    pub lifetime: Duration,
}

impl IcePlan {
    /// For one leg.
    pub(crate) fn of(&self, call: CallId, user: UserId, epoch: u64, now: Millis) -> Ice {
        let mut servers = Vec::new();
        if !self.stun.is_empty() {
            servers.push(IceServer { urls: self.stun.clone(), username: None, credential: None });
        }
        let Some(turn) = &self.turn else { return Ice { servers, expires_at: None } };
        let made = turn.secrets.make(&format!("{user}.{call}.{epoch}"), turn.lifetime, now / 1_000);
        servers.push(IceServer {
            urls: turn.urls.clone(),
            username: Some(made.username),
            credential: Some(made.password),
        });
        Ice { servers, expires_at: Some(now + turn.lifetime.as_millis() as Millis) }
    }
}
