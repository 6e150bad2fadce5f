//! Messages: sending, changing, reading.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::calls::CallRecord;
use crate::ids::{ClientId, ConversationId, UserId};
use crate::position::{Position, Seq, named_seq, named_seq_if_any};

/// A message as it stands now; its number in the log is its name within the conversation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Where it was sent.
    pub conversation: ConversationId,
    /// Its number in the conversation's log.
    pub seq: Seq,
    /// The running number of messages, this one included: what unread counts are made of.
    pub number: u64,
    /// Who sent it.
    pub by: UserId,
    /// The id that its client made.
    pub client_id: ClientId,
    /// The text; empty once deleted.
    pub text: String,
    /// The message it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
    /// When it was sent.
    pub at: Millis,
    /// When it was last edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Millis>,
    /// How often it was edited.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub revision: u32,
    /// Whether it was deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_zero(revision: &u32) -> bool {
    *revision == 0
}

/// Body of `messages.send`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
    /// Made by the client, kept over every resend.
    pub client_id: ClientId,
    /// 1 to 4,000 characters.
    pub text: String,
    /// The message it answers.
    #[serde(default, deserialize_with = "named_seq_if_any", skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Seq>,
}

/// Answer of `messages.send`; a resend gets the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Sent {
    /// Where the message stands.
    #[serde(flatten)]
    pub position: Position,
    /// The running number of messages.
    pub number: u64,
    /// When it was sent.
    pub at: Millis,
}

/// Body of `messages.edit`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EditMessage {
    /// Which message.
    #[serde(deserialize_with = "named_seq")]
    pub seq: Seq,
    /// The new text, 1 to 4,000 characters.
    pub text: String,
    /// Made by the client; a resend of the same edit makes no second entry.
    pub client_id: ClientId,
}

/// Body of `messages.delete` and `messages.revisions`. Deleting again changes nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessageTarget {
    /// Which message.
    #[serde(deserialize_with = "named_seq")]
    pub seq: Seq,
}

/// Body of `messages.list`: at most one of `before`, `after`, `around`; the newest page when all are absent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct ListMessages {
    /// Messages with a lower number, the newest of them.
    #[serde(default, deserialize_with = "named_seq_if_any", skip_serializing_if = "Option::is_none")]
    pub before: Option<Seq>,
    /// Messages with a higher number, the oldest of them.
    #[serde(default, deserialize_with = "named_seq_if_any", skip_serializing_if = "Option::is_none")]
    pub after: Option<Seq>,
    /// Messages on both sides of this number, itself included.
    #[serde(default, deserialize_with = "named_seq_if_any", skip_serializing_if = "Option::is_none")]
    pub around: Option<Seq>,
    /// At most 100; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A call that was over, in a history.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CallEntry {
    /// The number of its entry.
    pub seq: Seq,
    /// The call.
    pub record: CallRecord,
}

/// Answer of `messages.list`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Messages {
    /// In the order of the log.
    pub messages: Vec<Message>,
    /// Calls that were over among these messages: after the last one that the page before ends with, up to the one that the page after
    /// begins with. The latest 100 of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<CallEntry>,
    /// Whether there are older ones that the caller may see.
    pub more_before: bool,
    /// Whether there are newer ones that the caller may see.
    pub more_after: bool,
    /// The conversation's head when the page was read: it holds every change up to there.
    pub head: Position,
}

/// A former text of a message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Revision {
    /// 0 is the text as it was sent.
    pub revision: u32,
    /// The text.
    pub text: String,
    /// When it was replaced.
    pub replaced_at: Millis,
    /// By whom.
    pub replaced_by: UserId,
}

/// Answer of `messages.revisions`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Revisions {
    /// The oldest first.
    pub revisions: Vec<Revision>,
}

/// Body of `read.mark`: a lower number than the present marker changes nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkRead {
    /// The last entry that was read.
    #[serde(deserialize_with = "named_seq")]
    pub seq: Seq,
}

/// Answer of `read.mark`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReadState {
    /// The marker as it stands now.
    pub seq: Seq,
    /// The running number of messages at the marker.
    pub number: u64,
    /// The running number of the caller's own messages at the marker.
    pub own_number: u64,
    /// What is left unread.
    pub unread: u64,
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;
    use crate::position::SEQ_MAX;

    #[test]
    fn no_command_names_an_entry_beyond_what_every_client_can_count() {
        for seq in [SEQ_MAX + 1, u64::MAX - 1, u64::MAX] {
            for field in ["before", "after", "around"] {
                let refused = from_value::<ListMessages>(json!({ field: seq })).unwrap_err();
                assert!(refused.to_string().contains("at most 9007199254740992"), "{refused}");
            }
            let client_id = ClientId::now();
            from_value::<SendMessage>(json!({ "client_id": client_id, "text": "", "reply_to": seq })).unwrap_err();
            from_value::<EditMessage>(json!({ "client_id": client_id, "text": "", "seq": seq })).unwrap_err();
            from_value::<MessageTarget>(json!({ "seq": seq })).unwrap_err();
            from_value::<MarkRead>(json!({ "seq": seq })).unwrap_err();
        }
        assert_eq!(from_value::<MarkRead>(json!({ "seq": SEQ_MAX })).unwrap().seq, SEQ_MAX);
        let page: ListMessages = from_value(json!({ "after": SEQ_MAX, "before": null })).unwrap();
        assert_eq!((page.after, page.before), (Some(SEQ_MAX), None));
    }
}
