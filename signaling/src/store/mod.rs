//! Where calls are kept: one unit per call, changed by compare-and-set.
//!
//! A unit is the call's state with its deadline and the outputs that its versions caused and that are still to be performed. A swap writes
//! all three at once or nothing. Deadlines and outputs are *leased* to whoever works on them: a lease that runs out gives the work to
//! the next one, and only the swap that applies a deadline, or the word that an output was performed, takes it away. So a worker
//! that dies between any two steps loses nothing, and everything happens at least once, under a key by which it is recognised.
//!
//! Two implementations stand behind the trait: SQLite in the embedded default, Redis where several processes share calls; a third one puts the first
//! in the second's place while that is gone. `conformance` holds each of them to the same sentences.

mod fallback;
mod redis;
mod sqlite;
mod unit;

#[cfg(test)]
mod conformance;

use async_trait::async_trait;
use protocol::calls::CallRecord;
use protocol::{CallId, ClientId, ConversationId, ErrorCode, Millis, UserId};

use crate::machine::{CallState, Output};

pub(crate) use fallback::{Others, SharedCalls};
pub use redis::RedisCalls;
#[cfg(test)]
pub(crate) use redis::tests::{connect, connect_with};
pub(crate) use redis::{LEASE_MS, Told, Versions};
pub use sqlite::{SqliteCalls, migrations, store_options};

/// Why the store could not answer; nothing was changed, unless the code says that the outcome is unknown.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}: {cause}", code.as_str())]
pub struct StoreError {
    /// For the client: `unavailable`, `overloaded`, `outcome_unknown`, `timeout` or `internal`.
    pub code: ErrorCode,
    /// For the log.
    pub cause: String,
}

impl StoreError {
    fn of_json(error: &serde_json::Error) -> Self {
        Self { code: ErrorCode::Internal, cause: error.to_string() }
    }
}

/// What became of a new call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Created {
    /// It is there.
    Done,
    /// The same user has started this call with the same client id before.
    Before(CallId),
    /// Another call is live in the conversation.
    Taken(CallId),
}

/// What became of a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Swapped {
    /// The new version is there, with its deadline and outputs.
    Done,
    /// Another version is there, or none: read it and judge again.
    Changed,
}

/// Names an output for good: a consumer that sees it twice knows it by this.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OutputKey {
    /// The call.
    pub call: CallId,
    /// The version that caused it.
    pub version: u64,
    /// Which of that version's outputs.
    pub index: u32,
}

/// An output that is to be performed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pending {
    /// Its name.
    pub key: OutputKey,
    /// Where the call belongs.
    pub conversation: ConversationId,
    /// What is to be done.
    pub output: Output,
    /// How often it was leased before.
    pub attempts: u32,
}

/// A page of a user's history.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct History {
    /// The latest first (by the call's id, which begins with the time of its start).
    pub records: Vec<CallRecord>,
    /// Whether there are more.
    pub more: bool,
}

/// The store of calls.
#[async_trait]
pub trait CallStore: Send + Sync + 'static {
    /// The store's own time, by which its leases and deadlines run.
    async fn now(&self) -> Result<Millis, StoreError>;

    /// Keeps a new call with its outputs, unless its client id was used by the same user before, or one is live in its conversation. A
    /// call that is over from the start takes nobody's place, is in nobody's way, and enters everyone's history.
    async fn create(&self, call: &CallState, outputs: &[Output]) -> Result<Created, StoreError>;

    /// A call, until it is over for a day.
    async fn load(&self, call: CallId) -> Result<Option<CallState>, StoreError>;

    /// Replaces the version `expected` by the next one, with its deadline (whose lease ends, if it is leased) and its outputs. A call that
    /// is over frees its conversation and enters everyone's history. A version that is not higher, or follows the last one, is a mistake
    /// and is refused.
    async fn swap(&self, expected: u64, next: &CallState, outputs: &[Output]) -> Result<Swapped, StoreError>;

    /// The call that a user started with this client id.
    async fn started(&self, user: UserId, client_id: ClientId) -> Result<Option<CallId>, StoreError>;

    /// The live call of a conversation.
    async fn live_in(&self, conversation: ConversationId) -> Result<Option<CallId>, StoreError>;

    /// Those of these users who hold a place in a live call other than `except`.
    async fn busy(&self, users: &[UserId], except: Option<CallId>) -> Result<Vec<UserId>, StoreError>;

    /// Live calls by id, after one, at most `limit`.
    async fn live(&self, after: Option<CallId>, limit: usize) -> Result<Vec<CallState>, StoreError>;

    /// Calls that were over at `since` or later, at most `limit`, the latest first.
    async fn over_since(&self, since: Millis, limit: usize) -> Result<Vec<CallState>, StoreError>;

    /// When the next deadline has to be looked at: it comes, or its lease runs out.
    async fn next_due(&self) -> Result<Option<Millis>, StoreError>;

    /// Leases calls whose deadline has come, for so many milliseconds, at most `limit`: the one that is due longest first, since its deadline
    /// or since its last lease ran out.
    async fn claim_due(&self, lease_ms: Millis, limit: usize) -> Result<Vec<CallId>, StoreError>;

    /// Leases outputs, for so many milliseconds, at most `limit`: the one that is due longest first. Of each call only the first output may
    /// be leased; the next one is due when that was performed.
    async fn claim_outputs(&self, lease_ms: Millis, limit: usize) -> Result<Vec<Pending>, StoreError>;

    /// An output was performed and does not come back. One that was performed before is no mistake.
    async fn performed(&self, key: OutputKey) -> Result<(), StoreError>;

    /// An output could not be performed: it may be leased again in so many milliseconds, and what follows in its call waits for it.
    async fn postpone(&self, key: OutputKey, by_ms: Millis) -> Result<(), StoreError>;

    /// When the next output may be leased, if there is any.
    async fn next_output(&self) -> Result<Option<Millis>, StoreError>;

    /// The user's calls that are over, before one.
    async fn history(&self, user: UserId, before: Option<CallId>, limit: usize) -> Result<History, StoreError>;

    /// How many calls the user missed and has not seen.
    async fn missed(&self, user: UserId) -> Result<u64, StoreError>;

    /// The user has seen their history up to a call; an earlier one than before changes nothing.
    async fn seen(&self, user: UserId, call: CallId) -> Result<(), StoreError>;

    /// Forgets states that are over for a day, and records of calls that were over before `history_before`, the oldest first and at most
    /// `limit` of each; answers how many. Outputs that are still to be performed outlive both.
    async fn forget(&self, history_before: Millis, limit: usize) -> Result<usize, StoreError>;
}
