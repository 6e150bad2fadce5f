//! `users.role`, `users.suspend`, `users.unsuspend`, and the rotation of signing keys.
//!
//! An administrator's rights are read from the store at the moment of the change, not from the access token. The last administrator who
//! could log in can be neither demoted nor suspended, also not by themselves: nobody would be left to undo it. The command line can.

use std::sync::Arc;

use link::{Call, Context, Refusal, Reply, Revoked};
use protocol::accounts::{Account, Done, Role, SetRole, Suspend};
use protocol::{ErrorCode, Millis, UserId};

use crate::account::{AccountRow, rows as accounts};
use crate::desk::{self, Desk, Ended, administrator};
use crate::keys::{self, SigningKey};
use crate::state::State;
use crate::stop::{Denial, Stop};

/// Serves `users.role`.
pub(crate) async fn role(state: &Arc<State>, call: &Call) -> Result<Reply, Denial> {
    let SetRole { role } = call.parse()?;
    let (target, actor) = (target(call)?, call.actor);
    state
        .write("accounts/role", &call.context, move |desk| {
            let by = administrator(desk.tx, actor, desk.now)?;
            let row = named(desk, target)?;
            give_role(desk, row, role, by)
        })
        .await?;
    Ok(Reply::ok(&Done {}))
}

/// Serves `users.suspend`.
pub(crate) async fn suspend(state: &Arc<State>, call: &Call) -> Result<Reply, Denial> {
    let Suspend { reason } = call.parse()?;
    let (target, actor) = (target(call)?, call.actor);
    state
        .write("accounts/suspend", &call.context, move |desk| {
            let by = administrator(desk.tx, actor, desk.now)?;
            let row = named(desk, target)?;
            if row.suspended_at.is_some() {
                return Ok(());
            }
            keep_an_admin(desk, &row.account, by)?;
            accounts::set_suspended(desk.tx, target, Some(desk.now))?;
            let reason: String = reason.unwrap_or_default().chars().take(500).collect();
            desk.audit_why("account.suspend", desk::account(target), by, reason)?;
            desk.end_sessions(target, None, Ended::Suspended)?;
            Ok(())
        })
        .await?;
    Ok(Reply::ok(&Done {}))
}

/// Serves `users.unsuspend`.
pub(crate) async fn unsuspend(state: &Arc<State>, call: &Call) -> Result<Reply, Denial> {
    let (target, actor) = (target(call)?, call.actor);
    state
        .write("accounts/unsuspend", &call.context, move |desk| {
            let by = administrator(desk.tx, actor, desk.now)?;
            if named(desk, target)?.suspended_at.is_some() {
                accounts::set_suspended(desk.tx, target, None)?;
                desk.audit("account.unsuspend", desk::account(target), by)?;
            }
            Ok(())
        })
        .await?;
    Ok(Reply::ok(&Done {}))
}

fn target(call: &Call) -> Result<UserId, Refusal> {
    let to = call.to.as_deref().unwrap_or_default();
    to.parse().map_err(|_| Refusal::of(ErrorCode::NotFound))
}

fn named(desk: &Desk<'_>, id: UserId) -> Result<AccountRow, Stop> {
    let row = accounts::by_id(desk.tx, id)?;
    Ok(row.ok_or_else(|| Refusal::of(ErrorCode::NotFound))?)
}

/// Refuses an administrator to take away the last one.
fn keep_an_admin(desk: &Desk<'_>, account: &Account, by: Option<UserId>) -> Result<(), Stop> {
    if by.is_some() && account.role == Role::Admin && !accounts::another_admin(desk.tx, account.id)? {
        let message = "the last administrator stays one: make somebody else an administrator first";
        return Err(Refusal::new(ErrorCode::Conflict, message).into());
    }
    Ok(())
}

/// Gives a role. Access tokens that state the former one are void; the sessions go on.
pub(crate) fn give_role(desk: &Desk<'_>, row: AccountRow, role: Role, by: Option<UserId>) -> Result<(), Stop> {
    let account = row.account;
    if account.role == role {
        return Ok(());
    }
    keep_an_admin(desk, &account, by)?;
    accounts::set_role(desk.tx, account.id, role)?;
    // A token of this very millisecond may state either role.
    desk.revoke(account.id, Revoked::TokensBefore(desk.now + 1))?;
    let change = format!("{} to {}", account.role.as_str(), role.as_str());
    desk.audit_why("account.role", desk::account(account.id), by, change)
}

/// Publishes a new signing key and says from when on it signs.
pub(crate) async fn rotate_keys(state: &Arc<State>) -> Result<(String, Millis), Refusal> {
    state
        .write("signing_keys/rotate", &Context::internal(), |desk| {
            let waiting = keys::load(desk.tx)?.into_iter().find(|key| key.signs_from > desk.now);
            if let Some(key) = waiting {
                let message = format!(
                    "the key {} is published and signs in {} s: rotate again after that",
                    key.kid,
                    (key.signs_from - desk.now).div_ceil(1_000)
                );
                return Err(Refusal::new(ErrorCode::Conflict, message).into());
            }
            let publish_ms = desk.state.config.key_publish_s.saturating_mul(1_000);
            let key = SigningKey::make(desk.now.saturating_add(publish_ms)).map_err(Stop::Fault)?;
            keys::insert(desk.tx, &key, desk.now)?;
            desk.audit("key.rotate", format!("key:{}", key.kid), None)?;
            desk.use_stored_keys()?;
            Ok((key.kid, key.signs_from))
        })
        .await
}

/// Gives a role as the operator, by handle or id.
pub(crate) async fn set_role(state: &Arc<State>, who: String, role: Role) -> Result<(), Refusal> {
    state
        .write("accounts/role", &Context::internal(), move |desk| {
            let by_id = who.parse::<UserId>().ok();
            let row = match by_id {
                Some(id) => accounts::by_id(desk.tx, id)?,
                None => accounts::by_handle(desk.tx, &who.trim().to_lowercase())?,
            };
            let missing = || Refusal::new(ErrorCode::NotFound, format!("there is no account {who}"));
            give_role(desk, row.ok_or_else(missing)?, role, None)
        })
        .await
}
