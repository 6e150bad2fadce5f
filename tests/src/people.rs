//! Accounts and what they do over REST and sockets, in the few words that scenarios are written in.

use std::net::SocketAddr;

use protocol::accounts::Grant;
use protocol::chat::{Appended, Conversation, Messages, ReadState, Sent};
use protocol::frames::{EVENT_LIVE, EVENT_WITHHELD, StreamPosition, Welcome, Withheld};
use protocol::{ClientId, ConversationId, ErrorCode, Position, Seq, SessionId, StreamId, Tag, UserId};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::places::Places;
use crate::rest::{Answer, Rest};
use crate::socket::{Event, Opening, Socket};
use crate::witness::{Desk, Witness};

/// The password of everyone in the scenarios.
pub const PASSWORD: &str = "a long enough passphrase";

/// Before the first entry of any log.
pub const START: Position = Position { seq: 0, tag: Tag(0) };

/// One login of an account.
#[derive(Clone)]
pub struct Person {
    /// The account.
    pub id: UserId,
    /// The handle.
    pub handle: String,
    /// The login.
    pub session: SessionId,
    /// The access token.
    pub access: String,
    /// The refresh token; empty in cookie mode.
    pub refresh: String,
    /// The client that REST calls go through; with several gateways, by another one than sockets.
    pub rest: Rest,
    /// Where this login's sockets go.
    pub gateway: SocketAddr,
    /// Records what everybody does and sees.
    pub witness: Witness,
    places: Places,
    desk: Desk,
}

/// One open device of a person.
pub struct Device {
    /// Whose.
    pub user: UserId,
    /// The socket.
    pub socket: Socket,
    /// What the server said at hello.
    pub welcome: Welcome,
}

impl Person {
    /// Makes an account, all of whose logins go to this gateway.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn register(rest: &Rest, gateway: SocketAddr, handle: &str, witness: &Witness) -> Self {
        Self::register_at(&Places::only(gateway, rest.clone()), handle, witness).await
    }

    /// Makes an account, whose logins are spread over gateways.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn register_at(places: &Places, handle: &str, witness: &Witness) -> Self {
        let (gateway, rest) = places.next();
        let body = json!({ "handle": handle, "name": handle, "password": PASSWORD, "device": "first" });
        let answer = rest.command("auth.register", None, None, body).await;
        Self::of(&answer.data(), (gateway, rest), places, witness)
    }

    /// Logs the same account in on another device.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn login(&self, device: &str) -> Self {
        let (gateway, rest) = self.places.next();
        let body = json!({ "handle": self.handle, "password": PASSWORD, "device": device });
        let answer = rest.command("auth.login", None, None, body).await;
        Self::of(&answer.data(), (gateway, rest), &self.places, &self.witness)
    }

    /// A login that only looks, and is not recorded; `None` where this person can't log in any more.
    pub async fn reader(rest: &Rest, gateway: SocketAddr, handle: &str) -> Option<Self> {
        let body = json!({ "handle": handle, "password": PASSWORD, "device": "reader" });
        let answer = rest.command("auth.login", None, None, body).await;
        let place = (gateway, rest.clone());
        let places = Places::only(gateway, rest.clone());
        (answer.status == 200).then(|| Self::of(&answer.data(), place, &places, &Witness::default()))
    }

    /// The login that a grant gives.
    fn of(grant: &Grant, (gateway, rest): (SocketAddr, Rest), places: &Places, witness: &Witness) -> Self {
        Self {
            id: grant.user.id,
            handle: grant.user.handle.clone(),
            session: grant.session,
            access: grant.access_token.clone(),
            refresh: grant.refresh_token.clone().unwrap_or_default(),
            rest,
            gateway,
            witness: witness.clone(),
            places: places.clone(),
            desk: witness.desk(grant.user.id, &grant.user.handle, "REST client"),
        }
    }

    /// Calls a command over REST as this person.
    pub async fn call(&self, name: &str, to: Option<&str>, body: Value) -> Answer {
        let asked = self.desk.asks(name, to, &body);
        let answer = self.rest.command(name, Some(&self.access), to, body).await;
        match answer.status {
            200 => self.desk.answered(&asked, Ok(&answer.data())),
            _ => self.desk.answered(&asked, Err(answer.refused())),
        }
        answer
    }

    /// Calls a command on a conversation.
    pub async fn on(&self, conversation: ConversationId, name: &str, body: Value) -> Answer {
        let to = conversation.to_string();
        self.call(name, Some(&to), body).await
    }

    /// Calls a command on a conversation that must be refused.
    ///
    /// # Panics
    /// When it isn't.
    pub async fn refused(&self, conversation: ConversationId, name: &str, body: Value) -> ErrorCode {
        self.on(conversation, name, body).await.refused()
    }

    /// Calls a command on a conversation that must succeed.
    ///
    /// # Panics
    /// When it doesn't.
    pub async fn done<T: DeserializeOwned>(&self, conversation: ConversationId, name: &str, body: Value) -> T {
        self.on(conversation, name, body).await.data()
    }

    /// Opens the 1-1 conversation with somebody.
    pub async fn direct(&self, other: &Self) -> ConversationId {
        let body = json!({ "kind": "direct", "members": [other.id] });
        self.create(body).await.id
    }

    /// Makes a group of this person and others.
    pub async fn group(&self, title: &str, others: &[&Self]) -> ConversationId {
        let members: Vec<UserId> = others.iter().map(|other| other.id).collect();
        let body = json!({ "kind": "group", "title": title, "members": members });
        self.create(body).await.id
    }

    /// Makes a public channel.
    pub async fn channel(&self, title: &str) -> ConversationId {
        self.create(json!({ "kind": "channel", "title": title })).await.id
    }

    /// Makes a conversation.
    pub async fn create(&self, body: Value) -> Conversation {
        self.call("conversations.create", None, body).await.data()
    }

    /// The conversation as this person sees it.
    pub async fn conversation(&self, conversation: ConversationId) -> Conversation {
        self.done(conversation, "conversations.get", json!({})).await
    }

    /// How many messages this person has not read.
    pub async fn unread(&self, conversation: ConversationId) -> u64 {
        self.conversation(conversation).await.unread
    }

    /// Sends a message over REST.
    pub async fn say(&self, conversation: ConversationId, text: &str) -> Sent {
        let body = json!({ "client_id": Uuid::new_v4(), "text": text });
        self.done(conversation, "messages.send", body).await
    }

    /// Edits a message over REST.
    pub async fn edit(&self, conversation: ConversationId, seq: Seq, text: &str) -> Appended {
        let body = json!({ "seq": seq, "text": text, "client_id": Uuid::new_v4() });
        self.done(conversation, "messages.edit", body).await
    }

    /// Deletes a message over REST.
    pub async fn delete(&self, conversation: ConversationId, seq: Seq) -> Appended {
        self.done(conversation, "messages.delete", json!({ "seq": seq })).await
    }

    /// A page of history.
    pub async fn history(&self, conversation: ConversationId, page: Value) -> Messages {
        self.done(conversation, "messages.list", page).await
    }

    /// Moves the read marker.
    pub async fn read(&self, conversation: ConversationId, seq: Seq) -> ReadState {
        self.done(conversation, "read.mark", json!({ "seq": seq })).await
    }

    /// The entries of a conversation's log after a position, as this person sees them; `withheld` among them.
    ///
    /// # Panics
    /// When the position is not of that log.
    pub async fn log(&self, conversation: ConversationId, after: Position) -> Vec<Event> {
        let stream = StreamId::conversation(conversation);
        let mut socket = Socket::open(self.gateway, self.opening()).await.expect("an upgrade");
        socket.hello(&self.access).await;
        let synced = socket.sync(vec![StreamPosition { stream, position: after }]).await;
        assert!(!synced.reset.contains(&stream), "{synced:?}");
        socket.event(EVENT_LIVE).await;
        let mut events = socket.take_events();
        events.retain(|event| event.from.is_some_and(|from| from.stream == stream));
        events
    }

    /// Opens a device that is told everything from now on.
    pub async fn device(&self) -> Device {
        self.device_by(self.opening()).await
    }

    /// Opens a device in a way of its own that is told everything from now on.
    pub async fn device_by(&self, opening: Opening) -> Device {
        let desk = self.witness.desk(self.id, &self.handle, "device");
        let (socket, welcome) = Socket::live(self.gateway, opening, &self.access, Some(desk)).await;
        Device { user: self.id, socket, welcome }
    }

    /// How this person's sockets open: over TLS where REST goes over TLS.
    fn opening(&self) -> Opening {
        Opening { trust: self.rest.trust().cloned(), ..Opening::default() }
    }
}

