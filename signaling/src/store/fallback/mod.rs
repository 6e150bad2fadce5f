//! Calls that several processes share, and that go on when what they share is gone.
//!
//! While Redis answers it is the store, and this process only keeps what a flushed or rolled back Redis would have lost: live calls in
//! memory ([`Live`], which every process has anyway), and those that are over in its own file, with everyone's history. When Redis is gone, the live calls
//! are written into that file and go on there: new ones may start, versions grow, deadlines fire, and the other processes are told over the link
//! ([`others`]). Each process has all calls, so of what happens by
//! itself only that of the calls that it *serves* is its to decide; else two would tell devices different things under newer and newer numbers.
//!
//! When Redis is back what was held is written back ([`write_back`]): what Redis does not know, and what both know by the rule of the machine,
//! `CallState::merge`. Outputs of versions that were made meanwhile stay in the file, under their keys, until they were performed; a record that may not have been
//! written is owed once more, which chat takes as the same one.
//!
//! With `redis.fallback = false` nothing goes on by itself: what needs Redis is refused as `unavailable`, and only what Redis has lost is written back.

mod ask;
mod others;
mod outputs;
mod restore;
mod serving;
#[cfg(test)]
mod tests;
mod write_back;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use protocol::{CallId, ClientId, ConversationId, Millis, UserId};
use runtime::redis::Settling;
use tokio::sync::RwLock;

use super::{CallStore, Created, History, OutputKey, Pending, RedisCalls, SqliteCalls, StoreError, Swapped};
use crate::desk::Live;
use crate::machine::{CallState, Output};
use ask::ask;
pub(crate) use others::Others;

/// Calls that are written into the file at once.
const PUT_MAX: usize = 500;

/// Calls in Redis, and in the service's own file while there is none.
pub(crate) struct SharedCalls {
    redis: RedisCalls,
    local: SqliteCalls,
    live: Arc<Live>,
    others: Others,
    /// Held for reading by whoever asks, so that nobody's answer is on its way while the store changes.
    mode: RwLock<Mode>,
    /// The calls whose legs this process serves.
    served: Mutex<HashSet<CallId>>,
    /// What was changed here while Redis was gone.
    changed: Mutex<HashSet<CallId>>,
    /// Up to which calls users have seen their histories meanwhile.
    seen: Mutex<HashMap<UserId, CallId>>,
    /// Outputs in the file are to be performed.
    owes: AtomicBool,
    /// All live calls were read once.
    has_read: AtomicBool,
}

enum Mode {
    /// Redis is the store.
    Shared,
    /// The file is, until everything is written back.
    Local {
        /// Says so to whoever looks at the metrics.
        _settling: Settling,
    },
}

impl SharedCalls {
    /// Calls in this Redis, or in this file; `live` is where the desk keeps live calls.
    #[must_use]
    pub(crate) fn new(redis: RedisCalls, local: SqliteCalls, live: Arc<Live>, others: Others) -> Self {
        Self {
            redis,
            local,
            live,
            others,
            mode: RwLock::new(Mode::Shared),
            served: Mutex::default(),
            changed: Mutex::default(),
            seen: Mutex::default(),
            owes: AtomicBool::new(true),
            has_read: AtomicBool::new(false),
        }
    }

    /// What is asked of Redis alone: leases of processes, and versions as others write them.
    pub(crate) fn redis(&self) -> &RedisCalls {
        &self.redis
    }

    /// What went on here when the process ended: Redis was gone then. Answers which calls; their legs have to come back.
    pub(crate) async fn find_again(&self) -> Result<Vec<CallId>, StoreError> {
        let calls = self.local.live(None, usize::MAX >> 1).await?;
        for call in &calls {
            self.live.put(&Arc::new(call.clone()));
            self.took_over(call.id);
            self.changed.lock().insert(call.id);
        }
        Ok(calls.iter().map(|call| call.id).collect())
    }

    /// A version was told or read: one that is over is kept for the history.
    pub(crate) async fn heard_version(&self, call: &CallState) {
        if call.status.is_over() {
            self.keep(call).await;
        }
    }

    /// Keeps a call that is over.
    async fn keep(&self, call: &CallState) {
        self.served.lock().remove(&call.id);
        // Redis has it: only what a flushed one would have lost is missing then.
        if let Err(error) = self.local.put([call]).await {
            tracing::warn!(call = %call.id, %error, "a call that is over was not kept");
        }
    }

    /// Goes on with the file. Nobody else asks meanwhile.
    pub(crate) async fn fall_back(&self) -> Result<(), StoreError> {
        let mut mode = self.mode.write().await;
        if matches!(*mode, Mode::Local { .. }) || self.redis.redis().standing().is_up() {
            return Ok(());
        }
        let calls = self.live.all();
        self.local.keep_live(calls.iter().map(|call| call.id).collect()).await?;
        for some in calls.chunks(PUT_MAX) {
            self.local.put(some.iter().map(Arc::as_ref)).await?;
        }
        self.owes.store(true, Ordering::Relaxed);
        *mode = Mode::Local { _settling: self.redis.redis().settling() };
        tracing::warn!(calls = calls.len(), "Redis is gone: calls go on in this process");
        Ok(())
    }

    /// A version was written here or there: memory has it before anybody can ask for what is written.
    async fn written(&self, call: &CallState, shared: bool) {
        self.live.put(&Arc::new(call.clone()));
        if call.status.is_over() {
            self.served.lock().remove(&call.id);
        }
        match shared {
            true if call.status.is_over() => self.keep(call).await,
            true => {}
            false => {
                self.changed.lock().insert(call.id);
                self.tell_others(call).await;
            }
        }
    }

