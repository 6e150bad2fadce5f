//! `users.find`: profiles by exact handle or by known ids. There is no listing and no search: who is not known is not found.

use std::sync::Arc;

use link::{Actor, Call, Refusal, Reply};
use protocol::ErrorCode;
use protocol::accounts::{FindUsers, Profiles};
use protocol::limits::USERS_PER_REQUEST_MAX;

use crate::account::{rows as accounts, rules};
use crate::desk::living_caller;
use crate::state::State;
use crate::stop::Denial;

/// Serves the command.
pub(crate) async fn find(state: &Arc<State>, call: &Call) -> Result<Reply, Denial> {
    let caller = match call.actor {
        Actor::System => None,
        Actor::User(_) | Actor::Anonymous => Some(call.caller()?),
    };
    let FindUsers { handle, ids } = call.parse()?;
    if handle.is_some() != ids.is_empty() || ids.len() > USERS_PER_REQUEST_MAX {
        let message = format!("name either handle, or ids: at most {USERS_PER_REQUEST_MAX}");
        return Err(Refusal::new(ErrorCode::InvalidRequest, message).into());
    }
    let now = state.clock.now();
    let users = state
        .read("accounts/find", move |store| {
            if let Some(caller) = caller {
                living_caller(store, caller, now)?;
            }
            let mut found = Vec::new();
            // A handle that can't exist is one that nobody has.
            if let Some(handle) = handle.as_deref().and_then(|text| rules::handle(text).ok()) {
                found.extend(accounts::by_handle(store, &handle)?);
            }
            for id in ids {
                found.extend(accounts::by_id(store, id)?);
            }
            Ok(found.into_iter().map(|row| accounts::profile(row.account)).collect())
        })
        .await?;
    Ok(Reply::ok(&Profiles { users }))
}
