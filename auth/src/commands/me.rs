//! `me.get` and `me.update`.

use std::sync::Arc;

use link::{Call, Refusal, Reply};
use protocol::ErrorCode;
use protocol::accounts::UpdateAccount;

use crate::account::{rows as accounts, rules};
use crate::desk::{self, living_caller};
use crate::state::State;
use crate::stop::Denial;

/// Serves `me.get`.
pub(crate) async fn get(state: &Arc<State>, call: &Call) -> Result<Reply, Denial> {
    let (caller, now) = (call.caller()?, state.clock.now());
    let account = state
        .read("accounts/me", move |store| {
            living_caller(store, caller, now)?;
            let row = accounts::by_id(store, caller.user)?;
            Ok(row.ok_or_else(|| Refusal::of(ErrorCode::TokenRevoked))?.account)
        })
        .await?;
    Ok(Reply::ok(&account))
}

/// Serves `me.update`.
pub(crate) async fn update(state: &Arc<State>, call: &Call) -> Result<Reply, Denial> {
    let caller = call.caller()?;
    let body: UpdateAccount = call.parse()?;
    let handle = body.handle.as_deref().map(rules::handle).transpose()?;
    let name = body.name.as_deref().map(rules::name).transpose()?;
    let avatar = body.avatar.as_deref().map(rules::avatar).transpose()?;
    let account = state
        .write("accounts/update", &call.context, move |desk| {
            living_caller(desk.tx, caller, desk.now)?;
            let row = accounts::by_id(desk.tx, caller.user)?;
            let before = row.ok_or_else(|| Refusal::of(ErrorCode::TokenRevoked))?.account;
            let mut account = before.clone();
            account.handle = handle.unwrap_or(account.handle);
            account.name = name.unwrap_or(account.name);
            account.avatar = avatar.unwrap_or(account.avatar);
            if account == before {
                return Ok(account);
            }
            if !accounts::update(desk.tx, &account)? {
                let message = "handle: another account has it, choose another one";
                return Err(Refusal::new(ErrorCode::HandleTaken, message).into());
            }
            desk.audit("account.update", desk::account(account.id), Some(account.id))?;
            Ok(account)
        })
        .await?;
    Ok(Reply::ok(&account))
}
