//! Whether users exist: asked of the auth service before a transaction, never inside one.

use std::collections::HashSet;

use link::{Call, Refusal};
use protocol::UserId;
use protocol::accounts::{FindUsers, Profiles};
use protocol::limits::USERS_PER_REQUEST_MAX;

use crate::shared::Shared;

/// Those of these users who have no account.
pub(crate) async fn unknown(shared: &Shared, users: &[UserId]) -> Result<Vec<UserId>, Refusal> {
    let mut known = HashSet::new();
    for ids in users.chunks(USERS_PER_REQUEST_MAX) {
        let question = FindUsers { handle: None, ids: ids.to_vec() };
        let reply = shared.auth.execute(Call::internal("users.find", None, &question)?).await;
        known.extend(reply.parse::<Profiles>()?.users.iter().map(|profile| profile.id));
    }
    Ok(users.iter().filter(|user| !known.contains(user)).copied().collect())
}
