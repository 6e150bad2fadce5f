//! A desk on the real store, and what stands around it.

mod sharing;
mod way;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use link::calls::{AskAudience, CALLS_AUDIENCE, CALLS_RECORD, CallAudience, Recorded};
use link::{
    Actor, Audience, Call, Caller, Change, Context, Effect, Event, Hints, Identity, Publisher, Refusal, Reply,
    Revocation, Revocations, Revoked, Service,
};
use parking_lot::Mutex;
use protocol::accounts::Role;
use protocol::calls::{CallRecord, Joined, ParticipantStatus};
use protocol::{
    CallId, ClientId, ConnectionId, ConversationId, ErrorCode, Millis, Position, ServiceName, SessionId, StreamId, Tag,
    UserId,
};
use runtime::audit::Spool;
use runtime::lifecycle::{Phase, Shutdown};
use runtime::store::Store;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

use crate::commands;
use crate::config::Config;
use crate::desk::{Desk, Live, Parts};
use crate::store::{CallStore, Others, RedisCalls, SharedCalls, SqliteCalls, store_options};

use way::Way;

const T0: Millis = 1_800_000_000_000;
/// How long a test waits for what another task does.
const PATIENCE: Duration = Duration::from_secs(20);

/// Stands where chat stands, which this crate may not know: who belongs to what, and which records it has.
#[derive(Default)]
pub(crate) struct Chat {
    members: Mutex<HashMap<ConversationId, BTreeSet<UserId>>>,
    records: Mutex<HashMap<CallId, CallRecord>>,
    /// How often a record was to be written.
    asked: AtomicU64,
    fails: Mutex<bool>,
    /// A question was not answered.
    unanswered: Notify,
    silent: AtomicBool,
    /// Goes right after the next question who belongs to a conversation was answered.
    goes: Mutex<Option<(ConversationId, UserId)>>,
    /// Whom to tell that a question has come, and what it waits for.
    held: Mutex<Option<(oneshot::Sender<()>, oneshot::Receiver<()>)>>,
    told: Mutex<Told>,
}

/// One process of chat, as those see it who watch it.
struct Told {
    publisher: Publisher,
    ends: CancellationToken,
}

impl Default for Told {
    /// So few hints are kept that a burst is missed.
    fn default() -> Self {
        Self { publisher: Publisher::new(1), ends: CancellationToken::new() }
    }
}

#[async_trait]
impl Service for Chat {
    fn name(&self) -> ServiceName {
        ServiceName::Chat
    }

    async fn execute(&self, call: Call) -> Reply {
        assert_eq!(call.actor, Actor::System);
        match call.command.as_str() {
            CALLS_AUDIENCE => {
                if *self.fails.lock() || self.silent.load(Ordering::Relaxed) {
                    self.unanswered.notify_one();
                    return Refusal::of(ErrorCode::Unavailable).into();
                }
                let held = self.held.lock().take();
                if let Some((came, go_on)) = held {
                    came.send(()).unwrap();
                    go_on.await.unwrap();
                }
                let answer = self.audience(&call.parse().unwrap());
                if let Some((conversation, user)) = self.goes.lock().take() {
                    self.leaves(conversation, user);
                }
                Reply::ok(&answer)
            }
            CALLS_RECORD => {
                self.asked.fetch_add(1, Ordering::Relaxed);
                if *self.fails.lock() {
                    return Refusal::of(ErrorCode::Unavailable).into();
                }
                let record: CallRecord = call.parse().unwrap();
                let appended = self.records.lock().insert(record.call, record).is_none();
                Reply::ok(&Recorded { appended })
            }
            other => panic!("{other}"),
        }
    }

    async fn watch(&self) -> Result<Hints, Refusal> {
        if *self.fails.lock() {
            return Err(Refusal::of(ErrorCode::Unavailable));
        }
        let told = self.told.lock();
        Ok(Box::pin(told.publisher.watch().take_until(told.ends.clone().cancelled_owned())))
    }
}

impl Chat {
    fn audience(&self, ask: &AskAudience) -> CallAudience {
        let conversations = self.members.lock();
        let Some(members) = conversations.get(&ask.conversation) else { return CallAudience::default() };
        let of_those = ask.users.iter().copied().filter(|user| members.contains(user)).collect();
        let named = members.len() <= ask.name_up_to;
        let members = if named { members.iter().copied().collect() } else { Vec::new() };
        CallAudience { direct: false, of_those, members }
    }

