//! The events of the logs, and the registers beside them.
//!
//! Names are constants beside their bodies. `c:` events are entries of a conversation's log, `u:` events of a user's log.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConversationKind, MemberRole};
use crate::ids::{ClientId, ConversationId, UserId};
use crate::position::Seq;

/// `c:` the first entry of every conversation. Body: [`ConversationCreated`].
pub const CONVERSATION_CREATED: &str = "conversation.created";
/// `c:` title changed. Body: [`ConversationUpdated`].
pub const CONVERSATION_UPDATED: &str = "conversation.updated";
/// `c:` somebody came in. Body: [`MemberJoined`].
pub const MEMBER_JOINED: &str = "member.joined";
/// `c:` somebody left or was removed. Body: [`MemberLeft`].
pub const MEMBER_LEFT: &str = "member.left";
/// `c:` a member's role changed. Body: [`MemberRoleChanged`].
pub const MEMBER_ROLE: &str = "member.role";
/// `c:` somebody who is no member was banned. Body: [`MemberBan`].
pub const MEMBER_BANNED: &str = "member.banned";
/// `c:` a ban was lifted. Body: [`MemberBan`].
pub const MEMBER_UNBANNED: &str = "member.unbanned";
/// `c:` a message. Body: [`super::Message`], as it stands when it is read.
pub const MESSAGE_NEW: &str = "message.new";
/// `c:` a message was edited; withheld from who does not see the message. Body: [`MessageEdited`].
pub const MESSAGE_EDITED: &str = "message.edited";
/// `c:` a message was deleted. Body: [`MessageDeleted`].
pub const MESSAGE_DELETED: &str = "message.deleted";

/// `u:` the user came into a conversation. Body: [`ConversationJoined`].
pub const CONVERSATION_JOINED: &str = "conversation.joined";
/// `u:` the user is no longer in a conversation. Body: [`ConversationLeft`].
pub const CONVERSATION_LEFT: &str = "conversation.left";
/// `u:` the user's own read marker moved, on whichever device. Body: [`ReadMoved`].
pub const READ_MOVED: &str = "read.moved";

/// Register `presence:<user>`. Body: [`super::Presence`].
pub const PRESENCE_CHANGED: &str = "presence.changed";
/// Register `marker:<conversation>:<user>`. Body: [`MarkerChanged`].
pub const MARKER_CHANGED: &str = "marker.changed";
/// Register `markers:<conversation>`, in conversations of more than 50. Body: [`MarkersCounted`].
pub const MARKERS_COUNTED: &str = "markers.counted";
/// Ephemeral. Body: [`Typing`].
pub const TYPING: &str = "typing";

/// A conversation began.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationCreated {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its kind.
    pub kind: ConversationKind,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who made it.
    pub by: UserId,
}

/// The title changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationUpdated {
    /// The conversation.
    pub conversation: ConversationId,
    /// The new title.
    pub title: String,
    /// Who changed it.
    pub by: UserId,
}

/// Somebody came in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MemberJoined {
    /// The conversation.
    pub conversation: ConversationId,
    /// Who.
    pub user: UserId,
    /// In which role.
    pub role: MemberRole,
    /// Who brought them in; themselves where they joined.
    pub by: UserId,
}

/// How a membership ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Leaving {
    /// By themselves.
    Left,
    /// Removed.
    Kicked,
    /// Removed and kept out.
    Banned,
}

/// Somebody left.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MemberLeft {
    /// The conversation.
    pub conversation: ConversationId,
    /// Who.
    pub user: UserId,
    /// How.
    pub how: Leaving,
    /// Who did it; themselves where they left.
    pub by: UserId,
}

/// A member's role changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MemberRoleChanged {
    /// The conversation.
    pub conversation: ConversationId,
    /// Whose.
    pub user: UserId,
    /// The new role.
    pub role: MemberRole,
    /// Who changed it.
    pub by: UserId,
}

/// A ban of somebody who is no member, or its end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MemberBan {
    /// The conversation.
    pub conversation: ConversationId,
    /// Whom.
    pub user: UserId,
    /// Who did it.
    pub by: UserId,
}

/// A message was edited.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MessageEdited {
    /// The conversation.
    pub conversation: ConversationId,
    /// Which message.
    pub target: Seq,
    /// The new text; empty once the message is deleted.
    pub text: String,
    /// How often it was edited, this time included.
    pub revision: u32,
    /// Who edited it.
    pub by: UserId,
    /// The id that the client made for this edit.
    pub client_id: ClientId,
}

/// A message was deleted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MessageDeleted {
    /// The conversation.
    pub conversation: ConversationId,
    /// Which message.
    pub target: Seq,
    /// Who deleted it.
    pub by: UserId,
}

/// The user came into a conversation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationJoined {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its kind.
    pub kind: ConversationKind,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Direct: the other person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<UserId>,
    /// The user's role.
    pub role: MemberRole,
    /// The first entry of the conversation's log that the user sees.
    pub first_seq: Seq,
    /// The entry by which the user came in.
    pub joined_seq: Seq,
    /// The running number of messages before that entry: nothing up to here counts as unread.
    pub number: u64,
    /// The running number of the user's own messages there: not 0 where they were in the conversation before.
    #[serde(default)]
    pub own_number: u64,
}

/// The user is no longer in a conversation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ConversationLeft {
    /// The conversation.
    pub conversation: ConversationId,
    /// The entry that ended it, the last one that the user sees.
    pub left_seq: Seq,
    /// How.
    pub how: Leaving,
}

/// The user's own read marker moved.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ReadMoved {
    /// The conversation.
    pub conversation: ConversationId,
    /// The last entry that was read.
    pub seq: Seq,
    /// The running number of messages at that entry.
    pub number: u64,
    /// The running number of the user's own messages at that entry.
    pub own_number: u64,
}

/// How far somebody else has read and received.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MarkerChanged {
    /// The conversation.
    pub conversation: ConversationId,
    /// Who.
    pub user: UserId,
    /// The last entry they have read.
    pub read_seq: Seq,
    /// The last entry that reached a device of theirs.
    pub delivered_seq: Seq,
}

/// How many members have read and received the conversation's newest message.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MarkersCounted {
    /// The conversation.
    pub conversation: ConversationId,
    /// The newest message.
    pub seq: Seq,
    /// How many have read it.
    pub read: u64,
    /// How many devices' owners have received it.
    pub delivered: u64,
}

/// Somebody types.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Typing {
    /// Where.
    pub conversation: ConversationId,
    /// Who.
    pub user: UserId,
}
