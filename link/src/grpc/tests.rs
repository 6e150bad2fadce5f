//! A service across the link answers like the service itself; what a network adds has a stated meaning.

mod health;
mod names;
mod tls;

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use protocol::{Epoch, ErrorCode, Position, ServiceName, StreamId, Tag, UserId};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::{Address, AddressError, BindError, BreakerState, Key, Listener, Offered, Trust, connect};
use crate::*;

/// A service with something to say to every method.
struct Talkative {
    publisher: Publisher,
    calls: AtomicU32,
    begun: std::sync::Mutex<Vec<Bytes>>,
}

impl Talkative {
    fn new() -> Arc<Self> {
        Arc::new(Self { publisher: Publisher::new(64), calls: AtomicU32::new(0), begun: std::sync::Mutex::default() })
    }
}

fn event(name: &'static str) -> Event {
    Event {
        identity: Identity::Ephemeral { until: 7 },
        audience: Audience::Users(Arc::from([UserId(Uuid::nil())])),
        name: name.into(),
        at: 5,
        body: Bytes::from_static(b"{\"a\":1}"),
        by_rights: false,
        effects: Arc::from([]),
    }
}

#[async_trait]
impl Service for Talkative {
    fn name(&self) -> ServiceName {
        ServiceName::Chat
    }

    async fn execute(&self, call: Call) -> Reply {
        self.calls.fetch_add(1, Ordering::SeqCst);
        match call.command.as_str() {
            "echo" => Reply { result: Ok(call.body), cookie: CookieChange::Clear },
            "messages.list" | "hang" => std::future::pending().await,
            "begin" => {
                self.begun.lock().unwrap().push(call.body.clone());
                tokio::task::yield_now().await;
                Reply { result: Ok(call.body), cookie: CookieChange::Keep }
            }
            "begun" => {
                let body = self.begun.lock().unwrap().concat();
                Reply { result: Ok(body.into()), cookie: CookieChange::Keep }
            }
            "panic" => panic!("on purpose"),
            "refuse" => Refusal::of(ErrorCode::RateLimited).after(1_234).into(),
            name => Refusal::unsupported(name).into(),
        }
    }

    async fn watch(&self) -> Result<Hints, Refusal> {
        Ok(self.publisher.watch())
    }

    async fn subscriptions(&self, user: UserId) -> Result<Subscriptions, Refusal> {
        Ok(Subscriptions {
            epoch: Epoch(Uuid::nil()),
            heads: vec![Head { stream: StreamId::user(user), position: Position { seq: 3, tag: Tag(9) } }],
        })
    }

    async fn heads(&self, streams: Vec<StreamId>) -> Result<Vec<Head>, Refusal> {
        Ok(streams.into_iter().map(|stream| Head { stream, position: Position::default() }).collect())
    }

    async fn read(&self, request: ReadRequest) -> Result<Page, Refusal> {
        if request.after > 100 {
            return Err(Refusal::of(ErrorCode::NotFound));
        }
        Ok(Page {
            items: vec![Item::Entry(event("one"))],
            head: Position { seq: request.after + 1, tag: Tag(1) },
            standing: Standing::Gone,
        })
    }
}

fn say(command: &str) -> Call {
    Call {
        command: command.to_owned(),
        actor: Actor::System,
        to: Some("c:1".to_owned()),
        body: Bytes::from_static(b"{\"b\":2}"),
        key: None,
        cookie: None,
        context: Context::internal(),
    }
}

fn first_page() -> ReadRequest {
    let stream = StreamId::user(UserId(Uuid::nil()));
    ReadRequest { stream, reader: Reader::User(UserId(Uuid::nil())), after: 0, tag: None, limit: 1 }
}

