//! A new call, and a call's next version: one script with all that it brings with it.

use protocol::limits::CALL_TTL_MS;
use protocol::{CallId, Millis};
use runtime::redis::ScriptInvocation;

use super::super::unit::{Stage, Unit};
use super::{Created, RedisCalls, StoreError, Swapped, refuse, scripts};

/// How long the unit of a live call outlives its last change at least: the machine ends every call within a day, and whoever is late with that
/// has an hour more.
const LIVE_TTL_MS: Millis = CALL_TTL_MS + 60 * 60 * 1_000;

impl RedisCalls {
    pub(super) async fn put_new(&self, unit: &Unit) -> Result<Created, StoreError> {
        let (what, other) = self.put(None, unit).await?;
        match (what.as_str(), other) {
            ("done", None) => Ok(Created::Done),
            ("before", Some(call)) => Ok(Created::Before(call)),
            ("taken", Some(call)) => Ok(Created::Taken(call)),
            _ => Err(refuse::unreadable("the answer to a new call")),
        }
    }

    pub(super) async fn put_next(&self, expected: u64, unit: &Unit) -> Result<Swapped, StoreError> {
        match self.put(Some(expected), unit).await?.0.as_str() {
            "done" => Ok(Swapped::Done),
            "changed" => Ok(Swapped::Changed),
            _ => Err(refuse::unreadable("the answer to a change")),
        }
    }

    async fn put(&self, expected: Option<u64>, unit: &Unit) -> Result<(String, Option<CallId>), StoreError> {
        let answer: Vec<String> = self.write(&scripts::CHANGE, |script| self.fill(script, expected, unit)).await?;
        let mut answer = answer.into_iter();
        let what = answer.next().unwrap_or_default();
        let call = answer.next().map(|id| id.parse()).transpose();
        Ok((what, call.map_err(|_| refuse::unreadable("a call's id"))?))
    }

    fn fill(&self, script: &mut ScriptInvocation<'_>, expected: Option<u64>, unit: &Unit) {
        let keys = &self.keys;
        script.key(keys.unit(unit.id)).key(keys.started(unit.by, unit.client_id));
        for shared in [&keys.due, &keys.live, &keys.over, &keys.conversations, &keys.places, &keys.outputs] {
            script.key(shared);
        }
        for shared in [&keys.bodies, &keys.queue, &keys.records, &keys.ages, &keys.owners, &keys.owned] {
            script.key(shared);
        }
        let expected = expected.map(|version| version.to_string()).unwrap_or_default();
        script.arg(self.clock()).arg(expected).arg(unit.id.to_string()).arg(unit.version).arg(&unit.body);
        script.arg(unit.conversation.to_string()).arg(unit.by.to_string()).arg(unit.client_id.to_string());
        let (ttl, holders) = match &unit.stage {
            Stage::Live { deadline, places } => {
                script.arg(*deadline).arg("").arg("");
                (LIVE_TTL_MS, places.as_slice())
            }
            Stage::Over(end) => {
                script.arg("").arg(end.at).arg(&end.record);
                for (user, missed) in &end.people {
                    script.key(keys.history(*user));
                    if *missed {
                        script.key(keys.missed(*user));
                    }
                }
                (CALL_TTL_MS, &[][..])
            }
        };
        script.arg(self.node.to_string()).arg(&keys.versions).arg(ttl);
        script.arg(holders.len());
        for user in holders {
            script.arg(user.to_string());
        }
        script.arg(unit.outputs.len());
        for output in &unit.outputs {
            script.arg(output);
        }
    }
}
