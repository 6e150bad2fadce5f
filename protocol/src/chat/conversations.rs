//! Conversations and their members.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Message;
use crate::Millis;
use crate::ids::{ConversationId, UserId};
use crate::position::{Position, Seq};

/// What kind of conversation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConversationKind {
    /// Between two people; there is one for each pair.
    Direct,
    /// By invitation.
    Group,
    /// Public: anyone finds and joins it, and members read all of its history.
    Channel,
}

/// A member's role in a conversation. Each includes the ones before it. The two people of a 1-1 conversation are members.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberRole {
    /// Reads and sends.
    Member,
    /// Invites, kicks and bans members, renames, deletes messages.
    Admin,
    /// Gives roles; a group keeps at least one.
    Owner,
}

/// Body of `conversations.create`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateConversation {
    /// The kind.
    pub kind: ConversationKind,
    /// Groups and channels: 1 to 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Direct: the one other person. Groups: the first members besides the caller, at most 200.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<UserId>,
}

/// A conversation as its member sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Conversation {
    /// Its id.
    pub id: ConversationId,
    /// Its kind.
    pub kind: ConversationKind,
    /// The title of a group or channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Direct: the other person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<UserId>,
    /// The caller's role.
    pub role: MemberRole,
    /// How many members it has.
    pub members: u64,
    /// When it was made.
    pub created_at: Millis,
    /// The log's last entry.
    pub head: Position,
    /// The last message that the caller may see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message: Option<Message>,
    /// The caller's read marker.
    pub read: ReadMarker,
    /// The running number of the caller's own messages at the head.
    pub own_number: u64,
    /// Messages of others after the read marker. A message counts until it is read, also if it was deleted.
    pub unread: u64,
}

/// How far someone has read. What is unread is a difference of running numbers, whatever the head: the messages after the marker
/// without one's own among them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema, Default)]
pub struct ReadMarker {
    /// The last entry that was read.
    pub seq: Seq,
    /// The running number of messages at that entry.
    pub number: u64,
    /// The running number of one's own messages at that entry.
    pub own_number: u64,
}

impl ReadMarker {
    /// How many messages of others lie after the marker, where these running numbers are reached.
    #[must_use]
    pub fn unread(&self, number: u64, own_number: u64) -> u64 {
        // A device may know of the marker before it knows of the messages that were read.
        (number + self.own_number).saturating_sub(self.number + own_number)
    }
}

/// Body of `conversations.list`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct ListConversations {
    /// The last id of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ConversationId>,
    /// At most 100; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Answer of `conversations.list`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Conversations {
    /// One page, by id.
    pub conversations: Vec<Conversation>,
    /// Whether there are more.
    pub more: bool,
}

/// Body of `conversations.update`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateConversation {
    /// The new title, 1 to 100 characters.
    pub title: String,
}

/// Body of `members.list`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct ListMembers {
    /// The last user of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<UserId>,
    /// At most 100; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A member of a conversation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// Their role.
    pub role: MemberRole,
    /// The entry by which they came in.
    pub joined_seq: Seq,
    /// The last entry they have read; only in conversations of up to 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_seq: Option<Seq>,
    /// The last entry that reached a device of theirs; only in conversations of up to 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_seq: Option<Seq>,
}

/// Answer of `members.list`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Members {
    /// One page, by user id.
    pub members: Vec<Member>,
    /// Whether there are more.
    pub more: bool,
}

/// Body of `members.invite`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Invite {
    /// Whom, 1 to 200; who is in already is passed over.
    pub users: Vec<UserId>,
}

/// Body of `members.kick`, `members.ban` and `members.unban`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberTarget {
    /// Whom.
    pub user: UserId,
}

/// Body of `members.role`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetMemberRole {
    /// Whose.
    pub user: UserId,
    /// The new role.
    pub role: MemberRole,
}

/// The answer of a change: where in the log it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Appended {
    /// The last entry that the change made, or the present head where nothing had to change.
    #[serde(flatten)]
    pub position: Position,
}

/// Body of `channels.find`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct FindChannels {
    /// The beginning of the title; all channels when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The last id of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ConversationId>,
    /// At most 100; 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A public channel as anyone sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Channel {
    /// Its id.
    pub id: ConversationId,
    /// Its title.
    pub title: String,
    /// How many members it has.
    pub members: u64,
    /// Whether the caller is one.
    pub joined: bool,
}

/// Answer of `channels.find`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Channels {
    /// One page, by id.
    pub channels: Vec<Channel>,
    /// Whether there are more.
    pub more: bool,
}