/// What every way to a service must do alike.
async fn behaves(service: Arc<dyn Service>, publisher: &Publisher) {
    assert_eq!(service.name(), ServiceName::Chat);
    let reply = service.execute(say("echo")).await;
    assert_eq!(reply.result, Ok(Bytes::from_static(b"{\"b\":2}")));
    assert_eq!(reply.cookie, CookieChange::Clear);
    let refused = service.execute(say("refuse")).await.result.unwrap_err();
    assert_eq!(refused, Refusal::of(ErrorCode::RateLimited).after(1_234));
    let unknown = service.execute(say("future.command")).await.result;
    assert_eq!(unknown.unwrap_err(), Refusal::unsupported("future.command"));

    // A thousand commands on one conversation, started in order and awaited together.
    let texts: Vec<String> = (0..1_000).map(|n| format!("{n};")).collect();
    let all: futures_util::stream::FuturesUnordered<_> =
        texts.iter().map(|text| service.execute(Call { body: text.clone().into(), ..say("begin") })).collect();
    assert!(all.all(|reply| std::future::ready(reply.result.is_ok())).await);
    assert_eq!(service.execute(say("begun")).await.result, Ok(texts.concat().into()));

    let user = UserId::now();
    let subscriptions = service.subscriptions(user).await.unwrap();
    assert_eq!(subscriptions.heads[0].stream, StreamId::user(user));
    let streams = vec![StreamId::user(user); 3];
    assert_eq!(service.heads(streams).await.unwrap().len(), 3);
    let mut request =
        ReadRequest { stream: StreamId::user(user), reader: Reader::User(user), after: 41, tag: None, limit: 10 };
    let page = service.read(request).await.unwrap();
    assert_eq!(page.head.seq, 42);
    assert_eq!(page.standing, Standing::Gone);
    assert_eq!(page.items, [Item::Entry(event("one"))]);
    request.after = 101;
    assert_eq!(service.read(request).await, Err(Refusal::of(ErrorCode::NotFound)));
    // What the service does not offer.
    for refused in [service.registers(user).await.unwrap_err(), service.revocations(0).await.unwrap_err()] {
        assert_eq!(refused.code, ErrorCode::Unsupported);
        assert_eq!(refused.message, "chat-service does not offer this");
    }

    let mut hints = service.watch().await.unwrap();
    let Some(Hint::Newest { number, .. }) = hints.next().await else {
        panic!("the first item confirms the watch");
    };
    for name in ["a", "b", "c"] {
        publisher.publish(event(name));
    }
    for (n, name) in [(1, "a"), (2, "b"), (3, "c")] {
        let Some(Hint::Event { number: of, event, .. }) = hints.next().await else {
            panic!("the published events follow");
        };
        assert_eq!((of, event.name.as_ref()), (number + n, name));
    }
}

/// A listener at work.
struct Served {
    address: Address,
    stop: CancellationToken,
    task: AbortOnDropHandle<std::io::Result<()>>,
}

fn trust() -> Trust {
    Trust::of_key(Key::generate())
}

async fn serve(address: &Address, trust: &Trust, service: Arc<dyn Service>) -> Served {
    let listener = Listener::bind(address, trust).await.unwrap();
    let address = listener.address().clone();
    let stop = CancellationToken::new();
    let task = tokio::spawn(listener.serve(vec![Offered::always(service)], stop.clone()));
    Served { address, stop, task: AbortOnDropHandle::new(task) }
}

fn socket_in(dir: &tempfile::TempDir) -> Address {
    Address::Unix(dir.path().join("link").join("link.sock"))
}

fn any_port() -> Address {
    "127.0.0.1:0".parse().unwrap()
}

fn chat_at(address: &Address, trust: &Trust) -> Arc<dyn Service> {
    connect(address, trust, ServiceName::Chat, Arc::new(|_| {})).unwrap()
}

#[tokio::test]
async fn a_direct_call_behaves() {
    let service = Talkative::new();
    behaves(service.clone(), &service.publisher).await;
}

#[tokio::test]
async fn a_unix_socket_behaves_like_a_direct_call() {
    let dir = tempfile::tempdir().unwrap();
    let (key, service) = (trust(), Talkative::new());
    let served = serve(&socket_in(&dir), &key, service.clone()).await;
    behaves(chat_at(&served.address, &key), &service.publisher).await;
}

