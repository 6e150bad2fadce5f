//! `me.password`: the present password for a new one; all other sessions end.

use std::sync::Arc;

use link::{Call, Refusal, Reply};
use protocol::ErrorCode;
use protocol::accounts::{ChangePassword, Done};
use secrecy::SecretString;

use super::login::audit_locks;
use crate::account::rows as accounts;
use crate::desk::{self, Ended, living_caller};
use crate::lockout::Guard;
use crate::password::{self, Verified};
use crate::state::State;
use crate::stop::{Denial, Verdict};

/// Serves the command.
pub(crate) async fn change(state: &Arc<State>, call: &Call) -> Result<Reply, Denial> {
    let caller = call.caller()?;
    let body: ChangePassword = call.parse()?;
    let guard = Guard::of_session(&state.secret, &state.config.lockout, caller.session);
    let (asked, now) = (guard.clone(), state.clock.now());
    let row = state
        .read("accounts/password", move |store| {
            living_caller(store, caller, now)?;
            asked.check(store, now)??;
            let row = accounts::by_id(store, caller.user)?;
            Ok(row.ok_or_else(|| Refusal::of(ErrorCode::TokenRevoked))?)
        })
        .await?;
    password::check(&body.new, &row.account.handle)?;
    if body.new == body.current {
        let message = "new: is the present password, choose another one";
        return Err(Refusal::new(ErrorCode::WeakPassword, message).into());
    }
    let current = SecretString::from(body.current);
    let verified = state.hasher.verify(current, row.password.clone()).await?;
    if verified == Verified::Wrong {
        return Err(wrong(state, call, guard, caller.user).await?);
    }
    let phc = state.hasher.hash(SecretString::from(body.new)).await?;
    let verdict: Verdict<()> = state
        .write("accounts/password", &call.context, move |desk| {
            living_caller(desk.tx, caller, desk.now)?;
            guard.check(desk.tx, desk.now)??;
            let present = accounts::by_id(desk.tx, caller.user)?;
            if present.is_none_or(|present| present.password != row.password) {
                return Err(Refusal::of(ErrorCode::InvalidCredentials).into());
            }
            guard.succeeded(desk.tx)?;
            accounts::set_password(desk.tx, caller.user, &phc, desk.now)?;
            desk.audit("account.password", desk::account(caller.user), Some(caller.user))?;
            desk.end_sessions(caller.user, Some(caller.session), Ended::PasswordChanged)?;
            Ok(Ok(()))
        })
        .await?;
    verdict?;
    Ok(Reply::ok(&Done {}))
}

async fn wrong(state: &Arc<State>, call: &Call, guard: Guard, user: protocol::UserId) -> Result<Denial, Refusal> {
    state
        .write("tallies/fail", &call.context, move |desk| {
            let locks = guard.failed(desk.tx, desk.now)?;
            audit_locks(desk, locks, Some(user))?;
            let refusal = Refusal::new(ErrorCode::InvalidCredentials, "current: is not the present password");
            Ok(Denial::about(Some(user), refusal))
        })
        .await
}
