//! A client whose every word is recorded, and the reader of final logs.

use std::collections::BTreeMap;

use client::core::Event;
use client::{Client, CommandError, Config, Events};
use protocol::chat::{
    Appended, Conversation, ConversationKind, Conversations, CreateConversation, EditMessage, Invite,
    ListConversations, ListMessages, MarkRead, MemberRole, MemberTarget, MessageTarget, Messages, ReadState,
    SendMessage, Sent, SetMemberRole, UpdateConversation,
};
use protocol::frames::StreamPosition;
use protocol::{ClientId, ConversationId, Position, Seq, StreamId, UserId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::content::{Content, LogEntry, TextHash};
use super::fact::{Outcome, Verb};
use super::recorder::{Recorded, Recorder};

/// The answer of a command.
type Answered<T> = Result<T, CommandError>;

/// A client, recorded.
#[derive(Clone)]
pub struct Tracked {
    /// The client itself, for what stands in no log.
    pub client: Client,
    recorded: Recorded,
}

impl Tracked {
    /// Connects. What the client hears is recorded as the test takes it from [`Hearing`]; while nobody does, the client waits.
    #[must_use]
    pub fn connect(recorder: &Recorder, user: UserId, name: impl Into<String>, config: Config) -> (Self, Hearing) {
        let recorded = recorder.device(user, name);
        let (client, events) = Client::connect(config);
        (Self { client, recorded: recorded.clone() }, Hearing { events, recorded })
    }

    /// What is recorded of it.
    #[must_use]
    pub fn recorded(&self) -> &Recorded {
        &self.recorded
    }

    async fn change<T: DeserializeOwned>(
        &self,
        name: &'static str,
        conversation: ConversationId,
        body: &impl Serialize,
        verb: Verb,
        position: impl FnOnce(&T) -> Position,
    ) -> Answered<T> {
        let began = self.recorded.now();
        let answer = self.client.call(name, Some(conversation.to_string()), body).await;
        self.recorded.did(began, conversation, verb, Outcome::of(&answer, position));
        answer
    }

    async fn append(
        &self,
        name: &'static str,
        conversation: ConversationId,
        body: &impl Serialize,
        verb: Verb,
    ) -> Answered<Appended> {
        self.change(name, conversation, body, verb, |done: &Appended| done.position).await
    }

    /// `conversations.create`
    ///
    /// # Errors
    /// As every command of a client. What was not answered is not recorded: nobody knows its id.
    pub async fn create(
        &self,
        kind: ConversationKind,
        title: Option<&str>,
        members: &[UserId],
    ) -> Answered<Conversation> {
        let body = CreateConversation { kind, title: title.map(str::to_owned), members: members.to_vec() };
        let began = self.recorded.now();
        let answer: Answered<Conversation> = self.client.call("conversations.create", None, &body).await;
        if let Ok(made) = &answer {
            self.recorded.did(began, made.id, Verb::Create, Outcome::Done(made.head));
        }
        answer
    }

    /// `conversations.update`
    ///
    /// # Errors
    /// As every command of a client.
    pub async fn rename(&self, conversation: ConversationId, title: &str) -> Answered<Appended> {
        let body = UpdateConversation { title: title.to_owned() };
        let verb = Verb::Title { title: TextHash::of(title) };
        self.append("conversations.update", conversation, &body, verb).await
    }

    /// `messages.send`
    ///
    /// # Errors
    /// As every command of a client.
    pub async fn send(&self, conversation: ConversationId, text: &str) -> Answered<Sent> {
        self.send_as(conversation, ClientId::now(), text, None).await
    }

    /// `messages.send` under a client id of the test's choice.
    ///
    /// # Errors
    /// As every command of a client.
    pub async fn send_as(
        &self,
        conversation: ConversationId,
        client_id: ClientId,
        text: &str,
        reply_to: Option<Seq>,
    ) -> Answered<Sent> {
        let body = SendMessage { client_id, text: text.to_owned(), reply_to };
        let verb = Verb::Send { client_id, text: TextHash::of(text), reply_to };
        self.change("messages.send", conversation, &body, verb, |sent: &Sent| sent.position).await
    }

    /// `messages.edit`
    ///
    /// # Errors
    /// As every command of a client.
    pub async fn edit(&self, conversation: ConversationId, seq: Seq, text: &str) -> Answered<Appended> {
        let client_id = ClientId::now();
        let body = EditMessage { seq, text: text.to_owned(), client_id };
        let verb = Verb::Edit { client_id, target: seq, text: TextHash::of(text) };
        self.append("messages.edit", conversation, &body, verb).await
    }

    /// `messages.delete`
    ///
    /// # Errors
    /// As every command of a client.
    pub async fn delete(&self, conversation: ConversationId, seq: Seq) -> Answered<Appended> {
        let verb = Verb::Delete { target: seq };
        self.append("messages.delete", conversation, &MessageTarget { seq }, verb).await
    }

    /// `channels.join`
    ///
    /// # Errors
    /// As every command of a client.
    pub async fn join(&self, conversation: ConversationId) -> Answered<Appended> {
        self.append("channels.join", conversation, &Nothing {}, Verb::Join).await
    }

    /// `members.leave`
    ///
    /// # Errors
    /// As every command of a client.
    pub async fn leave(&self, conversation: ConversationId) -> Answered<Appended> {
        self.append("members.leave", conversation, &Nothing {}, Verb::Leave).await
    }

    /// `members.invite`
    ///
    /// # Errors
    /// As every command of a client.
    pub async fn invite(&self, conversation: ConversationId, users: &[UserId]) -> Answered<Appended> {
        let body = Invite { users: users.to_vec() };
        let verb = Verb::Invite { users: users.to_vec() };
        self.append("members.invite", conversation, &body, verb).await
    }

    /// `members.kick`
    ///
    /// # Errors
    /// As every command of a client.
    pub async fn kick(&self, conversation: ConversationId, user: UserId) -> Answered<Appended> {
        let verb = Verb::Kick { user };
        self.append("members.kick", conversation, &MemberTarget { user }, verb).await
    }

    /// `members.ban`
    ///
    /// # Errors
    /// As every command of a client.
    pub async fn ban(&self, conversation: ConversationId, user: UserId) -> Answered<Appended> {
        let verb = Verb::Ban { user };
        self.append("members.ban", conversation, &MemberTarget { user }, verb).await
    }

    /// `members.unban`
    ///
    /// # Errors
    /// As every command of a client.
    pub async fn unban(&self, conversation: ConversationId, user: UserId) -> Answered<Appended> {
        let verb = Verb::Unban { user };
        self.append("members.unban", conversation, &MemberTarget { user }, verb).await
    }

    /// `members.role`
    ///
    /// # Errors
    /// As every command of a client.
    pub async fn role(&self, conversation: ConversationId, user: UserId, role: MemberRole) -> Answered<Appended> {
        let body = SetMemberRole { user, role };
        let verb = Verb::Role { user, role };
        self.append("members.role", conversation, &body, verb).await
    }

    /// `read.mark`
    ///
    /// # Errors
    /// As every command of a client.
    pub async fn mark_read(&self, conversation: ConversationId, seq: Seq) -> Answered<ReadState> {
        let began = self.recorded.now();
        self.recorded.marks(conversation, seq);
        let to = Some(conversation.to_string());
        let state: ReadState = self.client.call("read.mark", to, &MarkRead { seq }).await?;
        self.recorded.marker(began, conversation, seq, state);
        Ok(state)
    }

    /// `messages.list`
    ///
    /// # Errors
    /// As every command of a client.
    pub async fn page(&self, conversation: ConversationId, request: ListMessages) -> Answered<Messages> {
        let began = self.recorded.now();
        let page = self.client.call("messages.list", Some(conversation.to_string()), &request).await?;
        self.recorded.page(began, conversation, request, &page);
        Ok(page)
    }

    /// `conversations.get`
    ///
    /// # Errors
    /// As every command of a client.
    pub async fn get(&self, conversation: ConversationId) -> Answered<Conversation> {
        let began = self.recorded.now();
        let to = Some(conversation.to_string());
        let read = self.client.call("conversations.get", to, &Nothing {}).await?;
        self.recorded.summary(began, &read);
        Ok(read)
    }

    /// `conversations.list`, to its end.
    ///
    /// # Errors
    /// As every command of a client.
    pub async fn list(&self) -> Answered<Vec<Conversation>> {
        let began = self.recorded.now();
        let mut all = Vec::new();
        loop {
            let after = all.last().map(|last: &Conversation| last.id);
            let request = ListConversations { after, limit: Some(100) };
            let page: Conversations = self.client.call("conversations.list", None, &request).await?;
            all.extend(page.conversations);
            if !page.more {
                break;
            }
        }
        self.recorded.list(began, &all);
        Ok(all)
    }
}

/// The body of commands that need none.
#[derive(Serialize)]
struct Nothing {}

/// The events of a recorded client.
pub struct Hearing {
    events: Events,
    recorded: Recorded,
}

impl Hearing {
    /// The next event, recorded.
    pub async fn next(&mut self) -> Option<Event> {
        let event = self.events.recv().await?;
        self.recorded.heard(&event);
        Some(event)
    }

    /// Records everything to the client's end.
    pub async fn to_the_end(mut self) {
        while self.next().await.is_some() {}
    }

    /// Records until the device stands at these heads, and says that it is in step. Nobody may write any more.
    ///
    /// # Panics
    /// The client ended before.
    pub async fn until(&mut self, heads: &BTreeMap<ConversationId, Seq>) {
        let mut missing = heads.clone();
        missing.retain(|conversation, head| !self.stands_at(*conversation, *head));
        while !missing.is_empty() {
            let event = self.next().await.expect("the client ended before it was in step");
            let Some(stream) = event.stream().or(match event {
                Event::Started { stream, .. } => Some(stream),
                _ => None,
            }) else {
                continue;
            };
            let conversation = ConversationId(stream.id);
            if missing.get(&conversation).is_some_and(|head| self.stands_at(conversation, *head)) {
                missing.remove(&conversation);
            }
        }
        self.recorded.is_in_step();
    }

    fn stands_at(&self, conversation: ConversationId, head: Seq) -> bool {
        self.recorded.last_heard(StreamId::conversation(conversation)) == Some(head)
    }
}

/// Reads the final logs of these conversations from their first entry on, through a client of somebody who sees all of them:
/// their creator, who never left. Nobody may write any more.
///
/// # Panics
/// The client ended before, or a log holds what is no entry.
pub async fn read_logs(
    mut config: Config,
    heads: &BTreeMap<ConversationId, Seq>,
) -> BTreeMap<ConversationId, Vec<LogEntry>> {
    let beginning = |conversation: &ConversationId| StreamPosition {
        stream: StreamId::conversation(*conversation),
        position: Position::default(),
    };
    config.settings.positions = heads.keys().map(beginning).collect();
    let (client, mut events) = Client::connect(config);
    let mut logs: BTreeMap<ConversationId, Vec<LogEntry>> = heads.keys().map(|id| (*id, Vec::new())).collect();
    while heads.iter().any(|(conversation, head)| (logs[conversation].len() as Seq) < *head) {
        let event = events.recv().await.expect("the client ended before it had the logs");
        assert!(!matches!(event, Event::Withheld { .. }), "the reader does not see all of the log: {event:?}");
        let Event::Entry(entry) = event else { continue };
        let Some(log) = logs.get_mut(&ConversationId(entry.from.stream.id)) else { continue };
        log.push(LogEntry {
            position: Position { seq: entry.from.seq, tag: entry.from.tag },
            at: entry.at.unwrap_or_default(),
            content: Content::parse(&entry.name, entry.body.get()).expect("an entry of a conversation's log"),
        });
    }
    client.stop().await;
    logs
}
