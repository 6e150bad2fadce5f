//! A login that is ended loses its legs at once, not only when its socket is found to be gone.

use std::sync::Arc;
use std::time::Duration;

use link::token::REVOCATIONS_EVERY_MS;
use link::{RevocationTail, Revoked, Service};
use protocol::SessionId;
use runtime::lifecycle::Shutdown;
use tokio::time::MissedTickBehavior;

use crate::desk::Desk;
use crate::machine::Input;

/// Follows auth's list until the service stops.
pub(crate) async fn watch(desk: Arc<Desk>, auth: Arc<dyn Service>, shutdown: Shutdown) {
    let mut list = RevocationTail::new(auth);
    let mut turn = tokio::time::interval(Duration::from_millis(REVOCATIONS_EVERY_MS));
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Whose end could not be noted is noted at the next turn.
    let mut ended: Vec<SessionId> = Vec::new();
    loop {
        tokio::select! {
            _ = turn.tick() => {}
            () = list.hinted() => {}
            () = shutdown.stopped() => return,
        }
        list.read(|row| {
            if let Revoked::Session(session) = row.revoked {
                ended.push(session);
            }
        })
        .await;
        let mut waiting = Vec::new();
        for session in ended {
            if !desk.revoke(session).await {
                waiting.push(session);
            }
        }
        ended = waiting;
    }
}

impl Desk {
    /// Answers whether it could be noted everywhere.
    async fn revoke(&self, session: SessionId) -> bool {
        let mut noted = true;
        for call in self.live.of_session(session) {
            if let Err(refusal) = self.change(call, Input::Revoked { session }).await {
                tracing::warn!(%call, %refusal, "the end of a login could not be noted");
                noted = false;
            }
        }
        noted
    }
}
