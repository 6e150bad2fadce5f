//! `auth.logout` and `auth.logout_all`.
//!
//! Logging out is never refused for want of a fresh token: any genuine refresh token of the session will do, also an old one, and who has
//! none that still means anything is logged out already.

use std::sync::Arc;

use link::{Actor, Call, CookieChange, Refusal, Reply};
use protocol::accounts::{Done, RefreshToken as Body};
use protocol::{ErrorCode, SessionId, UserId};

use crate::desk::{Ended, living_caller};
use crate::session::{RefreshToken, rows as sessions};
use crate::state::State;
use crate::stop::Denial;

/// Serves `auth.logout`.
pub(crate) async fn logout(state: &Arc<State>, call: &Call) -> Result<Reply, Denial> {
    let body: Body = call.parse()?;
    let mut targets: Vec<(SessionId, Option<UserId>)> = Vec::new();
    if let Some(text) = body.refresh_token.as_deref() {
        // Who names a token means that session and no other.
        let token =
            RefreshToken::open(text, &state.secret).ok_or_else(|| Refusal::of(ErrorCode::RefreshTokenInvalid))?;
        targets.push((token.session, None));
    } else {
        let cookie = call.cookie.as_deref();
        let token = cookie.and_then(|text| RefreshToken::open(text, &state.secret));
        targets.extend(token.map(|token| (token.session, None)));
        if let Actor::User(caller) = call.actor {
            targets.push((caller.session, Some(caller.user)));
        }
        if targets.is_empty() && cookie.is_none() {
            return Err(Refusal::of(ErrorCode::Unauthenticated).into());
        }
    }
    state
        .write("sessions/logout", &call.context, move |desk| {
            for (id, owner) in targets {
                let Some(session) = sessions::by_id(desk.tx, id)? else {
                    continue;
                };
                let owned = owner.is_none_or(|owner| owner == session.account);
                if owned && session.ended_at.is_none() {
                    desk.end_session(&session, Ended::LoggedOut)?;
                    desk.count("auth_logout_total");
                }
            }
            Ok(())
        })
        .await?;
    Ok(done(call))
}

/// Serves `auth.logout_all`.
pub(crate) async fn logout_all(state: &Arc<State>, call: &Call) -> Result<Reply, Denial> {
    let caller = call.caller()?;
    state
        .write("sessions/logout_all", &call.context, move |desk| {
            living_caller(desk.tx, caller, desk.now)?;
            desk.end_sessions(caller.user, None, Ended::LoggedOutEverywhere)?;
            desk.count("auth_logout_total");
            Ok(())
        })
        .await?;
    Ok(done(call))
}

fn done(call: &Call) -> Reply {
    let mut reply = Reply::ok(&Done {});
    if call.cookie.is_some() {
        reply.cookie = CookieChange::Clear;
    }
    reply
}
