//! `sessions.list` and `sessions.revoke`.

use std::sync::Arc;

use link::{Call, CookieChange, Refusal, Reply};
use protocol::ErrorCode;
use protocol::accounts::{Done, RevokeSession, Sessions};

use crate::desk::{Ended, living_caller};
use crate::session::rows;
use crate::state::State;
use crate::stop::Denial;

/// Serves `sessions.list`.
pub(crate) async fn list(state: &Arc<State>, call: &Call) -> Result<Reply, Denial> {
    let (caller, now) = (call.caller()?, state.clock.now());
    let sessions = state
        .read("sessions/list", move |store| {
            living_caller(store, caller, now)?;
            let living = rows::living(store, caller.user, now)?;
            let shown = living.into_iter().map(|session| session.shown_to(caller.session));
            Ok(shown.collect())
        })
        .await?;
    Ok(Reply::ok(&Sessions { sessions }))
}

/// Serves `sessions.revoke`.
pub(crate) async fn revoke(state: &Arc<State>, call: &Call) -> Result<Reply, Denial> {
    let caller = call.caller()?;
    let body: RevokeSession = call.parse()?;
    state
        .write("sessions/revoke", &call.context, move |desk| {
            living_caller(desk.tx, caller, desk.now)?;
            // Another's session answers like one that doesn't exist.
            let session = rows::by_id(desk.tx, body.session)?
                .filter(|session| session.account == caller.user && session.lives(desk.now))
                .ok_or_else(|| Refusal::of(ErrorCode::NotFound))?;
            desk.end_session(&session, Ended::RevokedByOwner)
        })
        .await?;
    let mut reply = Reply::ok(&Done {});
    if body.session == caller.session && call.cookie.is_some() {
        reply.cookie = CookieChange::Clear;
    }
    Ok(reply)
}
