//! Histories that an emptied Redis has lost, told again by a process that keeps them.

use protocol::calls::CallRecord;
use runtime::redis::cmd;

use super::super::unit::{self, End};
use super::{RedisCalls, StoreError, refuse, scripts};

impl RedisCalls {
    /// Whether this process has told its histories to this Redis, since that was emptied last.
    pub(crate) async fn knows_histories(&self) -> Result<bool, StoreError> {
        let mut ask = cmd("SISMEMBER");
        ask.arg(&self.keys.told).arg(self.node.to_string());
        self.ask("calls_told", &ask).await
    }

    /// It has.
    pub(crate) async fn histories_told(&self) -> Result<(), StoreError> {
        let mut note = cmd("SADD");
        note.arg(&self.keys.told).arg(self.node.to_string());
        self.redis.run("calls_told", &note).await.map_err(refuse::of_write)
    }

    /// A record stands in everyone's history again.
    pub(crate) async fn restore(&self, record: &CallRecord) -> Result<(), StoreError> {
        let end = End::of(record)?;
        self.write(&scripts::RESTORE, |script| {
            script.key(&self.keys.records).key(&self.keys.ages);
            for (user, missed) in unit::people(record) {
                script.key(self.keys.history(user));
                if missed {
                    script.key(self.keys.missed(user));
                }
            }
            script.arg(record.call.to_string()).arg(&end.record).arg(end.at);
        })
        .await
    }
}
