//! What is still to be performed, in the order of each call's versions.

use std::fmt::Write as _;

use protocol::{ConversationId, Millis};

use super::super::unit;
use super::{OutputKey, Pending, RedisCalls, StoreError, scripts};

/// How long a conversation's id is, which stands before each output.
const ID_LENGTH: usize = 36;

impl RedisCalls {
    pub(super) async fn lease_outputs(&self, lease_ms: Millis, limit: usize) -> Result<Vec<Pending>, StoreError> {
        let keys = &self.keys;
        let claimed: Vec<(String, u32, Vec<u8>)> = self
            .write(&scripts::CLAIM_OUTPUTS, |script| {
                script.key(&keys.queue).key(&keys.outputs).key(&keys.bodies).key(&keys.attempts);
                script.arg(self.clock()).arg(lease_ms).arg(limit);
            })
            .await?;
        Ok(claimed.iter().filter_map(|(name, attempts, body)| parse(name, *attempts, body)).collect())
    }

    pub(super) async fn take_output(&self, key: OutputKey) -> Result<(), StoreError> {
        let keys = &self.keys;
        self.write(&scripts::PERFORMED, |script| {
            script.key(&keys.queue).key(&keys.outputs).key(&keys.bodies).key(&keys.attempts);
            script.arg(self.clock()).arg(key.call.to_string()).arg(name(key));
        })
        .await
    }

    pub(super) async fn delay_output(&self, key: OutputKey, by_ms: Millis) -> Result<(), StoreError> {
        let keys = &self.keys;
        self.write(&scripts::POSTPONE, |script| {
            script.key(&keys.queue).key(&keys.outputs);
            script.arg(self.clock()).arg(key.call.to_string()).arg(name(key)).arg(by_ms);
        })
        .await
    }
}

/// As `change.lua` writes it: names sort as what they name.
fn name(key: OutputKey) -> String {
    let mut name = key.call.to_string();
    // Writing to a string does not fail.
    let _ = write!(name, ":{:020}:{:010}", key.version, key.index);
    name
}

/// One that can't be read holds up its own call, and is looked at again when its lease has run out.
fn parse(name: &str, attempts: u32, body: &[u8]) -> Option<Pending> {
    let parsed = (|| {
        let mut parts = name.split(':');
        let (call, version, index) = (parts.next()?, parts.next()?, parts.next()?);
        let key = OutputKey { call: call.parse().ok()?, version: version.parse().ok()?, index: index.parse().ok()? };
        let (conversation, output) = body.split_at_checked(ID_LENGTH)?;
        let conversation: ConversationId = std::str::from_utf8(conversation).ok()?.parse().ok()?;
        Some(Pending { key, conversation, output: unit::parse(output).ok()?, attempts })
    })();
    if parsed.is_none() {
        tracing::error!(output = name, "an output can't be read");
    }
    parsed
}