#[tokio::test]
async fn loopback_behaves_like_a_direct_call() {
    let (key, service) = (trust(), Talkative::new());
    let served = serve(&any_port(), &key, service.clone()).await;
    behaves(chat_at(&served.address, &key), &service.publisher).await;
}

#[tokio::test]
async fn a_panic_ends_its_own_call_only() {
    let (key, service) = (trust(), Talkative::new());
    let served = serve(&any_port(), &key, service).await;
    let chat = chat_at(&served.address, &key);
    let (slow, panicked) = tokio::join!(chat.execute(say("begin")), chat.execute(say("panic")));
    assert_eq!(panicked.result.unwrap_err().code, ErrorCode::Internal);
    assert!(slow.result.is_ok());
}

#[tokio::test]
async fn who_has_not_the_key_reaches_no_service() {
    let (key, service) = (trust(), Talkative::new());
    let served = serve(&any_port(), &key, service.clone()).await;
    let stranger = chat_at(&served.address, &trust());
    let refused = stranger.execute(say("echo")).await.result.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Unavailable);
    assert!(stranger.watch().await.is_err());
    assert_eq!(service.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_service_that_runs_elsewhere_is_named() {
    let key = trust();
    let served = serve(&any_port(), &key, Talkative::new()).await;
    let auth = connect(&served.address, &key, ServiceName::Auth, Arc::new(|_| {})).unwrap();
    let refused = auth.execute(say("echo")).await.result.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Unavailable);
    assert!(refused.message.contains("auth-service"), "{refused}");
}

#[tokio::test]
async fn the_socket_and_its_folder_are_the_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    let address = socket_in(&dir);
    let _served = serve(&address, &trust(), Talkative::new()).await;
    let Address::Unix(path) = &address else { unreachable!("it is a socket") };
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(path) & 0o777, 0o600);
    assert_eq!(mode(path.parent().unwrap()) & 0o777, 0o700);
    let second = Listener::bind(&address, &trust()).await;
    assert!(matches!(second, Err(BindError::InUse(_))));

    let open = dir.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
    let refused = Listener::bind(&Address::Unix(open.join("s")), &trust()).await;
    assert!(matches!(refused, Err(BindError::FolderOpen(_))));
}

#[tokio::test]
async fn addresses_beyond_loopback_are_refused_at_both_ends_without_certificates() {
    for beyond in ["0.0.0.0:0", "chat-service:9082"] {
        let beyond: Address = beyond.parse().unwrap();
        let refused = Listener::bind(&beyond, &trust()).await.unwrap_err();
        assert!(refused.to_string().contains("link.tls"), "{refused}");
        let refused = connect(&beyond, &trust(), ServiceName::Chat, Arc::new(|_| {}));
        assert!(matches!(refused, Err(AddressError::NeedsTls(_))));
    }
}

#[tokio::test]
async fn a_socket_left_over_by_a_killed_process_is_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let (address, key) = (socket_in(&dir), trust());
    let Address::Unix(path) = &address else { unreachable!("it is a socket") };
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    std::fs::set_permissions(path.parent().unwrap(), std::fs::Permissions::from_mode(0o700)).unwrap();
    drop(std::os::unix::net::UnixListener::bind(path).unwrap());
    let served = serve(&address, &key, Talkative::new()).await;
    assert!(chat_at(&served.address, &key).watch().await.is_ok());
}

#[tokio::test]
async fn nobody_there_is_unavailable_at_once_and_found_again_without_help() {
    let dir = tempfile::tempdir().unwrap();
    let (address, key) = (socket_in(&dir), trust());
    let states = Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = states.clone();
    let observer = Arc::new(move |state| heard.lock().unwrap().push(state));
    let chat = connect(&address, &key, ServiceName::Chat, observer).unwrap();
    for _ in 0..10 {
        let refused = chat.execute(say("echo")).await.result.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Unavailable);
        assert!(refused.retry_after_ms.is_some());
    }
    assert_eq!(*states.lock().unwrap(), [BreakerState::Open]);

    let served = serve(&address, &key, Talkative::new()).await;
    let deadline = Instant::now() + Duration::from_secs(5);
    while chat.execute(say("echo")).await.result.is_err() {
        assert!(Instant::now() < deadline, "the service is back");
        tokio::task::yield_now().await;
    }
    assert_eq!(states.lock().unwrap().last(), Some(&BreakerState::Closed));
    drop(served);
}

