//! Conversations and channels.

use bytes::Bytes;
use link::{CookieChange, Refusal, Reply};
use protocol::ErrorCode;
use protocol::chat::{
    Appended, Channels, Conversation, Conversations, CreateConversation, FindChannels, ListConversations,
    UpdateConversation,
};
use protocol::limits::TITLE_CHARS_MAX;

use super::{Command, PAGE_DEFAULT, page_size};
use crate::conversations::create::{Plan, create};
use crate::conversations::{channels, idempotency, title, view};
use crate::people;
use crate::refuse::{Stop, invalid, refuse};

impl Command<'_> {
    pub(super) async fn create(self) -> Reply {
        Reply { result: self.created().await, cookie: CookieChange::Keep }
    }

    async fn created(self) -> Result<Bytes, Refusal> {
        let request: CreateConversation = self.call.parse()?;
        let key = self.call.key.ok_or_else(|| Refusal::of(ErrorCode::IdempotencyKeyRequired))?;
        let origin = self.origin.clone();
        let caller = origin.user;
        let canonical = encode(&request)?;
        let plan = Plan::new(request, caller)?;
        let unknown = people::unknown(&self.chat.shared, &plan.members).await?;
        let answer = self
            .chat
            .shared
            .write("conversations/create", move |change| {
                let (connection, now) = (change.connection(), change.now);
                if let Some(answer) = idempotency::answered(connection, caller, key, &canonical, now)? {
                    return Ok(answer);
                }
                if let Some(user) = unknown.first() {
                    return Err(refuse(ErrorCode::NotFound, format!("There is no user {user}.")));
                }
                let id = create(change, caller, &plan)?;
                change.audit(&origin, "conversation.create", id, None)?;
                let answer = encode(&view::get(connection, caller, id)?).map_err(Stop::from)?;
                idempotency::remember(connection, caller, key, &canonical, &answer, now)?;
                Ok(answer)
            })
            .await?;
        Ok(answer.into())
    }

    pub(super) async fn conversations(self) -> Result<Conversations, Refusal> {
        let request: ListConversations = self.call.parse()?;
        let limit = page_size(request.limit, PAGE_DEFAULT)?;
        let caller = self.origin.user;
        self.chat
            .shared
            .read("conversations/list", move |connection| view::list(connection, caller, request.after, limit))
            .await
    }

    pub(super) async fn conversation(self) -> Result<Conversation, Refusal> {
        let conversation = self.conversation_id()?;
        let caller = self.origin.user;
        self.chat.shared.read("conversations/get", move |connection| view::get(connection, caller, conversation)).await
    }

    pub(super) async fn rename(self) -> Result<Appended, Refusal> {
        let conversation = self.conversation_id()?;
        let request: UpdateConversation = self.call.parse()?;
        let title = title::checked(request.title)?;
        let caller = self.origin.user;
        self.chat
            .shared
            .write("conversations/rename", move |change| title::update(change, caller, conversation, title))
            .await
    }

    pub(super) async fn channels(self) -> Result<Channels, Refusal> {
        let request: FindChannels = self.call.parse()?;
        let limit = page_size(request.limit, PAGE_DEFAULT)?;
        if request.title.as_ref().is_some_and(|title| title.chars().count() > TITLE_CHARS_MAX) {
            return Err(invalid(format!("title: at most {TITLE_CHARS_MAX} characters")));
        }
        let caller = self.origin.user;
        self.chat
            .shared
            .read("conversations/find", move |connection| {
                channels::find(connection, caller, request.title.as_deref(), request.after, limit)
            })
            .await
    }

    pub(super) async fn join(self) -> Result<Appended, Refusal> {
        let conversation = self.conversation_id()?;
        let origin = self.origin.clone();
        self.chat.shared.write("memberships/join", move |change| channels::join(change, &origin, conversation)).await
    }
}

fn encode(body: &impl serde::Serialize) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(body).map_err(|error| Refusal::new(ErrorCode::Internal, error.to_string()))
}
