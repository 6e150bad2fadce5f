//! A version as the tables hold it, made ready before it reaches the writer.

use protocol::calls::ParticipantStatus;
use protocol::{CallId, ClientId, ConversationId, Millis, UserId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{StoreError, refuse};
use crate::machine::{CallState, Output};

/// A call at one version, and what it brings with it.
pub(super) struct Unit {
    pub(super) id: CallId,
    pub(super) version: u64,
    pub(super) conversation: ConversationId,
    pub(super) by: UserId,
    pub(super) client_id: ClientId,
    pub(super) stage: Stage,
    /// The state.
    pub(super) body: Vec<u8>,
    /// Its outputs, in their order.
    pub(super) outputs: Vec<Vec<u8>>,
}

/// Whether it goes on.
pub(super) enum Stage {
    /// It is live.
    Live {
        /// When it has to be looked at.
        deadline: Millis,
        /// Who holds a place in it.
        places: Vec<UserId>,
    },
    /// It is over.
    Over(End),
}

/// What is left of a call.
pub(super) struct End {
    pub(super) at: Millis,
    pub(super) record: Vec<u8>,
    /// In whose history it enters, and whether they missed it.
    pub(super) people: Vec<(UserId, bool)>,
}

impl Unit {
    pub(super) fn of(call: &CallState, outputs: &[Output]) -> Result<Self, StoreError> {
        Ok(Self {
            id: call.id,
            version: call.version,
            conversation: call.conversation,
            by: call.by,
            client_id: call.client_id,
            stage: match call.deadline() {
                Some(deadline) => Stage::Live { deadline, places: holders(call) },
                None => Stage::Over(End::of(call)?),
            },
            body: to_json(call)?,
            outputs: outputs.iter().map(to_json).collect::<Result<_, _>>()?,
        })
    }
}

impl End {
    fn of(call: &CallState) -> Result<Self, StoreError> {
        let record = call.record();
        let missed = |user, status| user != call.by && status == ParticipantStatus::Missed;
        Ok(Self {
            at: record.ended_at,
            people: record.participants.iter().map(|part| (part.user, missed(part.user, part.status))).collect(),
            record: to_json(&record)?,
        })
    }
}

/// Reads a state, an output or a record as it stands in the tables.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(body).map_err(|error| refuse::of_json(&error))
}

fn holders(call: &CallState) -> Vec<UserId> {
    call.parts.iter().filter(|(_, part)| part.status.is_in()).map(|(user, _)| *user).collect()
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| refuse::of_json(&error))
}
