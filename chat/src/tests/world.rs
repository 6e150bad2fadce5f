//! A chat service in a temporary folder, and short words for what users do with it.

use std::collections::HashSet;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use link::grpc::{self, Address, Key, Listener, Offered, Trust};
use link::{Actor, Call, Caller, Context, Item, Page, ReadRequest, Reader, Reply, Service};
use parking_lot::Mutex;
use protocol::accounts::{FindUsers, Profile, Profiles, Role};
use protocol::chat::{Appended, Conversation, Sent};
use protocol::{ClientId, ConversationId, ErrorCode, Seq, ServiceName, SessionId, StreamId, UserId};
use rig::RedisServer;
use runtime::lifecycle::{Phase, Shutdown, Tasks};
use runtime::ops::Readiness;
use runtime::redis::{self, Redis};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Chat, Config, Host, Peers};

/// Stands where the auth service stands, which this crate may not know: it says who has an account.
#[derive(Default)]
struct Accounts(Mutex<HashSet<UserId>>);

#[async_trait]
impl Service for Accounts {
    fn name(&self) -> ServiceName {
        ServiceName::Auth
    }

    async fn execute(&self, call: Call) -> Reply {
        assert_eq!((call.command.as_str(), call.actor), ("users.find", Actor::System));
        let accounts = self.0.lock();
        let users = call.parse::<FindUsers>().unwrap().ids.into_iter().filter(|id| accounts.contains(id));
        let profile = |id: UserId| Profile { id, handle: id.to_string(), name: id.to_string(), avatar: None };
        Reply::ok(&Profiles { users: users.map(profile).collect() })
    }
}

/// The service with what surrounds it.
pub(crate) struct World {
    pub(crate) chat: Arc<Chat>,
    /// The way of commands: the service itself, or a link to it.
    way: Arc<dyn Service>,
    accounts: Arc<Accounts>,
    folder: Option<TempDir>,
    /// What it shares with other processes, in the worlds that have one.
    server: Option<RedisServer>,
    redis: Option<Redis>,
    tasks: Tasks,
    shutdown: Shutdown,
}

/// Somebody with an account, on one device.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) session: SessionId,
    pub(crate) role: Role,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::open(folder, Arc::default(), None)
    }

    /// The same, with a Redis.
    pub(crate) async fn with_redis() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::open(folder, Arc::default(), Some(RedisServer::start().await))
    }

    fn open(folder: TempDir, accounts: Arc<Accounts>, server: Option<RedisServer>) -> Self {
        let (shutdown, tasks) = (Shutdown::new(), Tasks::new(ServiceName::Chat));
        let config = Config { markers_every_ms: 5, presence_grace_ms: 300, ..Config::default() };
        let readiness = Readiness::new(shutdown.clone());
        let redis = server.as_ref().map(|server| {
            let config = redis::Config { url: server.url(), ..redis::Config::default() };
            Redis::start(&config, ServiceName::Chat, &tasks, shutdown.clone()).unwrap()
        });
        let host = Host { tasks: tasks.clone(), shutdown: shutdown.clone(), readiness, redis: redis.clone() };
        let peers = Peers { auth: Arc::clone(&accounts) as Arc<dyn Service> };
        let chat = Chat::open(config, folder.path(), peers, host).unwrap();
        let way = Arc::clone(&chat) as Arc<dyn Service>;
        Self { chat, way, accounts, folder: Some(folder), server, redis, tasks, shutdown }
    }

    /// The same, with all commands going over the link as they do between processes.
    pub(crate) async fn linked() -> Self {
        let mut world = Self::new();
        let folder = world.folder.as_ref().unwrap().path();
        // As the data directory is: the link refuses one that others may enter.
        std::fs::set_permissions(folder, Permissions::from_mode(0o700)).unwrap();
        let (address, trust) = (Address::Unix(folder.join("link.sock")), Trust::of_key(Key::generate()));
        let listener = Listener::bind(&address, &trust).await.unwrap();
        tokio::spawn(listener.serve(vec![Offered::always(Arc::clone(&world.way))], CancellationToken::new()));
        world.way = grpc::connect(&address, &trust, ServiceName::Chat, Arc::new(|_| ())).unwrap();
        world
    }

    /// Ends the service and starts it again on the same folder.
    pub(crate) async fn restart(mut self) -> Self {
        self.shutdown.advance(Phase::Stop);
        assert!(self.tasks.join(Duration::from_secs(10)).await.is_empty());
        self.chat.close().await;
        Self::open(self.folder.take().unwrap(), Arc::clone(&self.accounts), self.server.take())
    }

    /// The Redis, and a way to it under the store's epoch.
    pub(crate) fn redis(&self) -> (&RedisServer, Redis) {
        let redis = self.redis.as_ref().unwrap().under(self.chat.store().epoch().0);
        (self.server.as_ref().unwrap(), redis)
    }

    pub(crate) fn person(&self) -> Person {
        self.person_with(Role::User)
    }

    pub(crate) fn person_with(&self, role: Role) -> Person {
        let person = Person { id: UserId::now(), session: SessionId::now(), role };
        self.accounts.0.lock().insert(person.id);
        person
    }

    pub(crate) fn people<const N: usize>(&self) -> [Person; N] {
        std::array::from_fn(|_| self.person())
    }

    /// A group with an owner and members.
    pub(crate) async fn group(&self, owner: Person, members: &[Person]) -> ConversationId {
        let members: Vec<_> = members.iter().map(|member| member.id).collect();
        let body = json!({ "kind": "group", "title": "A group", "members": members });
        owner.ask::<Conversation>(self, "conversations.create", None, body).await.unwrap().id
    }

    pub(crate) async fn channel(&self, owner: Person) -> ConversationId {
        let body = json!({ "kind": "channel", "title": "A channel" });
        owner.ask::<Conversation>(self, "conversations.create", None, body).await.unwrap().id
    }

    pub(crate) async fn direct(&self, one: Person, other: Person) -> ConversationId {
        let body = json!({ "kind": "direct", "members": [other.id] });
        one.ask::<Conversation>(self, "conversations.create", None, body).await.unwrap().id
    }

    /// One page of a log.
    pub(crate) async fn page(&self, stream: StreamId, reader: Reader, after: Seq, limit: u32) -> Page {
        self.chat.read(ReadRequest { stream, reader, after, tag: None, limit }).await.unwrap()
    }

    /// The whole log, as the system sees it: the name and body of each entry.
    pub(crate) async fn log(&self, stream: StreamId) -> Vec<(String, Value)> {
        let mut entries = Vec::new();
        loop {
            let page = self.page(stream, Reader::System, entries.len() as Seq, 500).await;
            for item in &page.items {
                let Item::Entry(event) = item else { panic!("the system sees everything") };
                let (_, position) = event.position().unwrap();
                assert_eq!(position.seq, entries.len() as Seq + 1, "numbers have no gap");
                entries.push((event.name.to_string(), serde_json::from_slice(&event.body).unwrap()));
            }
            if entries.len() as Seq >= page.head.seq {
                return entries;
            }
        }
    }

    pub(crate) async fn conversation_log(&self, conversation: ConversationId) -> Vec<(String, Value)> {
        self.log(StreamId::conversation(conversation)).await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.advance(Phase::Stop);
    }
}

