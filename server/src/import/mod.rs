//! Users and conversations in bulk: from another system, or for a measurement.
//!
//! The command reads the file twice, users first, because a line may name people that come later. What it has read goes in batches to
//! whoever holds the accounts and whoever holds the conversations: a running server by its admin listener, or the store that the
//! command opened itself. Nothing here decides what may be imported; `auth` and `chat` do, by the rules of their own commands.
//! The same file again changes nothing: users are known by their handle, conversations by their key.

mod driver;
mod key;
mod line;
mod target;

use std::sync::Arc;

use auth::{ImportUser, ImportedUser};
use chat::ImportConversation;
use link::{Call, Refusal, Service};
use protocol::accounts::{FindUsers, Profiles};
use protocol::chat::{ConversationKind, MemberRole};
use protocol::{ConversationId, ErrorCode, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub(crate) use driver::{Import, Outcome};
pub(crate) use target::{FindHandle, Found, Target};

/// Some users, on their way to the accounts.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserBatch {
    pub(crate) users: Vec<ImportUser>,
    /// Whether each of them is logged in.
    pub(crate) tokens: bool,
}

/// What became of each, in their order.
#[derive(Serialize, Deserialize)]
pub(crate) struct UsersDone {
    pub(crate) users: Vec<ImportedUser>,
}

/// Some conversations, on their way to the logs; at most 1,000.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConversationBatch {
    pub(crate) conversations: Vec<NewConversation>,
}

/// A conversation, its people by their ids.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewConversation {
    /// By what it is known again.
    pub(crate) key: Uuid,
    pub(crate) kind: ConversationKind,
    pub(crate) title: Option<String>,
    pub(crate) owner: UserId,
    pub(crate) members: Vec<(UserId, MemberRole)>,
}

/// What became of each, in their order.
#[derive(Serialize, Deserialize)]
pub(crate) struct ConversationsDone {
    pub(crate) conversations: Vec<Made>,
}

/// What became of a conversation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Made {
    Created(ConversationId),
    Existed(ConversationId),
    Refused(String),
}

/// The accounts of this process.
#[derive(Clone)]
pub(crate) struct Accounts(pub(crate) Arc<auth::Auth>);

impl Accounts {
    pub(crate) async fn import(&self, batch: UserBatch) -> Result<UsersDone, Refusal> {
        Ok(UsersDone { users: self.0.import_users(batch.users, batch.tokens).await? })
    }

    /// The account of a handle that the file only mentions.
    pub(crate) async fn find(&self, handle: String) -> Result<Option<UserId>, Refusal> {
        let body = FindUsers { handle: Some(handle), ids: Vec::new() };
        let found: Profiles = self.0.execute(Call::internal("users.find", None, &body)?).await.parse()?;
        Ok(found.users.first().map(|profile| profile.id))
    }
}

/// The conversations of this process.
#[derive(Clone)]
pub(crate) struct Conversations(pub(crate) Arc<chat::Chat>);

impl Conversations {
    /// All in one transaction; where one of them is refused, each in its own, so that the others are made and it is named.
    pub(crate) async fn import(&self, batch: ConversationBatch) -> Result<ConversationsDone, Refusal> {
        let all = batch.conversations.iter().cloned().map(Into::into).collect();
        match self.0.import(all).await {
            Ok(imported) => Ok(ConversationsDone { conversations: imported.into_iter().map(Into::into).collect() }),
            Err(refusal) if refusal.code == ErrorCode::InvalidRequest => self.one_by_one(batch).await,
            Err(refusal) => Err(refusal),
        }
    }

    async fn one_by_one(&self, batch: ConversationBatch) -> Result<ConversationsDone, Refusal> {
        let mut conversations = Vec::with_capacity(batch.conversations.len());
        for conversation in batch.conversations {
            let prefix = format!("{}: ", conversation.key);
            conversations.push(match self.0.import(vec![conversation.into()]).await {
                Ok(imported) => imported.into_iter().next().map_or_else(|| Made::Refused(String::new()), Made::from),
                Err(refusal) if refusal.code == ErrorCode::InvalidRequest => {
                    Made::Refused(refusal.message.trim_start_matches(&prefix).to_owned())
                }
                Err(refusal) => return Err(refusal),
            });
        }
        Ok(ConversationsDone { conversations })
    }
}

impl From<NewConversation> for ImportConversation {
    fn from(new: NewConversation) -> Self {
        let NewConversation { key, kind, title, owner, members } = new;
        Self { key, kind, title, owner, members }
    }
}

impl From<chat::Imported> for Made {
    fn from(imported: chat::Imported) -> Self {
        if imported.new { Self::Created(imported.id) } else { Self::Existed(imported.id) }
    }
}
