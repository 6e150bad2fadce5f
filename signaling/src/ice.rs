//! What peer connections need to find each other: a TURN server, with credentials that end.
//!
//! A TURN server answers STUN too, so one list serves both. Credentials are made for one leg and name it: TURN's quotas count by the
//! user, its logs tell the call. They go to joined participants only, and a leg that goes on asks for new ones.

use protocol::calls::{Ice, IceServer};
use protocol::{CallId, Millis, UserId};
use runtime::turn_credentials::TurnAccess;

/// For one leg; nothing where no TURN server is configured.
pub(crate) fn of(turn: Option<&TurnAccess>, call: CallId, user: UserId, epoch: u64, now: Millis) -> Ice {
    let Some(turn) = turn else { return Ice::default() };
    let (made, expires_at_s) = turn.grant(&format!("{user}.{call}.{epoch}"), now / 1_000);
    let server = IceServer { urls: turn.urls.clone(), username: Some(made.username), credential: Some(made.password) };
    Ice { servers: vec![server], expires_at: Some(expires_at_s * 1_000) }
}
