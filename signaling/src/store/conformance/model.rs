//! The trait in as few words as possible: everything in maps, every question answered by looking at all of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use protocol::calls::{CallRecord, ParticipantStatus};
use protocol::limits::CALL_TTL_MS;
use protocol::{CallId, ClientId, ConversationId, ErrorCode, Millis, UserId};

use super::super::{CallStore, Created, History, OutputKey, Pending, StoreError, Swapped};
use super::{Home, T0};
use crate::machine::{CallState, Output};

#[derive(Default)]
struct Maps {
    now: Millis,
    calls: BTreeMap<CallId, CallState>,
    /// When to look at a call that goes on.
    due: BTreeMap<CallId, Millis>,
    outputs: BTreeMap<OutputKey, Pending>,
    /// When to look at the first output of a call.
    outputs_due: BTreeMap<CallId, Millis>,
    records: BTreeMap<CallId, CallRecord>,
    seen: BTreeMap<UserId, CallId>,
}

/// The model.
#[derive(Default)]
pub(super) struct Model(Mutex<Maps>);

impl Maps {
    fn put(&mut self, call: &CallState, outputs: &[Output]) {
        self.calls.insert(call.id, call.clone());
        match call.deadline() {
            Some(deadline) => self.due.insert(call.id, deadline),
            None => self.due.remove(&call.id),
        };
        if call.status.is_over() {
            self.records.insert(call.id, call.record());
        }
        for (index, output) in (0..).zip(outputs) {
            let key = OutputKey { call: call.id, version: call.version, index };
            let pending = Pending { key, conversation: call.conversation, output: output.clone(), attempts: 0 };
            self.outputs.insert(key, pending);
            self.outputs_due.entry(call.id).or_insert(self.now);
        }
    }

    fn live(&self) -> impl Iterator<Item = &CallState> {
        self.calls.values().filter(|call| !call.status.is_over())
    }

    fn first_output(&self, call: CallId) -> Option<OutputKey> {
        self.outputs.keys().find(|key| key.call == call).copied()
    }

    fn history_of(&self, user: UserId) -> impl Iterator<Item = &CallRecord> {
        self.records.values().rev().filter(move |record| record.participants.iter().any(|part| part.user == user))
    }
}

/// Those whose time has come, what was due first before the rest.
fn due_now(times: &BTreeMap<CallId, Millis>, now: Millis, limit: usize) -> Vec<CallId> {
    let mut due: Vec<_> = times.iter().filter(|(_, due)| **due <= now).map(|(call, due)| (*due, *call)).collect();
    due.sort_unstable();
    due.into_iter().map(|(_, call)| call).take(limit).collect()
}

#[async_trait]
impl CallStore for Model {
    async fn now(&self) -> Result<Millis, StoreError> {
        Ok(self.0.lock().now)
    }

    async fn create(&self, call: &CallState, outputs: &[Output]) -> Result<Created, StoreError> {
        let mut maps = self.0.lock();
        let before = maps.calls.values().find(|other| (other.by, other.client_id) == (call.by, call.client_id));
        if let Some(before) = before {
            return Ok(Created::Before(before.id));
        }
        let taken = maps.live().find(|other| other.conversation == call.conversation).map(|other| other.id);
        match taken.filter(|_| !call.status.is_over()) {
            Some(taken) => Ok(Created::Taken(taken)),
            None => {
                maps.put(call, outputs);
                Ok(Created::Done)
            }
        }
    }

    async fn load(&self, call: CallId) -> Result<Option<CallState>, StoreError> {
        Ok(self.0.lock().calls.get(&call).cloned())
    }

    async fn swap(&self, expected: u64, next: &CallState, outputs: &[Output]) -> Result<Swapped, StoreError> {
        let mut maps = self.0.lock();
        let Some(before) = maps.calls.get(&next.id).filter(|before| before.version == expected) else {
            return Ok(Swapped::Changed);
        };
        if before.status.is_over() || next.version <= before.version {
            return Err(StoreError { code: ErrorCode::Internal, cause: "no version follows".to_owned() });
        }
        maps.put(next, outputs);
        Ok(Swapped::Done)
    }

    async fn started(&self, user: UserId, client_id: ClientId) -> Result<Option<CallId>, StoreError> {
        let maps = self.0.lock();
        Ok(maps.calls.values().find(|call| (call.by, call.client_id) == (user, client_id)).map(|call| call.id))
    }

    async fn live_in(&self, conversation: ConversationId) -> Result<Option<CallId>, StoreError> {
        Ok(self.0.lock().live().find(|call| call.conversation == conversation).map(|call| call.id))
    }

    async fn busy(&self, users: &[UserId], except: Option<CallId>) -> Result<Vec<UserId>, StoreError> {
        let maps = self.0.lock();
        let is_in = |call: &CallState, user: &UserId| call.parts.get(user).is_some_and(|part| part.status.is_in());
        let busy = |user: &&UserId| maps.live().any(|call| Some(call.id) != except && is_in(call, user));
        Ok(users.iter().filter(busy).copied().collect())
    }

