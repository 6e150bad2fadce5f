//! The store that several processes share: calls in Redis, each change one Lua script on Redis' own time.
//!
//! **One hash tag for all calls**, `{calls}`. A change touches its call, its conversation, everyone who holds a place, the queue of deadlines, the
//! index of outputs, and histories; a script can only be atomic on one node of a Cluster, and a tag per call would make of each of those a second
//! step that a crash can leave out. A call changes a few dozen times in its life and one node runs tens of thousands of such
//! scripts a second, so what a Cluster would spread is not here. Every script declares its keys; outputs, places and
//! histories are looked up by ranges of names in sorted sets, so that none is found out on the way.
//!
//! **Keys carry no epoch of a store**: calls are no derivation of data that could be restored without them.
//!
//! A unit is a hash with a TTL of a day, at least; deadlines and the first outputs of calls stand in sorted sets, by the time at which
//! they may be leased. A lease moves that time on, and only the change that applies a deadline, or the word that an output was performed, takes it away.
//! What is told to the other processes ([`versions`]) is told inside the script: there is no version that they do not hear of while they listen.
//!
//! What a flushed Redis loses is nowhere the only copy: a call's record goes to the conversation's log by its outputs, live calls and histories are
//! written back by the processes that hold them.
//!
//! Reading order: [`keys`], `lua/change.lua` (create and swap), [`change`], [`outputs`], [`find`], [`history`], [`forget`], [`nodes`] (which process
//! serves which call), [`versions`], [`restore`], [`refuse`].

mod change;
mod find;
mod forget;
mod history;
mod keys;
mod nodes;
mod outputs;
mod refuse;
mod restore;
mod scripts;
#[cfg(test)]
pub(super) mod tests;
mod versions;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use protocol::{CallId, ClientId, ConversationId, Millis, UserId};
use runtime::redis::{FromRedisValue, Lua, Redis, ScriptInvocation, cmd};
use uuid::Uuid;

use super::unit::Unit;
use super::{CallStore, Created, History, OutputKey, Pending, StoreError, Swapped};
use crate::machine::{CallState, Output};
use keys::Keys;
pub(crate) use nodes::LEASE_MS;
pub(crate) use versions::{Told, Versions};

/// Calls in Redis. Clones share everything.
#[derive(Clone)]
pub struct RedisCalls {
    redis: Redis,
    keys: Arc<Keys>,
    /// The process that speaks.
    node: Uuid,
    /// The latest time that Redis told: a failover may turn its clock back.
    latest: Arc<AtomicU64>,
    #[cfg(test)]
    clock: Option<Arc<dyn Fn() -> Millis + Send + Sync>>,
}

impl RedisCalls {
    /// Calls in this Redis; `node` names the process, and is the same after its restart.
    #[must_use]
    pub fn new(redis: Redis, node: Uuid) -> Self {
        Self {
            keys: Arc::new(Keys::new(redis.clone())),
            redis,
            node,
            latest: Arc::default(),
            #[cfg(test)]
            clock: None,
        }
    }

    /// By another clock than Redis' own: tests let time go by at will.
    #[cfg(test)]
    pub(crate) fn with_clock(self, clock: impl Fn() -> Millis + Send + Sync + 'static) -> Self {
        Self { clock: Some(Arc::new(clock)), ..self }
    }

    /// For scripts: nothing, so that they look at Redis' own time.
    fn clock(&self) -> String {
        #[cfg(test)]
        if let Some(clock) = &self.clock {
            return clock().to_string();
        }
        String::new()
    }

    async fn read<T: FromRedisValue>(
        &self,
        lua: &Lua,
        fill: impl FnOnce(&mut ScriptInvocation<'_>),
    ) -> Result<T, StoreError> {
        self.redis.eval(lua, fill).await.map_err(refuse::of_read)
    }

    async fn write<T: FromRedisValue>(
        &self,
        lua: &Lua,
        fill: impl FnOnce(&mut ScriptInvocation<'_>),
    ) -> Result<T, StoreError> {
        self.redis.eval(lua, fill).await.map_err(refuse::of_write)
    }
}

#[async_trait]
impl CallStore for RedisCalls {
    async fn now(&self) -> Result<Millis, StoreError> {
        #[cfg(test)]
        if let Some(clock) = &self.clock {
            return Ok(clock());
        }
        let (seconds, micros): (u64, u64) = self.redis.run("time", &cmd("TIME")).await.map_err(refuse::of_read)?;
        let now = seconds * 1_000 + micros / 1_000;
        Ok(self.latest.fetch_max(now, Ordering::Relaxed).max(now))
    }

    async fn create(&self, call: &CallState, outputs: &[Output]) -> Result<Created, StoreError> {
        self.put_new(&Unit::of(call, outputs)?).await
    }

    async fn load(&self, call: CallId) -> Result<Option<CallState>, StoreError> {
        Ok(self.states(&[call]).await?.pop())
    }

    async fn swap(&self, expected: u64, next: &CallState, outputs: &[Output]) -> Result<Swapped, StoreError> {
        self.put_next(expected, &Unit::of(next, outputs)?).await
    }

    async fn started(&self, user: UserId, client_id: ClientId) -> Result<Option<CallId>, StoreError> {
        self.find_started(user, client_id).await
    }

    async fn live_in(&self, conversation: ConversationId) -> Result<Option<CallId>, StoreError> {
        self.find_live_in(conversation).await
    }

    async fn busy(&self, users: &[UserId], except: Option<CallId>) -> Result<Vec<UserId>, StoreError> {
        self.find_busy(users, except).await
    }

    async fn live(&self, after: Option<CallId>, limit: usize) -> Result<Vec<CallState>, StoreError> {
        self.find_live(after, limit).await
    }

    async fn over_since(&self, since: Millis, limit: usize) -> Result<Vec<CallState>, StoreError> {
        self.find_over(since, limit).await
    }

    async fn next_due(&self) -> Result<Option<Millis>, StoreError> {
        self.first_time(&self.keys.due).await
    }

    async fn claim_due(&self, lease_ms: Millis, limit: usize) -> Result<Vec<CallId>, StoreError> {
        let calls: Vec<String> = self
            .write(&scripts::CLAIM_DUE, |script| {
                script.key(&self.keys.due).arg(self.clock()).arg(lease_ms).arg(limit);
            })
            .await?;
        find::ids(&calls)
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
        self.first_time(&self.keys.queue).await
    }

    async fn history(&self, user: UserId, before: Option<CallId>, limit: usize) -> Result<History, StoreError> {
        self.page(user, before, limit).await
    }

    async fn missed(&self, user: UserId) -> Result<u64, StoreError> {
        self.count_missed(user).await
    }

    async fn seen(&self, user: UserId, call: CallId) -> Result<(), StoreError> {
        self.note_seen(user, call).await
    }

    async fn forget(&self, history_before: Millis, limit: usize) -> Result<usize, StoreError> {
        let now = self.now().await?;
        Ok(self.forget_states(now, limit).await? + self.forget_records(history_before, limit).await?)
    }
}
