//! Outputs: those in Redis, and in the file those of versions that were made while Redis was gone.
//!
//! They stay where they are, under their keys. The file is looked at until it was found empty.

use std::sync::atomic::Ordering;

use protocol::Millis;

use super::super::{CallStore, OutputKey, Pending, StoreError};
use super::ask::ask;
use super::{Mode, SharedCalls};

impl SharedCalls {
    /// Whether there may be outputs in the file while Redis is the store.
    async fn owes_beside(&self) -> bool {
        self.owes.load(Ordering::Relaxed) && matches!(*self.mode.read().await, Mode::Shared)
    }

    pub(super) async fn lease_outputs(&self, lease_ms: Millis, limit: usize) -> Result<Vec<Pending>, StoreError> {
        let mut claimed = ask!(self, |store, _| store.claim_outputs(lease_ms, limit))?;
        if claimed.len() < limit && self.owes_beside().await {
            claimed.extend(self.local.claim_outputs(lease_ms, limit - claimed.len()).await?);
        }
        Ok(claimed)
    }

    pub(super) async fn take_output(&self, key: OutputKey) -> Result<(), StoreError> {
        if self.owes_beside().await {
            self.local.performed(key).await?;
        }
        ask!(self, |store, _| store.performed(key))
    }

    pub(super) async fn delay_output(&self, key: OutputKey, by_ms: Millis) -> Result<(), StoreError> {
        if self.owes_beside().await {
            self.local.postpone(key, by_ms).await?;
        }
        ask!(self, |store, _| store.postpone(key, by_ms))
    }

    pub(super) async fn first_output(&self) -> Result<Option<Millis>, StoreError> {
        let there = ask!(self, |store, _| store.next_output())?;
        if !self.owes_beside().await {
            return Ok(there);
        }
        let here = self.local.next_output().await?;
        if here.is_none() {
            self.owes.store(false, Ordering::Relaxed);
        }
        Ok(there.into_iter().chain(here).min())
    }
}
