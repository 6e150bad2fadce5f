//! An entry of a conversation's log as far as the checker needs it.

use std::hash::{DefaultHasher, Hash, Hasher};

use protocol::calls::{self, CallRecord};
use protocol::chat::{self, ConversationKind, Leaving, MemberRole, Message, MessageDeleted, MessageEdited};
use protocol::{ClientId, Millis, Position, Seq, UserId};
use serde::Deserialize;

/// Stands for a text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TextHash(u64);

impl TextHash {
    /// Of this text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// One entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogEntry {
    /// Its number and tag.
    pub position: Position,
    /// When it was made, in server time.
    pub at: Millis,
    /// What it says.
    pub content: Content,
}

/// What an entry says. Of a message and an edit the text is that of the time of reading.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the fields are those of protocol::chat")]
pub enum Content {
    Created { kind: ConversationKind, title: Option<TextHash>, by: UserId },
    Updated { title: TextHash, by: UserId },
    Joined { user: UserId, role: MemberRole, by: UserId },
    Left { user: UserId, how: Leaving, by: UserId },
    Role { user: UserId, role: MemberRole, by: UserId },
    Banned { user: UserId, by: UserId },
    Unbanned { user: UserId, by: UserId },
    Message(MessageState),
    Edited { target: Seq, text: TextHash, revision: u32, by: UserId, client_id: ClientId },
    Deleted { target: Seq, by: UserId },
    Called(Box<CallRecord>),
}

/// A message as somebody read it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageState {
    /// Its running number.
    pub number: u64,
    /// Its author.
    pub by: UserId,
    /// The id that its client made.
    pub client_id: ClientId,
    /// What it answers.
    pub reply_to: Option<Seq>,
    /// When it was sent.
    pub at: Millis,
    /// How often it had been edited.
    pub revision: u32,
    /// Whether it had been deleted.
    pub deleted: bool,
    /// Its text at that time; of the empty text once deleted.
    pub text: TextHash,
}

impl MessageState {
    /// Of a message on the wire.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        Self {
            number: message.number,
            by: message.by,
            client_id: message.client_id,
            reply_to: message.reply_to,
            at: message.at,
            revision: message.revision,
            deleted: message.deleted,
            text: TextHash::of(&message.text),
        }
    }

    /// Whether the two are of the same message, at whatever time each was read.
    pub(crate) fn is_same_message(&self, other: &Self) -> bool {
        let fixed = |m: &Self| (m.number, m.by, m.client_id, m.reply_to, m.at);
        fixed(self) == fixed(other)
    }
}

impl Content {
    /// Reads an event of a conversation's log; `None` for a name or a body that is none.
    #[must_use]
    pub fn parse(name: &str, body: &str) -> Option<Self> {
        fn read<'a, T: Deserialize<'a>>(body: &'a str) -> Option<T> {
            serde_json::from_str(body).ok()
        }
        Some(match name {
            chat::CONVERSATION_CREATED => {
                let chat::ConversationCreated { kind, title, by, .. } = read(body)?;
                Self::Created { kind, title: title.as_deref().map(TextHash::of), by }
            }
            chat::CONVERSATION_UPDATED => {
                let chat::ConversationUpdated { title, by, .. } = read(body)?;
                Self::Updated { title: TextHash::of(&title), by }
            }
            chat::MEMBER_JOINED => {
                let chat::MemberJoined { user, role, by, .. } = read(body)?;
                Self::Joined { user, role, by }
            }
            chat::MEMBER_LEFT => {
                let chat::MemberLeft { user, how, by, .. } = read(body)?;
                Self::Left { user, how, by }
            }
            chat::MEMBER_ROLE => {
                let chat::MemberRoleChanged { user, role, by, .. } = read(body)?;
                Self::Role { user, role, by }
            }
            chat::MEMBER_BANNED => {
                let chat::MemberBan { user, by, .. } = read(body)?;
                Self::Banned { user, by }
            }
            chat::MEMBER_UNBANNED => {
                let chat::MemberBan { user, by, .. } = read(body)?;
                Self::Unbanned { user, by }
            }
            chat::MESSAGE_NEW => Self::Message(MessageState::of(&read(body)?)),
            chat::MESSAGE_EDITED => {
                let MessageEdited { target, text, revision, by, client_id, .. } = read(body)?;
                Self::Edited { target, text: TextHash::of(&text), revision, by, client_id }
            }
            chat::MESSAGE_DELETED => {
                let MessageDeleted { target, by, .. } = read(body)?;
                Self::Deleted { target, by }
            }
            calls::CALL_RECORD => Self::Called(Box::new(read(body)?)),
            _ => return None,
        })
    }

    /// Who made the entry.
    #[must_use]
    pub fn by(&self) -> UserId {
        match self {
            Self::Created { by, .. }
            | Self::Updated { by, .. }
            | Self::Joined { by, .. }
            | Self::Left { by, .. }
            | Self::Role { by, .. }
            | Self::Banned { by, .. }
            | Self::Unbanned { by, .. }
            | Self::Edited { by, .. }
            | Self::Deleted { by, .. } => *by,
            Self::Message(message) => message.by,
            Self::Called(record) => record.by,
        }
    }

    /// Whether the two are the same entry, at whatever time each was read.
    pub(crate) fn is_same_entry(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Message(one), Self::Message(two)) => one.is_same_message(two),
            (
                Self::Edited { target, revision, by, client_id, .. },
                Self::Edited { target: target2, revision: revision2, by: by2, client_id: id2, .. },
            ) => (target, revision, by, client_id) == (target2, revision2, by2, id2),
            (one, two) => one == two,
        }
    }
}
