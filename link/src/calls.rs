//! What signaling and chat, the gateway and signaling, and instances of signaling ask of each other about calls: internal commands, which no client can send.

use protocol::{ConversationId, UserId};
use serde::{Deserialize, Serialize};

/// To chat: who belongs to a conversation. Body: [`AskAudience`], answer: [`CallAudience`].
pub const CALLS_AUDIENCE: &str = "calls.audience";
/// To chat: appends a call's record to its conversation's log, once. Body: [`protocol::calls::CallRecord`], answer: [`Recorded`].
pub const CALLS_RECORD: &str = "calls.record";
/// To signaling: tell the state of all calls that go on, and of those that were over lately, once more. Body and answer are empty.
pub const CALLS_RESTATE: &str = "calls.restate";

/// To signaling, from another instance of it: a version of a call that was written while what both share is gone for its sender. The body is the
/// state as instances know it; the answer is empty.
pub const CALLS_TOLD: &str = "calls.told";

/// Body of [`CALLS_AUDIENCE`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AskAudience {
    /// Which conversation.
    pub conversation: ConversationId,
    /// Of these: who is a member.
    pub users: Vec<UserId>,
    /// Name all members, if there are no more than so many.
    pub name_up_to: usize,
}

/// Answer of [`CALLS_AUDIENCE`]; a conversation that does not exist has no member.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct CallAudience {
    /// Between two people.
    pub direct: bool,
    /// Those of the users asked for who are members.
    pub of_those: Vec<UserId>,
    /// All members, or none where they are too many.
    pub members: Vec<UserId>,
}

/// Answer of [`CALLS_RECORD`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Recorded {
    /// Whether it was appended now, and not before.
    pub appended: bool,
}