impl Person {
    pub(crate) async fn ask_with_key<T: DeserializeOwned>(
        &self,
        world: &World,
        command: &str,
        to: Option<ConversationId>,
        body: Value,
        key: Uuid,
    ) -> Result<T, ErrorCode> {
        let call = Call {
            command: command.to_owned(),
            actor: Actor::User(Caller { user: self.id, session: self.session, connection: None, role: self.role }),
            to: to.map(|to| to.to_string()),
            body: Bytes::from(body.to_string()),
            key: Some(key),
            cookie: None,
            context: Context::internal(),
        };
        world.way.execute(call).await.parse().map_err(|refusal| refusal.code)
    }

    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        world: &World,
        command: &str,
        to: Option<ConversationId>,
        body: Value,
    ) -> Result<T, ErrorCode> {
        self.ask_with_key(world, command, to, body, Uuid::new_v4()).await
    }

    /// A command about a conversation that answers where its entry stands.
    pub(crate) async fn act(
        &self,
        world: &World,
        command: &str,
        to: ConversationId,
        body: Value,
    ) -> Result<Seq, ErrorCode> {
        self.ask::<Appended>(world, command, Some(to), body).await.map(|appended| appended.position.seq)
    }

    pub(crate) async fn on(
        &self,
        world: &World,
        command: &str,
        to: ConversationId,
        target: Person,
    ) -> Result<Seq, ErrorCode> {
        self.act(world, command, to, json!({ "user": target.id })).await
    }

    pub(crate) async fn send(&self, world: &World, to: ConversationId, text: &str) -> Result<Sent, ErrorCode> {
        let body = json!({ "client_id": ClientId::now(), "text": text });
        self.ask(world, "messages.send", Some(to), body).await
    }

    pub(crate) async fn conversation(&self, world: &World, id: ConversationId) -> Result<Conversation, ErrorCode> {
        self.ask(world, "conversations.get", Some(id), json!({})).await
    }
}

/// Waits until something holds; for what workers do in their own time. Each look is a question to the store.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let waiting = async { while !holds().await {} };
    assert!(tokio::time::timeout(Duration::from_secs(20), waiting).await.is_ok(), "never: {what}");
}
