//! The calls that are over, and what was missed.

use link::Refusal;
use protocol::accounts::Done;
use protocol::calls::{Calls, ListCalls, SeenCalls};
use protocol::limits::PAGE_MAX;

use super::Command;
use crate::refuse;

/// The page where no limit is named.
const PAGE_DEFAULT: usize = 50;

impl Command<'_> {
    pub(super) async fn list(self) -> Result<Calls, Refusal> {
        let request: ListCalls = self.call.parse()?;
        let limit = match request.limit.map(|limit| limit as usize) {
            None => PAGE_DEFAULT,
            Some(limit) if (1..=PAGE_MAX).contains(&limit) => limit,
            Some(_) => return Err(refuse::invalid(format!("limit: 1 to {PAGE_MAX}"))),
        };
        let (store, user) = (&self.desk.store, self.caller.user);
        let history = store.history(user, request.before, limit).await.map_err(refuse::of_store)?;
        let missed = store.missed(user).await.map_err(refuse::of_store)?;
        Ok(Calls { calls: history.records, more: history.more, missed })
    }

    pub(super) async fn seen(self) -> Result<Done, Refusal> {
        let SeenCalls { call } = self.call.parse()?;
        let (store, user) = (&self.desk.store, self.caller.user);
        // An id is the client's own word: nobody has seen what is not in their history yet.
        let latest = store.history(user, None, 1).await.map_err(refuse::of_store)?.records.pop();
        if let Some(latest) = latest {
            store.seen(user, call.min(latest.call)).await.map_err(refuse::of_store)?;
        }
        self.desk.tell_index(self.caller.user).await;
        Ok(Done::default())
    }
}
