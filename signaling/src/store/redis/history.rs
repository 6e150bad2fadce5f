//! What users have behind them: each call's record once, and its id in a sorted set of everyone who was in it or was called.

use protocol::{CallId, UserId};

use super::super::unit;
use super::{History, RedisCalls, StoreError, scripts};

impl RedisCalls {
    pub(super) async fn page(&self, user: UserId, before: Option<CallId>, limit: usize) -> Result<History, StoreError> {
        let from = before.map_or_else(|| "+".to_owned(), |call| format!("({call}"));
        let mut found: Vec<Vec<u8>> = self
            .read(&scripts::HISTORY, |script| {
                // One more than is wanted tells whether there are more.
                let ask = limit.saturating_add(1);
                script.key(self.keys.history(user)).key(&self.keys.records).arg(from).arg(ask);
            })
            .await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let records = found.iter().map(|record| unit::parse(record)).collect::<Result<_, _>>()?;
        Ok(History { records, more })
    }

    pub(super) async fn count_missed(&self, user: UserId) -> Result<u64, StoreError> {
        self.read(&scripts::MISSED, |script| {
            script.key(self.keys.missed(user)).key(&self.keys.seen).arg(user.to_string());
        })
        .await
    }

    pub(super) async fn note_seen(&self, user: UserId, call: CallId) -> Result<(), StoreError> {
        self.write(&scripts::SEEN, |script| {
            script.key(&self.keys.seen).arg(user.to_string()).arg(call.to_string());
        })
        .await
    }
}
