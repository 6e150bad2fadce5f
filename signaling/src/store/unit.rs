//! A version as stores hold it, made ready before it reaches whatever writes it down.

use protocol::calls::{CallRecord, ParticipantStatus};
use protocol::{CallId, ClientId, ConversationId, Millis, UserId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;
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
                None => Stage::Over(End::of(&call.record())?),
            },
            body: to_json(call)?,
            outputs: outputs.iter().map(to_json).collect::<Result<_, _>>()?,
        })
    }
}

impl End {
    pub(super) fn of(record: &CallRecord) -> Result<Self, StoreError> {
        Ok(Self { at: record.ended_at, people: people(record).collect(), record: to_json(record)? })
    }
}

/// In whose history a record stands, and whether they missed the call.
pub(super) fn people(record: &CallRecord) -> impl Iterator<Item = (UserId, bool)> + '_ {
    let missed = |user, status| user != record.by && status == ParticipantStatus::Missed;
    record.participants.iter().map(move |part| (part.user, missed(part.user, part.status)))
}

/// Reads a state, an output or a record as it stands in a store.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(body).map_err(|error| StoreError::of_json(&error))
}

fn holders(call: &CallState) -> Vec<UserId> {
    call.parts.iter().filter(|(_, part)| part.status.is_in()).map(|(user, _)| *user).collect()
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value).map_err(|error| StoreError::of_json(&error))
}
