//! One entry of a log: what it says, and how it looks to those who hear it.
//!
//! A message's entry holds the message as it stands *now* (an edit or a deletion rewrites its text), so that history and sync
//! show the present text without a fold at every read.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use link::{Audience, Change, Effect, Event, Identity};
use protocol::calls::{self, CallRecord};
use protocol::chat::{
    self, ConversationCreated, ConversationJoined, ConversationKind, ConversationLeft, ConversationUpdated, Leaving,
    MemberBan, MemberJoined, MemberLeft, MemberRole, MemberRoleChanged, Message, MessageDeleted, MessageEdited,
    ReadMoved,
};
use protocol::{ClientId, ConversationId, Millis, Position, Seq, StreamId, Tag, UserId};
use serde::Serialize;

/// One entry of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    pub(crate) stream: StreamId,
    pub(crate) position: Position,
    pub(crate) at: Millis,
    /// The running number of messages up to and with this entry.
    pub(crate) number: u64,
    pub(crate) content: Content,
}

/// What an entry says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Content {
    Created {
        kind: ConversationKind,
        title: Option<String>,
        by: UserId,
    },
    Updated {
        title: String,
        by: UserId,
    },
    Joined {
        user: UserId,
        role: MemberRole,
        by: UserId,
    },
    Left {
        user: UserId,
        how: Leaving,
        by: UserId,
    },
    RoleChanged {
        user: UserId,
        role: MemberRole,
        by: UserId,
    },
    Banned {
        user: UserId,
        by: UserId,
    },
    Unbanned {
        user: UserId,
        by: UserId,
    },
    Message(Text),
    Edited {
        target: Seq,
        text: String,
        revision: u32,
        by: UserId,
        client_id: ClientId,
        /// Some who were members then do not see the message, so this is not theirs to see either.
        by_rights: bool,
    },
    Deleted {
        target: Seq,
        by: UserId,
    },
    /// A call was over.
    Called(Box<CallRecord>),
    /// In a user's log: the tag is that of the conversation's entry.
    Entered(ConversationJoined, Tag),
    /// In a user's log: the tag is that of the conversation's entry.
    Gone(ConversationLeft, Tag),
    /// In a user's log.
    ReadMoved(ReadMoved),
}

/// A message as it stands now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Text {
    pub(crate) by: UserId,
    pub(crate) client_id: ClientId,
    pub(crate) text: String,
    pub(crate) reply_to: Option<Seq>,
    pub(crate) edited_at: Option<Millis>,
    pub(crate) revision: u32,
    pub(crate) deleted: bool,
}

impl Content {
    /// The event's name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Created { .. } => chat::CONVERSATION_CREATED,
            Self::Updated { .. } => chat::CONVERSATION_UPDATED,
            Self::Joined { .. } => chat::MEMBER_JOINED,
            Self::Left { .. } => chat::MEMBER_LEFT,
            Self::RoleChanged { .. } => chat::MEMBER_ROLE,
            Self::Banned { .. } => chat::MEMBER_BANNED,
            Self::Unbanned { .. } => chat::MEMBER_UNBANNED,
            Self::Message(_) => chat::MESSAGE_NEW,
            Self::Edited { .. } => chat::MESSAGE_EDITED,
            Self::Deleted { .. } => chat::MESSAGE_DELETED,
            Self::Called(_) => calls::CALL_RECORD,
            Self::Entered(..) => chat::CONVERSATION_JOINED,
            Self::Gone(..) => chat::CONVERSATION_LEFT,
            Self::ReadMoved(_) => chat::READ_MOVED,
        }
    }
}

impl Entry {
    /// The entry as those hear it who follow the log.
    pub(crate) fn event(&self) -> serde_json::Result<Event> {
        Ok(Event {
            identity: Identity::Entry { stream: self.stream, seq: self.position.seq, tag: self.position.tag },
            audience: Audience::Stream(self.stream),
            name: Cow::Borrowed(self.content.name()),
            at: self.at,
            body: self.body()?,
            by_rights: matches!(self.content, Content::Edited { by_rights: true, .. }),
            effects: self.effects(),
        })
    }

    /// The entry that one must see in order to see this one: the new text of a message is for those who see the message.
    pub(crate) fn is_about(&self) -> Option<Seq> {
        match self.content {
            Content::Edited { target, .. } => Some(target),
            _ => None,
        }
    }

    /// The message that the entry holds, if it is one.
    pub(crate) fn message(&self) -> Option<Message> {
        let Content::Message(message) = &self.content else { return None };
        Some(Message {
            conversation: ConversationId(self.stream.id),
            seq: self.position.seq,
            number: self.number,
            by: message.by,
            client_id: message.client_id,
            text: message.text.clone(),
            reply_to: message.reply_to,
            at: self.at,
            edited_at: message.edited_at,
            revision: message.revision,
            deleted: message.deleted,
        })
    }

    fn body(&self) -> serde_json::Result<Bytes> {
        let conversation = ConversationId(self.stream.id);
        match &self.content {
            Content::Created { kind, title, by } => {
                json(&ConversationCreated { conversation, kind: *kind, title: title.clone(), by: *by })
            }
            Content::Updated { title, by } => {
                json(&ConversationUpdated { conversation, title: title.clone(), by: *by })
            }
            Content::Joined { user, role, by } => {
                json(&MemberJoined { conversation, user: *user, role: *role, by: *by })
            }
            Content::Left { user, how, by } => json(&MemberLeft { conversation, user: *user, how: *how, by: *by }),
            Content::RoleChanged { user, role, by } => {
                json(&MemberRoleChanged { conversation, user: *user, role: *role, by: *by })
            }
            Content::Banned { user, by } | Content::Unbanned { user, by } => {
                json(&MemberBan { conversation, user: *user, by: *by })
            }
            Content::Message(_) => json(&self.message()),
            Content::Edited { target, text, revision, by, client_id, by_rights: _ } => json(&MessageEdited {
                conversation,
                target: *target,
                text: text.clone(),
                revision: *revision,
                by: *by,
                client_id: *client_id,
            }),
            Content::Deleted { target, by } => json(&MessageDeleted { conversation, target: *target, by: *by }),
            Content::Called(body) => json(body),
            Content::Entered(body, _) => json(body),
            Content::Gone(body, _) => json(body),
            Content::ReadMoved(body) => json(body),
        }
    }

    fn effects(&self) -> Arc<[Effect]> {
        let owner = UserId(self.stream.id);
        match &self.content {
            Content::Joined { user, .. } => self.effect(self.stream, *user, Change::Joined, self.position),
            Content::Left { user, .. } => self.effect(self.stream, *user, Change::Left, self.position),
            Content::Entered(body, tag) => self.effect(
                StreamId::conversation(body.conversation),
                owner,
                Change::Joined,
                Position { seq: body.joined_seq, tag: *tag },
            ),
            Content::Gone(body, tag) => self.effect(
                StreamId::conversation(body.conversation),
                owner,
                Change::Left,
                Position { seq: body.left_seq, tag: *tag },
            ),
            _ => Arc::default(),
        }
    }

    fn effect(&self, stream: StreamId, user: UserId, change: Change, at: Position) -> Arc<[Effect]> {
        Arc::new([Effect { stream, user, change, at }])
    }
}

fn json(body: &impl Serialize) -> serde_json::Result<Bytes> {
    serde_json::to_vec(body).map(Bytes::from)
}
