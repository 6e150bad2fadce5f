//! Upkeep: states that nobody asks for any more, and history that is older than it is kept.
//!
//! Which keys go with a call is read first, and each goes with all of them in one script: a call is forgotten once, whoever else forgets.

use protocol::calls::CallRecord;
use protocol::limits::CALL_TTL_MS;
use protocol::{CallId, ClientId, Millis, UserId};
use runtime::redis::cmd;

use super::super::unit;
use super::{RedisCalls, StoreError, find, scripts};

impl RedisCalls {
    /// Forgets states of calls that are over for a day, the oldest first; answers how many.
    pub(super) async fn forget_states(&self, now: Millis, limit: usize) -> Result<usize, StoreError> {
        let until = now.saturating_sub(CALL_TTL_MS).to_string();
        let mut forgotten = 0;
        for call in self.oldest(&self.keys.over, &until, limit).await? {
            let mut ask = cmd("HMGET");
            ask.arg(self.keys.unit(call)).arg("by").arg("client");
            let (by, client): (Option<String>, Option<String>) = self.ask("calls_starter", &ask).await?;
            // Redis may have forgotten the unit by itself, and then so it has who started it.
            let by: UserId = by.and_then(|id| id.parse().ok()).unwrap_or(UserId(uuid::Uuid::nil()));
            let client: ClientId = client.and_then(|id| id.parse().ok()).unwrap_or(ClientId(uuid::Uuid::nil()));
            let gone: usize = self
                .write(&scripts::FORGET_STATE, |script| {
                    script.key(&self.keys.over).key(self.keys.unit(call)).key(self.keys.started(by, client));
                    script.arg(call.to_string());
                })
                .await?;
            forgotten += gone;
        }
        Ok(forgotten)
    }

    /// Forgets records of calls that were over before a time, the oldest first; answers how many.
    pub(super) async fn forget_records(&self, before: Millis, limit: usize) -> Result<usize, StoreError> {
        let mut forgotten = 0;
        for call in self.oldest(&self.keys.ages, &format!("({before}"), limit).await? {
            let mut ask = cmd("HGET");
            ask.arg(&self.keys.records).arg(call.to_string());
            let record: Option<Vec<u8>> = self.ask("calls_record", &ask).await?;
            let record: Option<CallRecord> = record.and_then(|record| unit::parse(&record).ok());
            let gone: usize = self
                .write(&scripts::FORGET_RECORD, |script| {
                    script.key(&self.keys.ages).key(&self.keys.records).arg(call.to_string());
                    for (user, missed) in record.iter().flat_map(unit::people) {
                        script.key(self.keys.history(user));
                        if missed {
                            script.key(self.keys.missed(user));
                        }
                    }
                })
                .await?;
            forgotten += gone;
        }
        Ok(forgotten)
    }

    async fn oldest(&self, key: &str, until: &str, limit: usize) -> Result<Vec<CallId>, StoreError> {
        let mut ask = cmd("ZRANGEBYSCORE");
        ask.arg(key).arg("-inf").arg(until).arg("LIMIT").arg(0).arg(limit);
        find::ids(&self.ask::<Vec<String>>("calls_oldest", &ask).await?)
    }
}