    async fn live(&self, after: Option<CallId>, limit: usize) -> Result<Vec<CallState>, StoreError> {
        Ok(self.0.lock().live().filter(|call| Some(call.id) > after).take(limit).cloned().collect())
    }

    async fn over_since(&self, since: Millis, limit: usize) -> Result<Vec<CallState>, StoreError> {
        let maps = self.0.lock();
        let mut over: Vec<_> = maps.calls.values().filter(|call| call.ended_at >= Some(since)).cloned().collect();
        over.sort_by_key(|call| std::cmp::Reverse((call.ended_at, call.id)));
        over.truncate(limit);
        Ok(over)
    }

    async fn next_due(&self) -> Result<Option<Millis>, StoreError> {
        Ok(self.0.lock().due.values().min().copied())
    }

    async fn claim_due(&self, lease_ms: Millis, limit: usize) -> Result<Vec<CallId>, StoreError> {
        let mut maps = self.0.lock();
        let until = maps.now + lease_ms;
        let claimed = due_now(&maps.due, maps.now, limit);
        maps.due.extend(claimed.iter().map(|call| (*call, until)));
        Ok(claimed)
    }

    async fn claim_outputs(&self, lease_ms: Millis, limit: usize) -> Result<Vec<Pending>, StoreError> {
        let mut maps = self.0.lock();
        let until = maps.now + lease_ms;
        let mut claimed = Vec::new();
        for call in due_now(&maps.outputs_due, maps.now, limit) {
            let key = maps.first_output(call).expect("has one");
            let pending = maps.outputs.get_mut(&key).expect("is there");
            claimed.push(pending.clone());
            pending.attempts += 1;
            maps.outputs_due.insert(call, until);
        }
        Ok(claimed)
    }

    async fn performed(&self, key: OutputKey) -> Result<(), StoreError> {
        let mut maps = self.0.lock();
        let first = maps.first_output(key.call);
        maps.outputs.remove(&key);
        let now = maps.now;
        match maps.first_output(key.call) {
            None => maps.outputs_due.remove(&key.call),
            next if next != first => maps.outputs_due.insert(key.call, now),
            _ => None,
        };
        Ok(())
    }

    async fn postpone(&self, key: OutputKey, by_ms: Millis) -> Result<(), StoreError> {
        let mut maps = self.0.lock();
        if maps.first_output(key.call) == Some(key) {
            let until = maps.now + by_ms;
            maps.outputs_due.insert(key.call, until);
        }
        Ok(())
    }

    async fn next_output(&self) -> Result<Option<Millis>, StoreError> {
        Ok(self.0.lock().outputs_due.values().min().copied())
    }

    async fn history(&self, user: UserId, before: Option<CallId>, limit: usize) -> Result<History, StoreError> {
        let maps = self.0.lock();
        let all: Vec<_> =
            maps.history_of(user).filter(|record| before.is_none_or(|before| record.call < before)).collect();
        Ok(History { more: all.len() > limit, records: all.into_iter().take(limit).cloned().collect() })
    }

    async fn missed(&self, user: UserId) -> Result<u64, StoreError> {
        let maps = self.0.lock();
        let missed = |record: &&CallRecord| {
            let part = record.participants.iter().find(|part| part.user == user);
            record.by != user && part.is_some_and(|part| part.status == ParticipantStatus::Missed)
        };
        let unseen = |record: &&CallRecord| maps.seen.get(&user).is_none_or(|seen| record.call > *seen);
        Ok(maps.history_of(user).filter(missed).filter(unseen).count() as u64)
    }

    async fn seen(&self, user: UserId, call: CallId) -> Result<(), StoreError> {
        let mut maps = self.0.lock();
        let seen = maps.seen.entry(user).or_insert(call);
        *seen = call.max(*seen);
        Ok(())
    }

    async fn forget(&self, history_before: Millis, limit: usize) -> Result<usize, StoreError> {
        let mut maps = self.0.lock();
        let now = maps.now;
        let mut states: Vec<_> = maps
            .calls
            .values()
            .filter_map(|call| call.ended_at.filter(|ended| ended + CALL_TTL_MS <= now).map(|ended| (ended, call.id)))
            .collect();
        let mut records: Vec<_> = maps
            .records
            .values()
            .filter(|record| record.ended_at < history_before)
            .map(|record| (record.ended_at, record.call))
            .collect();
        states.sort_unstable();
        records.sort_unstable();
        states.truncate(limit);
        records.truncate(limit);
        states.iter().for_each(|(_, call)| drop(maps.calls.remove(call)));
        records.iter().for_each(|(_, call)| drop(maps.records.remove(call)));
        Ok(states.len() + records.len())
    }
}

/// The model as a store that the sentences are held to. A restart is nothing to it.
#[derive(Clone)]
pub(super) struct InMemory(Arc<Model>);

impl Home for InMemory {
    type Store = Model;

    async fn new() -> Self {
        let model = Model::default();
        model.0.lock().now = T0;
        Self(Arc::new(model))
    }

    fn store(&self) -> &Model {
        &self.0
    }

    fn advance(&self, ms: Millis) {
        self.0.0.lock().now += ms;
    }

    async fn reopen(self) -> Self {
        self
    }
}
