//! Histories: each process keeps all that it has heard of in its file, and tells them to a Redis that was emptied.
//!
//! Calls of the last day are written back with everything else; this is for what is older, and may take its time.

use super::super::StoreError;
use super::SharedCalls;

/// Records and marks that are read at once.
const PAGE: usize = 500;

impl SharedCalls {
    /// Tells Redis every record and every mark that it does not know, unless it was done since Redis was emptied last.
    pub(crate) async fn restore_histories(&self) -> Result<(), StoreError> {
        if self.redis.knows_histories().await? {
            return Ok(());
        }
        let mut after = None;
        loop {
            let records = self.local.records(after, PAGE).await?;
            let Some(last) = records.last() else { break };
            after = Some(last.call);
            for record in &records {
                self.redis.restore(record).await?;
            }
        }
        let mut after = None;
        loop {
            let marks = self.local.marks(after, PAGE).await?;
            let Some((user, _)) = marks.last() else { break };
            after = Some(*user);
            for (user, call) in &marks {
                super::CallStore::seen(&self.redis, *user, *call).await?;
            }
        }
        self.redis.histories_told().await
    }
}