#[tokio::test]
async fn a_write_whose_connection_breaks_has_an_unknown_outcome() {
    let (key, service) = (trust(), Talkative::new());
    let served = serve(&any_port(), &key, service.clone()).await;
    let mut relay = Relay::to(&served.address).await;
    let chat = chat_at(&relay.address, &key);
    let call = tokio::spawn(async move { chat.execute(say("hang")).await });
    while service.calls.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    relay.cut().await;
    let refused = call.await.unwrap().result.unwrap_err();
    assert_eq!(refused.code, ErrorCode::OutcomeUnknown);
    assert_eq!(service.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_read_whose_connection_breaks_is_repeated_twice_and_no_more() {
    let (key, service) = (trust(), Talkative::new());
    let served = serve(&any_port(), &key, service.clone()).await;
    let mut relay = Relay::to(&served.address).await;
    let chat = chat_at(&relay.address, &key);
    let call = tokio::spawn(async move { chat.execute(say("messages.list")).await });
    let began = Instant::now();
    for asked in 1..=3 {
        while service.calls.load(Ordering::SeqCst) < asked {
            assert!(began.elapsed() < Duration::from_secs(3), "it was not asked {asked} times");
            tokio::task::yield_now().await;
        }
        relay.cut().await;
    }
    assert_eq!(call.await.unwrap().result.unwrap_err().code, ErrorCode::Unavailable);
    assert!(began.elapsed() < Duration::from_secs(3), "all within the deadline of one");
    assert_eq!(service.calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_read_is_answered_by_its_repetition() {
    let (key, service) = (trust(), Talkative::new());
    let served = serve(&any_port(), &key, service.clone()).await;
    let mut relay = Relay::to(&served.address).await;
    let chat = chat_at(&relay.address, &key);
    assert!(chat.execute(say("echo")).await.result.is_ok());
    // The connection is gone, and the client learns of it by asking.
    relay.cut().await;
    let page = chat.read(first_page()).await;
    assert_eq!(page.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_read_without_an_answer_ends_within_its_deadline() {
    let (key, service) = (trust(), Talkative::new());
    let served = serve(&any_port(), &key, service.clone()).await;
    let chat = chat_at(&served.address, &key);
    let began = Instant::now();
    let refused = chat.execute(say("messages.list")).await.result;
    assert_eq!(refused.unwrap_err().code, ErrorCode::Timeout);
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn shutdown_ends_the_hints_and_finishes() {
    let (key, service) = (trust(), Talkative::new());
    let served = serve(&any_port(), &key, service).await;
    let mut hints = chat_at(&served.address, &key).watch().await.unwrap();
    assert!(hints.next().await.is_some());
    served.stop.cancel();
    while hints.next().await.is_some() {}
    served.task.await.unwrap().unwrap();
}

/// A way to a service whose connections the test can cut; the next one is as good as the first.
struct Relay {
    address: Address,
    cuts: tokio::sync::mpsc::Sender<()>,
    _task: AbortOnDropHandle<()>,
}

impl Relay {
    async fn to(target: &Address) -> Self {
        let Address::Loopback(target) = *target else { unreachable!("it is a port") };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address::Loopback(listener.local_addr().unwrap());
        let (cuts, mut cut) = tokio::sync::mpsc::channel(1);
        let task = tokio::spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let mut far = tokio::net::TcpStream::connect(target).await.unwrap();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                    _ = cut.recv() => {}
                }
            }
        });
        Self { address, cuts, _task: AbortOnDropHandle::new(task) }
    }

    /// Cuts the connection that is there.
    async fn cut(&mut self) {
        self.cuts.send(()).await.unwrap();
    }
}