    /// The call as this process has it, where Redis does not know it or knows an older version: it was emptied or rolled back, and is told
    /// again before anything is judged by it.
    async fn put_back(&self, found: Option<CallState>, call: CallId) -> Result<Option<CallState>, StoreError> {
        match self.newer_than(found.as_ref(), call).await? {
            Some(held) => Ok(Some(self.write_back_one(&held).await?)),
            None => Ok(found),
        }
    }

    async fn newer_than(&self, found: Option<&CallState>, call: CallId) -> Result<Option<Arc<CallState>>, StoreError> {
        let version = found.map_or(0, |found| found.version);
        if let Some(held) = self.live.get(call).filter(|held| held.version > version) {
            return Ok(Some(held));
        }
        match self.live.was_over_at(call) > version {
            true => Ok(self.local.load(call).await?.map(Arc::new)),
            false => Ok(None),
        }
    }
}

#[async_trait]
impl CallStore for SharedCalls {
    async fn now(&self) -> Result<Millis, StoreError> {
        ask!(self, |store, _| store.now())
    }

    async fn create(&self, call: &CallState, outputs: &[Output]) -> Result<Created, StoreError> {
        let create = async |store: &dyn CallStore, shared: bool| {
            let created = store.create(call, outputs).await?;
            if created == Created::Done {
                self.written(call, shared).await;
                self.took_over(call.id);
            }
            Ok(created)
        };
        ask!(self, |store, shared| create(store, shared))
    }

    async fn load(&self, call: CallId) -> Result<Option<CallState>, StoreError> {
        let load = async |store: &dyn CallStore, shared: bool| {
            let found = store.load(call).await?;
            if shared { self.put_back(found, call).await } else { Ok(found) }
        };
        ask!(self, |store, shared| load(store, shared))
    }

    async fn swap(&self, expected: u64, next: &CallState, outputs: &[Output]) -> Result<Swapped, StoreError> {
        let swap = async |store: &dyn CallStore, shared: bool| {
            let swapped = store.swap(expected, next, outputs).await?;
            if swapped == Swapped::Done {
                self.written(next, shared).await;
            }
            Ok(swapped)
        };
        ask!(self, |store, shared| swap(store, shared))
    }

    async fn started(&self, user: UserId, client_id: ClientId) -> Result<Option<CallId>, StoreError> {
        ask!(self, |store, _| store.started(user, client_id))
    }

    async fn live_in(&self, conversation: ConversationId) -> Result<Option<CallId>, StoreError> {
        let found = ask!(self, |store, _| store.live_in(conversation));
        match self.live.in_conversation(conversation).filter(|_| found == Ok(None)) {
            // An emptied Redis knows it again once it was asked for by its id.
            Some(call) => Ok(self.load(call).await?.filter(|call| !call.status.is_over()).map(|call| call.id)),
            None => found,
        }
    }

    async fn busy(&self, users: &[UserId], except: Option<CallId>) -> Result<Vec<UserId>, StoreError> {
        ask!(self, |store, _| store.busy(users, except))
    }

    async fn live(&self, after: Option<CallId>, limit: usize) -> Result<Vec<CallState>, StoreError> {
        ask!(self, |store, _| store.live(after, limit))
    }

    async fn over_since(&self, since: Millis, limit: usize) -> Result<Vec<CallState>, StoreError> {
        ask!(self, |store, _| store.over_since(since, limit))
    }

    async fn next_due(&self) -> Result<Option<Millis>, StoreError> {
        ask!(self, |store, _| store.next_due())
    }

    async fn claim_due(&self, lease_ms: Millis, limit: usize) -> Result<Vec<CallId>, StoreError> {
        let claim = async |store: &dyn CallStore, shared: bool| {
            let mut calls = store.claim_due(lease_ms, limit).await?;
            let served = self.served.lock();
            calls.retain(|call| shared || served.contains(call));
            Ok(calls)
        };
        ask!(self, |store, shared| claim(store, shared))
    }

    async fn claim_outputs(&self, lease_ms: Millis, limit: usize) -> Result<Vec<Pending>, StoreError> {
        self.lease_outputs(lease_ms, limit).await
    }

    async fn performed(&self, key: OutputKey) -> Result<(), StoreError> {
        self.take_output(key).await
    }

    async fn postpone(&self, key: OutputKey, by_ms: Millis) -> Result<(), StoreError> {
        self.delay_output(key, by_ms).await
    }

    async fn next_output(&self) -> Result<Option<Millis>, StoreError> {
        self.first_output().await
    }

    async fn history(&self, user: UserId, before: Option<CallId>, limit: usize) -> Result<History, StoreError> {
        ask!(self, |store, _| store.history(user, before, limit))
    }

    async fn missed(&self, user: UserId) -> Result<u64, StoreError> {
        ask!(self, |store, _| store.missed(user))
    }

    async fn seen(&self, user: UserId, call: CallId) -> Result<(), StoreError> {
        let seen = async |store: &dyn CallStore, shared: bool| {
            store.seen(user, call).await?;
            if shared {
                // An emptied Redis is told of it.
                return self.local.seen(user, call).await;
            }
            let mut seen = self.seen.lock();
            let latest = seen.entry(user).or_insert(call);
            *latest = call.max(*latest);
            Ok(())
        };
        ask!(self, |store, shared| seen(store, shared))
    }

    async fn forget(&self, history_before: Millis, limit: usize) -> Result<usize, StoreError> {
        let forget = async |store: &dyn CallStore, shared: bool| {
            let forgotten = store.forget(history_before, limit).await?;
            if shared {
                self.local.forget(history_before, limit).await?;
            }
            Ok(forgotten)
        };
        ask!(self, |store, shared| forget(store, shared))
    }
}
