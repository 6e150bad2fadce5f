//! The store of the embedded default: one SQLite file, changed by one writer thread.
//!
//! Compare-and-set is an `UPDATE ... WHERE version = ?` here, and what belongs to a version is written in the same transaction. The
//! writer is one thread for all calls, so it parses and makes no JSON: the caller makes a version ready ([`Unit`]), and the writer puts
//! it down.
//!
//! Reading order: [`schema`] (the tables), `change` (create and swap), `places`, `outputs` and `history`
//! (what a version brings with it), `put` (a version that another store has judged), `due` (deadlines), `find` (reads), `forget`, `clock`, `refuse`.

mod change;
mod clock;
mod due;
mod find;
mod forget;
mod history;
mod outputs;
mod places;
mod put;
mod refuse;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::path::Path;

use async_trait::async_trait;
use protocol::calls::CallRecord;
use protocol::{CallId, ClientId, ConversationId, Millis, ServiceName, UserId};
use runtime::store::{Migration, Store, StoreOptions};
use rusqlite::Connection;

use super::unit::{self, Unit};
use super::{CallStore, Created, History, OutputKey, Pending, StoreError, Swapped};
use crate::machine::{CallState, Output};
use clock::Clock;

/// The file in the service's folder.
const STORE_FILE: &str = "signaling.db";

/// The versions of the schema, for `migrate`.
#[must_use]
pub fn migrations() -> &'static [Migration] {
    schema::MIGRATIONS
}

/// How the store in a folder is opened.
#[must_use]
pub fn store_options(folder: &Path) -> StoreOptions {
    StoreOptions::new(folder.join(STORE_FILE), ServiceName::Signaling, schema::MIGRATIONS)
}

/// Calls in SQLite. Clones share everything.
///
/// A new call, and what someone looks up, is refused when much waits already. What the service owes for calls that it has taken in
/// (their changes, deadlines and outputs, and upkeep) may use the last of the store's queues.
#[derive(Clone)]
pub struct SqliteCalls {
    store: Store,
    own: Store,
    clock: Clock,
}

impl SqliteCalls {
    /// Calls in this store, by the machine's clock.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self::by(store, Clock::system())
    }

    /// Calls in this store by another clock, in milliseconds since 1970: tests let time go by at will.
    #[must_use]
    pub fn with_clock(store: Store, clock: impl Fn() -> Millis + Send + Sync + 'static) -> Self {
        Self::by(store, Clock::new(clock))
    }

    fn by(store: Store, clock: Clock) -> Self {
        Self { own: store.for_own_work(), store, clock }
    }

    /// Keeps versions that another store has judged, unless newer ones are here.
    pub(super) async fn put(&self, calls: impl IntoIterator<Item = &CallState>) -> Result<(), StoreError> {
        let units = calls.into_iter().map(|call| Unit::of(call, &[])).collect::<Result<Vec<_>, _>>()?;
        self.write(&self.own, "calls/put", move |tx, _| units.iter().try_for_each(|unit| put::put(tx, unit))).await
    }

    /// Everyone's records, after a call.
    pub(super) async fn records(&self, after: Option<CallId>, limit: usize) -> Result<Vec<CallRecord>, StoreError> {
        let found = self.read(&self.own, "records/page", move |tx| history::records(tx, after, limit)).await?;
        found.iter().map(|record| unit::parse(record)).collect()
    }

    /// Up to which calls users have seen their histories, after a user.
    pub(super) async fn marks(&self, after: Option<UserId>, limit: usize) -> Result<Vec<(UserId, CallId)>, StoreError> {
        self.read(&self.own, "seen/page", move |tx| history::marks(tx, after, limit)).await
    }

    /// Forgets live calls other than these; what they owe stays.
    pub(super) async fn keep_live(&self, only: HashSet<CallId>) -> Result<(), StoreError> {
        self.write(&self.own, "calls/keep_live", move |tx, _| put::keep_live(tx, &only)).await
    }

    async fn write<T: Send + 'static>(
        &self,
        store: &Store,
        label: &'static str,
        work: impl FnOnce(&Connection, Millis) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let clock = self.clock.clone();
        store.write(label, move |tx| work(tx, clock.now())).await.map_err(refuse::of_write)
    }

    async fn read<T: Send + 'static>(
        &self,
        store: &Store,
        label: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        store.read(label, work).await.map_err(refuse::of_read)
    }
}

#[async_trait]
impl CallStore for SqliteCalls {
    async fn now(&self) -> Result<Millis, StoreError> {
        Ok(self.clock.now())
    }