    /// It fails from now on, or no longer. Who watched it has lost it.
    pub(crate) fn fails(&self, fails: bool) {
        *self.fails.lock() = fails;
        let before = std::mem::take(&mut *self.told.lock());
        before.ends.cancel();
    }

    /// Whether questions are answered, though all the rest goes on.
    pub(crate) fn answers(&self, answers: bool) {
        self.silent.store(!answers, Ordering::Relaxed);
    }

    /// Awaits a question that was not answered.
    pub(crate) async fn was_asked_in_vain(&self) {
        tokio::time::timeout(PATIENCE, self.unanswered.notified()).await.unwrap();
    }

    /// Somebody leaves, and it is told.
    pub(crate) fn leaves(&self, conversation: ConversationId, user: UserId) {
        self.leaves_untold(conversation, user);
        self.tell(&[effect(conversation, user)]);
    }

    /// Somebody leaves, and whoever watches misses it.
    pub(crate) fn leaves_untold(&self, conversation: ConversationId, user: UserId) {
        self.members.lock().get_mut(&conversation).unwrap().remove(&user);
    }

    /// Somebody leaves as soon as somebody has asked who belongs to it.
    pub(crate) fn leaves_after_the_next_question(&self, conversation: ConversationId, user: UserId) {
        *self.goes.lock() = Some((conversation, user));
    }

    /// The next question waits; answers when it has come, and lets it go on.
    pub(crate) fn holds_the_next_question(&self) -> (oneshot::Receiver<()>, oneshot::Sender<()>) {
        let ((came, comes), (go_on, goes_on)) = (oneshot::channel(), oneshot::channel());
        *self.held.lock() = Some((came, goes_on));
        (comes, go_on)
    }

    /// A burst of hints of which a slow reader keeps the last one only.
    pub(crate) fn bursts(&self) {
        for _ in 0..8 {
            self.tell(&[]);
        }
    }

    fn tell(&self, effects: &[Effect]) {
        let event = Event {
            identity: Identity::Ephemeral { until: 0 },
            audience: Audience::Users(Arc::new([])),
            name: "test".into(),
            at: 0,
            body: Bytes::from_static(b"{}"),
            by_rights: false,
            effects: effects.into(),
        };
        self.told.lock().publisher.publish(event);
    }

    /// The records that it has, and how often one was to be written.
    pub(crate) fn records(&self) -> (Vec<CallRecord>, u64) {
        (self.records.lock().values().cloned().collect(), self.asked.load(Ordering::Relaxed))
    }
}

fn effect(conversation: ConversationId, user: UserId) -> Effect {
    let at = Position { seq: 9, tag: Tag(9) };
    Effect { stream: StreamId::conversation(conversation), user, change: Change::Left, at }
}

/// Stands where auth stands: its list of revocations.
#[derive(Default)]
pub(crate) struct Auth(Mutex<Vec<Revocation>>);

impl Auth {
    pub(crate) fn revokes(&self, user: UserId, session: SessionId) {
        let mut rows = self.0.lock();
        let number = rows.len() as u64 + 1;
        rows.push(Revocation { number, user, revoked: Revoked::Session(session), until: u64::MAX });
    }
}

#[async_trait]
impl Service for Auth {
    fn name(&self) -> ServiceName {
        ServiceName::Auth
    }

    async fn execute(&self, call: Call) -> Reply {
        panic!("{}", call.command)
    }

    async fn revocations(&self, after: u64) -> Result<Revocations, Refusal> {
        let list = self.0.lock();
        let rows: Vec<_> = list.iter().filter(|row| row.number > after).copied().collect();
        Ok(Revocations { newest: list.len() as u64, rows })
    }
}

/// A service without its workers: a test lets each of them work when it wants.
pub(crate) struct World {
    pub(crate) desk: Arc<Desk>,
    pub(crate) chat: Arc<Chat>,
    pub(crate) shutdown: Shutdown,
    spool: Spool,
    store: Store,
    time: Arc<AtomicU64>,
    folder: Option<TempDir>,
    /// The way to the only other process there is, once there is one.
    way: Arc<Way>,
}