impl Device {
    /// Sends a message on the socket and awaits its answer.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn say(&mut self, conversation: ConversationId, text: &str) -> Sent {
        let client_id = ClientId(Uuid::new_v4());
        let body = json!({ "client_id": client_id, "text": text });
        let to = conversation.to_string();
        let sent = self.socket.command("messages.send", Some(&to), &body).await;
        serde_json::from_value(sent.expect("sent")).expect("sent")
    }

    /// Calls a command on a conversation that must succeed.
    ///
    /// # Panics
    /// When it doesn't.
    pub async fn done(&mut self, conversation: ConversationId, name: &str, body: Value) -> Value {
        let to = conversation.to_string();
        let answer = self.socket.command(name, Some(&to), &body).await;
        answer.unwrap_or_else(|error| panic!("{name}: {error:?}"))
    }

    /// The next event of this name.
    pub async fn event(&mut self, name: &str) -> Event {
        self.socket.event(name).await
    }

    /// The next message, which must have this text.
    ///
    /// # Panics
    /// When it has another.
    pub async fn hears(&mut self, text: &str) -> Event {
        let event = self.event(protocol::chat::MESSAGE_NEW).await;
        assert_eq!(event.body["text"], text, "{event:?}");
        event
    }
}

/// Entries follow each other without a hole; a withheld range counts as what it stands for.
///
/// # Panics
/// When they don't.
pub fn assert_gapless(events: &[Event], after: Seq) {
    let mut expected = after + 1;
    for event in events {
        let from = event.from.expect("an entry");
        let first = match event.name.as_str() {
            EVENT_WITHHELD => event.body::<Withheld>().first,
            _ => from.seq,
        };
        assert_eq!(first, expected, "{event:?}");
        expected = from.seq + 1;
    }
}
