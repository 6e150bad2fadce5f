//! Which calls this process serves: those whose legs have what they say to each other relayed here.
//!
//! Redis has the word on it, and tells every process when it changes. It is kept here, too, because while Redis is gone each process decides what happens
//! by itself in its own calls and in no others: a process that still took a call for its own after another one let a leg in there would end it
//! on its own, under newer and newer numbers.

use std::sync::atomic::Ordering;

use protocol::{CallId, ErrorCode};

use super::super::StoreError;
use super::super::redis::Told;
use super::{Mode, SharedCalls};

impl SharedCalls {
    /// This process serves the legs of a call from now on.
    pub(crate) async fn serve(&self, call: CallId) -> Result<(), StoreError> {
        self.took_over(call);
        match *self.mode.read().await {
            Mode::Shared => self.redis.serve(call).await,
            Mode::Local { .. } => Ok(()),
        }
    }

    /// This process serves a call whose owner in Redis it is already. One that is over is served by nobody; one that was not heard of yet is noted
    /// when it is, and who serves it.
    pub(crate) fn took_over(&self, call: CallId) {
        let mut served = self.served.lock();
        if self.live.get(call).is_some() {
            served.insert(call);
        }
    }

    /// How many calls this process serves.
    pub(crate) fn count_served(&self) -> usize {
        self.served.lock().len()
    }

    /// Whether it is this process that decides what happens to a call by itself.
    pub(crate) async fn decides(&self, call: CallId) -> bool {
        let redis = self.redis.redis();
        if !redis.standing().is_up() && redis.falls_back() && self.fall_back().await.is_err() {
            return false;
        }
        matches!(*self.mode.read().await, Mode::Shared) || self.served.lock().contains(&call)
    }

    /// A process has told something. What this one has followed in itself waits for its legs being awaited, and is told by whoever took it over.
    pub(crate) async fn heard(&self, told: &Told) {
        match told {
            Told::Version(call) => self.heard_version(call).await,
            Told::Served { call, by } if *by == self.redis.node() => self.took_over(*call),
            Told::Adopted { by, .. } if *by == self.redis.node() => {}
            Told::Served { call, .. } | Told::Adopted { call, .. } => drop(self.served.lock().remove(call)),
        }
    }

    /// All live calls were read. Which of them others serve by now may have been told while nobody listened.
    ///
    /// # Errors
    /// When Redis does not answer, or what was held while it did not is still to be written back: then it was the file that was read.
    pub(crate) async fn caught_up(&self) -> Result<(), StoreError> {
        let mine: Vec<CallId> = self.served.lock().iter().copied().collect();
        let lost = self.redis.served_elsewhere(&mine).await?;
        self.served.lock().retain(|call| self.live.get(*call).is_some() && !lost.contains(call));
        if matches!(*self.mode.read().await, Mode::Local { .. }) {
            return Err(not_read());
        }
        self.has_read.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// So that a test can await the next reading.
    #[cfg(test)]
    pub(crate) fn forget_what_was_read(&self) {
        self.has_read.store(false, Ordering::Relaxed);
    }

    /// Whether memory has held all live calls since this process began: else what it does not know may be there all the same.
    pub(crate) fn has_read(&self) -> bool {
        self.has_read.load(Ordering::Relaxed)
    }

    /// Whether what this process knows is all that goes on. Redis may have been gone since it began: then it knows its own calls.
    ///
    /// # Errors
    /// When it is about to read them.
    pub(crate) async fn knows_all(&self) -> Result<bool, StoreError> {
        if self.has_read() {
            return Ok(true);
        }
        match *self.mode.read().await {
            Mode::Local { .. } => Ok(false),
            Mode::Shared => Err(not_read()),
        }
    }

    /// Calls that Redis has given to this process and of which it does not know: the answer to a takeover was lost.
    pub(crate) async fn given_unheard(&self) -> Result<Vec<CallId>, StoreError> {
        let mut given = self.redis.all_served().await?;
        let served = self.served.lock();
        given.retain(|call| !served.contains(call));
        Ok(given)
    }
}

fn not_read() -> StoreError {
    StoreError { code: ErrorCode::Unavailable, cause: "live calls were not read yet".to_owned() }
}
