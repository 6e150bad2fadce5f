//! A new call, and a call's next version: one script with all that it brings with it.

use protocol::limits::CALL_TTL_MS;
use protocol::{CallId, ErrorCode, Millis};
use runtime::redis::{ScriptInvocation, cmd};

use super::super::unit::{Stage, Unit};
use super::{Created, RedisCalls, StoreError, Swapped, refuse, scripts};

/// How long the unit of a live call outlives its last change at least: the machine ends every call within a day, and whoever is late with that
/// has an hour more.
const LIVE_TTL_MS: Millis = CALL_TTL_MS + 60 * 60 * 1_000;

/// What the script answers.
enum Put {
    Done,
    Changed,
    Before(CallId),
    Taken(CallId),
}

impl Put {
    fn created(self) -> Result<Created, StoreError> {
        match self {
            Self::Done => Ok(Created::Done),
            Self::Before(call) => Ok(Created::Before(call)),
            Self::Taken(call) => Ok(Created::Taken(call)),
            Self::Changed => Err(unexpected()),
        }
    }

    fn swapped(self) -> Result<Swapped, StoreError> {
        match self {
            Self::Done => Ok(Swapped::Done),
            Self::Changed => Ok(Swapped::Changed),
            Self::Before(_) | Self::Taken(_) => Err(unexpected()),
        }
    }
}

fn unexpected() -> StoreError {
    refuse::unreadable("the answer to a change")
}

impl RedisCalls {
    pub(super) async fn put_new(&self, unit: &Unit) -> Result<Created, StoreError> {
        match self.put(None, unit).await {
            Err(error) if error.code == ErrorCode::OutcomeUnknown => match self.put(None, unit).await {
                Ok(Put::Before(call)) if call == unit.id => Ok(Put::Done),
                again => again.map_err(|_| error),
            },
            answer => answer,
        }
        .and_then(Put::created)
    }

    pub(super) async fn put_next(&self, expected: u64, unit: &Unit) -> Result<Swapped, StoreError> {
        match self.put(Some(expected), unit).await {
            Err(error) if error.code == ErrorCode::OutcomeUnknown => self.put_again(expected, unit, error).await,
            answer => answer.and_then(Put::swapped),
        }
    }

    /// A change that was not answered is made once more: it changes nothing if it was made, and it is known which. Where another one has
    /// followed meanwhile it stays unknown.
    pub(super) async fn put_again(
        &self,
        expected: u64,
        unit: &Unit,
        unanswered: StoreError,
    ) -> Result<Swapped, StoreError> {
        match self.put(Some(expected), unit).await {
            Ok(Put::Changed) => match self.is_there(unit).await {
                Ok(true) => Ok(Swapped::Done),
                _ => Err(unanswered),
            },
            Ok(answer) => answer.swapped(),
            Err(_) => Err(unanswered),
        }
    }

    /// Whether exactly this version stands in Redis.
    async fn is_there(&self, unit: &Unit) -> Result<bool, StoreError> {
        let mut ask = cmd("HGET");
        ask.arg(self.keys.unit(unit.id)).arg("state");
        let state: Option<Vec<u8>> = self.ask("calls_load", &ask).await?;
        Ok(state.as_deref() == Some(&unit.body))
    }

    async fn put(&self, expected: Option<u64>, unit: &Unit) -> Result<Put, StoreError> {
        let answer: Vec<String> = self.write(&scripts::CHANGE, |script| self.fill(script, expected, unit)).await?;
        let call = answer.get(1).and_then(|id| id.parse().ok());
        match (answer.first().map(String::as_str), call) {
            (Some("done"), _) => Ok(Put::Done),
            (Some("changed"), _) => Ok(Put::Changed),
            (Some("before"), Some(call)) => Ok(Put::Before(call)),
            (Some("taken"), Some(call)) => Ok(Put::Taken(call)),
            _ => Err(unexpected()),
        }
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