    async fn create(&self, call: &CallState, outputs: &[Output]) -> Result<Created, StoreError> {
        let unit = Unit::of(call, outputs)?;
        self.write(&self.store, "calls/create", move |tx, now| change::create(tx, &unit, now)).await
    }

    async fn load(&self, call: CallId) -> Result<Option<CallState>, StoreError> {
        let found = self.read(&self.store, "calls/load", move |tx| find::load(tx, call)).await?;
        found.map(|unit| unit::parse(&unit)).transpose()
    }

    async fn swap(&self, expected: u64, next: &CallState, outputs: &[Output]) -> Result<Swapped, StoreError> {
        let unit = Unit::of(next, outputs)?;
        self.write(&self.own, "calls/swap", move |tx, now| change::swap(tx, expected, &unit, now)).await
    }

    async fn started(&self, user: UserId, client_id: ClientId) -> Result<Option<CallId>, StoreError> {
        self.read(&self.store, "calls/started", move |tx| find::started(tx, user, client_id)).await
    }

    async fn live_in(&self, conversation: ConversationId) -> Result<Option<CallId>, StoreError> {
        self.read(&self.store, "calls/live_in", move |tx| find::live_in(tx, conversation)).await
    }

    async fn busy(&self, users: &[UserId], except: Option<CallId>) -> Result<Vec<UserId>, StoreError> {
        let users = users.to_vec();
        self.read(&self.store, "places/busy", move |tx| places::busy(tx, users, except)).await
    }

    async fn live(&self, after: Option<CallId>, limit: usize) -> Result<Vec<CallState>, StoreError> {
        let found = self.read(&self.own, "calls/live", move |tx| find::live(tx, after, limit)).await?;
        found.iter().map(|unit| unit::parse(unit)).collect()
    }

    async fn over_since(&self, since: Millis, limit: usize) -> Result<Vec<CallState>, StoreError> {
        let found = self.read(&self.own, "calls/over_since", move |tx| find::over_since(tx, since, limit)).await?;
        found.iter().map(|unit| unit::parse(unit)).collect()
    }

    async fn next_due(&self) -> Result<Option<Millis>, StoreError> {
        self.read(&self.own, "calls/next_due", due::next).await
    }

    async fn claim_due(&self, lease_ms: Millis, limit: usize) -> Result<Vec<CallId>, StoreError> {
        self.write(&self.own, "calls/claim_due", move |tx, now| due::claim(tx, now, lease_ms, limit)).await
    }

    async fn claim_outputs(&self, lease_ms: Millis, limit: usize) -> Result<Vec<Pending>, StoreError> {
        let claim = move |tx: &Connection, now| outputs::claim(tx, now, lease_ms, limit);
        let claimed = self.write(&self.own, "outputs/claim", claim).await?;
        Ok(claimed.into_iter().filter_map(outputs::Claimed::parse).collect())
    }

    async fn performed(&self, key: OutputKey) -> Result<(), StoreError> {
        self.write(&self.own, "outputs/performed", move |tx, now| outputs::performed(tx, key, now)).await
    }

    async fn postpone(&self, key: OutputKey, by_ms: Millis) -> Result<(), StoreError> {
        let postpone = move |tx: &Connection, now: Millis| outputs::postpone(tx, key, now.saturating_add(by_ms));
        self.write(&self.own, "outputs/postpone", postpone).await
    }

    async fn next_output(&self) -> Result<Option<Millis>, StoreError> {
        self.read(&self.own, "outputs/next", outputs::next).await
    }

    async fn history(&self, user: UserId, before: Option<CallId>, limit: usize) -> Result<History, StoreError> {
        // One more than is wanted tells whether there are more.
        let page = move |tx: &Connection| history::page(tx, user, before, limit.saturating_add(1));
        let mut found = self.read(&self.store, "history/page", page).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let records = found.iter().map(|record| unit::parse(record)).collect::<Result<_, _>>()?;
        Ok(History { records, more })
    }

    async fn missed(&self, user: UserId) -> Result<u64, StoreError> {
        self.read(&self.store, "history/missed", move |tx| history::missed(tx, user)).await
    }

    async fn seen(&self, user: UserId, call: CallId) -> Result<(), StoreError> {
        self.write(&self.store, "seen/set", move |tx, _| history::seen(tx, user, call)).await
    }

    async fn forget(&self, history_before: Millis, limit: usize) -> Result<usize, StoreError> {
        let forget = move |tx: &Connection, now| forget::forget(tx, now, history_before, limit);
        self.write(&self.own, "calls/forget", forget).await
    }
}
