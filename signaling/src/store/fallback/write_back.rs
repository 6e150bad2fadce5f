//! Redis is back, or was emptied: what this process holds and Redis does not know is written there.
//!
//! First beside everything else, then once more, while nobody asks, what has changed meanwhile. A call that was not changed here is only
//! told to a Redis that has lost it: whoever knows an older version has nothing to say.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use protocol::limits::CALL_TTL_MS;
use protocol::{CallId, Millis};

use super::super::{CallStore, Created, StoreError, Swapped};
use super::{Mode, SharedCalls};
use crate::machine::{CallState, Machine, Output};

/// Calls that are read at once.
const PAGE: usize = 500;
/// So often a call that others change at the same time is merged anew.
const TRIES: usize = 16;
/// Calls that are over and were kept here, the latest; what is older stands in the conversations' logs.
const OVER_MAX: usize = 10_000;

impl SharedCalls {
    /// Writes everything back, and makes Redis the store again. Answers the calls that stand otherwise than they did here.
    pub(crate) async fn write_back(&self) -> Result<Vec<CallState>, StoreError> {
        let _settling = self.redis.redis().settling();
        let mut known = HashMap::new();
        let mut changed = self.write_back_newer(&mut known).await?;
        let mut mode = self.mode.write().await;
        changed.extend(self.write_back_newer(&mut known).await?);
        let served: Vec<CallId> = {
            let mut served = self.served.lock();
            served.retain(|call| self.live.get(*call).is_some());
            served.iter().copied().collect()
        };
        for call in served {
            self.redis.serve(call).await?;
        }
        let seen: Vec<_> = self.seen.lock().iter().map(|(user, call)| (*user, *call)).collect();
        for (user, call) in seen {
            self.redis.seen(user, call).await?;
        }
        self.seen.lock().clear();
        self.changed.lock().clear();
        self.others.start_anew();
        self.local.keep_live(HashSet::new()).await?;
        if matches!(*mode, Mode::Local { .. }) {
            tracing::info!(calls = known.len(), "Redis is back: calls were written back");
        }
        *mode = Mode::Shared;
        Ok(changed)
    }

    /// What is not known to be written back in this version.
    async fn write_back_newer(&self, known: &mut HashMap<CallId, u64>) -> Result<Vec<CallState>, StoreError> {
        let since: Millis = self.redis.now().await?.saturating_sub(CALL_TTL_MS);
        // What is over comes first: Redis may still take it for live, and another call may have its conversation by now.
        let over = self.local.over_since(since, OVER_MAX).await?;
        let mut held: Vec<_> = over.into_iter().map(Arc::new).chain(self.live.all()).collect();
        held.retain(|call| known.get(&call.id).is_none_or(|version| *version < call.version));
        let mut changed = Vec::new();
        for page in held.chunks(PAGE) {
            // Most are there as they are here: read at once, they cost a start less than its lease.
            let ids: Vec<CallId> = page.iter().map(|call| call.id).collect();
            let there = self.redis.states(&ids).await?;
            let there: HashMap<CallId, CallState> = there.into_iter().map(|call| (call.id, call)).collect();
            for call in page {
                let newer = there.get(&call.id).filter(|there| there.version >= call.version);
                let stands = match newer.filter(|_| !self.changed.lock().contains(&call.id)) {
                    Some(there) => there.clone(),
                    None => self.write_back_one(call).await?,
                };
                known.insert(call.id, stands.version.max(call.version));
                if stands != **call {
                    changed.push(stands);
                }
            }
        }
        Ok(changed)
    }

    /// Writes one call back; answers how it stands.
    pub(super) async fn write_back_one(&self, held: &CallState) -> Result<CallState, StoreError> {
        let changed_here = self.changed.lock().contains(&held.id);
        for _ in 0..TRIES {
            let Some(there) = self.redis.load(held.id).await? else {
                match self.redis.create(held, &owed(held)).await? {
                    Created::Done => return Ok(held.clone()),
                    Created::Before(other) | Created::Taken(other) if other == held.id => continue,
                    Created::Taken(other) if self.is_rolled_back(other).await? => continue,
                    // The conversation has another call by now: this one is over.
                    Created::Before(_) | Created::Taken(_) => return self.give_way(held).await,
                }
            };
            if there.version >= held.version && !changed_here {
                return Ok(there);
            }
            // What was not changed here was in Redis once: a newer version than there is what a failover has rolled back, and nothing to merge.
            let is_rolled_back = !changed_here && !there.status.is_over();
            let merged = if is_rolled_back { held.clone() } else { CallState::merge(&there, held) };
            if merged == there || there.status.is_over() {
                return Ok(there);
            }
            if self.redis.swap(there.version, &merged, &owed(&merged)).await? == Swapped::Done {
                if merged.status.is_over() {
                    self.keep(&merged).await;
                }
                return Ok(merged);
            }
        }
        Err(StoreError { code: protocol::ErrorCode::Overloaded, cause: "a call changes all the time".to_owned() })
    }

    /// Whether a call is known here to be over that goes on in Redis; then Redis is told.
    async fn is_rolled_back(&self, other: CallId) -> Result<bool, StoreError> {
        let there = self.redis.load(other).await?;
        let known = self.newer_than(there.as_ref(), other).await?.filter(|known| known.status.is_over());
        match known {
            Some(over) => Ok(Box::pin(self.write_back_one(&over)).await?.status.is_over()),
            None => Ok(false),
        }
    }

    /// Of two calls that were started in a conversation by processes that did not see each other one goes on.
    async fn give_way(&self, held: &CallState) -> Result<CallState, StoreError> {
        let (over, outputs) = Machine::give_way(held, self.redis.now().await?);
        self.redis.create(&over, &outputs).await?;
        self.keep(&over).await;
        Ok(over)
    }
}

/// The record of a call that is over may not have been written: chat takes it as the same one.
fn owed(call: &CallState) -> Vec<Output> {
    match call.status.is_over() {
        true => vec![Output::Record { record: call.record() }],
        false => Vec::new(),
    }
}