/// Somebody on one device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) connection: ConnectionId,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::open(tempfile::tempdir().unwrap(), Arc::default(), Arc::new(AtomicU64::new(T0))).await
    }

    async fn open(folder: TempDir, chat: Arc<Chat>, time: Arc<AtomicU64>) -> Self {
        Self::open_with(folder, chat, time, None)
    }

    fn open_with(folder: TempDir, chat: Arc<Chat>, time: Arc<AtomicU64>, shared: Option<RedisCalls>) -> Self {
        let store = Store::open(store_options(folder.path())).unwrap();
        let clock = Arc::clone(&time);
        let own = SqliteCalls::with_clock(store.clone(), move || clock.load(Ordering::Relaxed));
        let live = Arc::new(Live::default());
        let way = Arc::<Way>::default();
        let shared = shared.map(|redis| {
            let others = Others::among(vec![Arc::clone(&way) as Arc<dyn Service>]);
            Arc::new(SharedCalls::new(redis, own.clone(), Arc::clone(&live), others))
        });
        let calls: Arc<dyn CallStore> = match &shared {
            Some(shared) => Arc::clone(shared) as Arc<dyn CallStore>,
            None => Arc::new(own),
        };
        let parts = Parts {
            config: Config::default(),
            store: calls,
            shared,
            live,
            chat: Arc::clone(&chat) as Arc<dyn Service>,
            relay: None,
        };
        let desk = Arc::new(Desk::new(parts));
        let spool = Spool::start(store.clone(), 16);
        Self { desk, chat, shutdown: Shutdown::new(), spool, store, time, folder: Some(folder), way }
    }

    /// The process ends, and another one finds what it left.
    pub(crate) async fn restart(mut self) -> Self {
        self.shutdown.advance(Phase::Stop);
        self.spool.drain().await;
        self.store.close().await;
        let folder = self.folder.take().unwrap();
        let world = Self::open(folder, Arc::clone(&self.chat), Arc::clone(&self.time)).await;
        crate::work::recover(&world.desk).await.unwrap();
        world
    }

    pub(crate) fn advance(&self, ms: Millis) {
        self.time.fetch_add(ms, Ordering::Relaxed);
    }

    /// The store, as another process that works on it sees it.
    pub(crate) fn other_worker(&self) -> impl CallStore {
        let clock = Arc::clone(&self.time);
        SqliteCalls::with_clock(self.store.clone(), move || clock.load(Ordering::Relaxed))
    }

    /// People in a conversation.
    pub(crate) fn group<const N: usize>(&self) -> (ConversationId, [Person; N]) {
        let people = std::array::from_fn(|_| Person {
            user: UserId::now(),
            session: SessionId::now(),
            connection: ConnectionId::now(),
        });
        let conversation = ConversationId::now();
        self.chat.members.lock().insert(conversation, people.iter().map(|person| person.user).collect());
        (conversation, people)
    }

    /// Someone calls, and some of those who are called answer.
    pub(crate) async fn talk(&self, conversation: ConversationId, by: Person, others: &[Person]) -> CallId {
        let call = self.start(conversation, by).await.call.id;
        for other in others {
            let joined: Joined = other.ask(self, "call.join", call, json!({})).await.unwrap();
            assert!(joined.epoch.is_some());
        }
        call
    }

    pub(crate) async fn start(&self, conversation: ConversationId, by: Person) -> Joined {
        let body = json!({ "client_id": ClientId::now(), "kind": "audio" });
        by.ask(self, "call.start", conversation, body).await.unwrap()
    }

    /// Where someone is in a call.
    pub(crate) async fn status(&self, call: CallId, person: Person) -> Option<ParticipantStatus> {
        self.desk.load(call).await.unwrap().parts.get(&person.user).map(|part| part.status)
    }

    /// Awaits that someone is there; every change is told.
    pub(crate) async fn until(&self, call: CallId, person: Person, status: ParticipantStatus) {
        let mut told = self.desk.publisher.watch();
        let arrived = async {
            while self.status(call, person).await != Some(status) {
                told.next().await.unwrap();
            }
        };
        let arrived = tokio::time::timeout(PATIENCE, arrived).await;
        assert!(arrived.is_ok(), "{:?} and not {status:?}", self.status(call, person).await);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.advance(Phase::Stop);
    }
}

impl Person {
    pub(crate) fn on_another_device(self) -> Self {
        Self { session: SessionId::now(), connection: ConnectionId::now(), ..self }
    }

    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        world: &World,
        command: &str,
        to: impl ToString,
        body: Value,
    ) -> Result<T, ErrorCode> {
        let caller =
            Caller { user: self.user, session: self.session, connection: Some(self.connection), role: Role::User };
        let call = Call {
            command: command.to_owned(),
            actor: Actor::User(caller),
            to: Some(to.to_string()),
            body: Bytes::from(body.to_string()),
            key: None,
            cookie: None,
            context: Context::internal(),
        };
        commands::execute(&world.desk, &world.spool, call).await.parse().map_err(|refusal| refusal.code)
    }
}
