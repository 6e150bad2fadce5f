//! What is left of a call when it is over.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CallFailure, CallKind, CallStatus, ParticipantStatus};
use crate::Millis;
use crate::ids::{CallId, ConversationId, UserId};

/// A call that is over, as it stands in the conversation's log and in the call history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CallRecord {
    /// The call.
    pub call: CallId,
    /// Where it was.
    pub conversation: ConversationId,
    /// What it began with.
    pub kind: CallKind,
    /// How it ended: one of the states after which nothing follows.
    pub status: CallStatus,
    /// Failed: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<CallFailure>,
    /// Who started it.
    pub by: UserId,
    /// When it was started.
    pub created_at: Millis,
    /// When it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Millis>,
    /// When it was over.
    pub ended_at: Millis,
    /// From the answer to the end, in milliseconds; 0 where nobody answered.
    pub duration_ms: u64,
    /// Everyone who was in it or was called.
    pub participants: Vec<CallParticipation>,
}

/// Someone's part in a call that is over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CallParticipation {
    /// Who.
    pub user: UserId,
    /// What became of them.
    pub status: ParticipantStatus,
    /// When they first came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_at: Option<Millis>,
}

/// Body of `calls.list`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListCalls {
    /// The last call of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<CallId>,
    /// At most 100; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Answer of `calls.list`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Calls {
    /// One page, the latest first.
    pub calls: Vec<CallRecord>,
    /// Whether there are more.
    pub more: bool,
    /// Calls that the caller missed since they last looked.
    pub missed: u64,
}

/// Body of `calls.seen`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenCalls {
    /// The latest call that was seen in the history.
    pub call: CallId,
}

/// What a user's devices have to know of all their calls at once: told whole at every connection.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct CallIndex {
    /// The calls that go on; what a device keeps of any other is over.
    pub live: Vec<CallId>,
    /// Calls that were missed since the user last looked at the history.
    pub missed: u64,
}
