//! Several instances behind the link, one of which goes and comes back.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::*;
use crate::bus::{Hint, Publisher};
use crate::grpc::{Address, Key, Listener, Offered, Trust, connect};
use crate::{Audience, Identity};

/// An instance that notes what it was asked.
struct Noting {
    publisher: Publisher,
    executed: Mutex<Vec<String>>,
    reports: Mutex<Vec<DeviceReport>>,
    resend: AtomicBool,
}

#[async_trait]
impl Service for Noting {
    fn name(&self) -> ServiceName {
        ServiceName::Signaling
    }

    async fn execute(&self, call: Call) -> Reply {
        self.executed.lock().unwrap().push(String::from_utf8(call.body.to_vec()).unwrap());
        if call.command == "hang" {
            std::future::pending::<()>().await;
        }
        Reply { result: Ok(call.body), cookie: crate::CookieChange::Keep }
    }

    async fn watch(&self) -> Result<Hints, Refusal> {
        Ok(self.publisher.watch())
    }

    async fn registers(&self, _user: UserId) -> Result<Vec<Event>, Refusal> {
        Ok(vec![event()])
    }

    async fn devices(&self, report: DeviceReport) -> Result<DeviceAnswer, Refusal> {
        self.reports.lock().unwrap().push(report);
        Ok(DeviceAnswer { resend: self.resend.load(Ordering::Relaxed) })
    }
}

fn event() -> Event {
    Event {
        identity: Identity::Ephemeral { until: 7 },
        audience: Audience::Users(Arc::from([])),
        name: "test".into(),
        at: 5,
        body: Bytes::from_static(b"{}"),
        by_rights: false,
        effects: Arc::from([]),
    }
}

/// An instance, and its listener while it runs.
struct Node {
    service: Arc<Noting>,
    address: Address,
    running: Option<(CancellationToken, JoinHandle<std::io::Result<()>>)>,
}

impl Node {
    async fn start(trust: &Trust) -> Self {
        let service = Arc::new(Noting {
            publisher: Publisher::new(64),
            executed: Mutex::default(),
            reports: Mutex::default(),
            resend: AtomicBool::new(false),
        });
        let mut node = Self { service, address: "127.0.0.1:0".parse().unwrap(), running: None };
        node.run(trust).await;
        node
    }

    async fn run(&mut self, trust: &Trust) {
        let listener = Listener::bind(&self.address, trust).await.unwrap();
        self.address = listener.address().clone();
        let stop = CancellationToken::new();
        let service = Arc::clone(&self.service) as Arc<dyn Service>;
        self.running = Some((stop.clone(), tokio::spawn(listener.serve(vec![Offered::always(service)], stop))));
    }

    async fn end(&mut self) {
        let (stop, task) = self.running.take().unwrap();
        stop.cancel();
        task.await.unwrap().unwrap();
    }

    fn executed(&self) -> Vec<String> {
        self.service.executed.lock().unwrap().clone()
    }
}

struct Pair {
    trust: Trust,
    nodes: [Node; 2],
    balanced: Arc<Balanced>,
}

impl Pair {
    async fn start() -> Self {
        let trust = Trust::of_key(Key::generate());
        let nodes = [Node::start(&trust).await, Node::start(&trust).await];
        let ways = nodes.iter().enumerate().map(|(number, node)| {
            let way = connect(&node.address, &trust, ServiceName::Signaling, Arc::new(|_| {})).unwrap();
            (format!("node-{number}"), way)
        });
        let balanced = Arc::new(Balanced::among(ServiceName::Signaling, ways.collect()));
        Self { trust, nodes, balanced }
    }

    /// Which node has this key now.
    async fn home_of(&self, to: &str) -> usize {
        let mark = Uuid::new_v4().to_string();
        assert!(self.balanced.execute(call("mark", to, &mark)).await.result.is_ok());
        self.nodes.iter().position(|node| node.executed().contains(&mark)).unwrap()
    }

    /// Asks until the breaker knows.
    async fn until_answers(&self, index: usize, wanted: bool) {
        rig::wait::until(&format!("node {index} to answer: {wanted}"), async || {
            if self.balanced.answers(index) == wanted {
                return Some(());
            }
            if !wanted {
                let _ = self.balanced.instances[index].service.registers(UserId::now()).await;
            }
            None
        })
        .await;
    }
}

fn call(command: &str, to: &str, body: &str) -> Call {
    Call { body: body.to_owned().into(), ..Call::internal(command, Some(to.to_owned()), &()).unwrap() }
}

fn report(whole: bool) -> DeviceReport {
    DeviceReport { gateway: Uuid::nil(), whole, opened: Vec::new(), closed: Vec::new(), acknowledged: Vec::new() }
}

#[tokio::test]
async fn a_call_has_its_home_where_its_conversation_has_it() {
    let pair = Pair::start().await;
    let mut homes = [0; 2];
    for _ in 0..32 {
        let conversation = protocol::ConversationId::now();
        let home = pair.home_of(&conversation.to_string()).await;
        let call = protocol::CallId::now_in(conversation);
        assert_ne!(call, protocol::CallId::now_in(conversation));
        assert_eq!(pair.home_of(&call.to_string()).await, home);
        homes[home] += 1;
    }
    assert!(homes.iter().all(|count| *count > 0), "{homes:?}");
}

#[tokio::test]
async fn a_key_has_a_home_and_another_while_that_does_not_answer() {
    let mut pair = Pair::start().await;
    let home = pair.home_of("call").await;
    assert_eq!(pair.home_of("call").await, home);
    pair.nodes[home].end().await;
    pair.until_answers(home, false).await;
    assert_eq!(pair.home_of("call").await, 1 - home);
    let trust = pair.trust.clone();
    pair.nodes[home].run(&trust).await;
    // Nobody asks for it but the probe.
    pair.until_answers(home, true).await;
    assert_eq!(pair.home_of("call").await, home);
}

#[tokio::test]
async fn commands_on_one_key_stay_in_order() {
    let pair = Pair::start().await;
    let home = pair.home_of("call").await;
    let before = pair.nodes[home].executed().len();
    let numbers: Vec<String> = (0..500).map(|number: u32| number.to_string()).collect();
    let all: futures_util::stream::FuturesUnordered<_> =
        numbers.iter().map(|number| pair.balanced.execute(call("count", "call", number))).collect();
    assert!(all.all(|reply| std::future::ready(reply.result.is_ok())).await);
    assert_eq!(pair.nodes[home].executed()[before..], numbers);
}

#[tokio::test]
async fn a_command_that_was_lost_is_sent_nowhere_else() {
    let mut pair = Pair::start().await;
    let home = pair.home_of("call").await;
    let balanced = Arc::clone(&pair.balanced);
    let lost = tokio::spawn(async move { balanced.execute(call("hang", "call", "once")).await });
    while !pair.nodes[home].executed().contains(&"once".to_owned()) {
        tokio::task::yield_now().await;
    }
    pair.nodes[home].running.take().unwrap().0.cancel();
    let refused = lost.await.unwrap().result.unwrap_err();
    assert!(matches!(refused.code, ErrorCode::OutcomeUnknown | ErrorCode::Timeout), "{refused}");
    assert!(!pair.nodes[1 - home].executed().contains(&"once".to_owned()));
}

#[tokio::test]
async fn the_state_of_calls_is_asked_of_all_that_are_there() {
    let mut pair = Pair::start().await;
    assert!(pair.balanced.execute(call(CALLS_RESTATE, "", "first")).await.result.is_ok());
    assert!(pair.nodes.iter().all(|node| node.executed() == ["first"]));
    pair.nodes[0].end().await;
    assert!(pair.balanced.execute(call(CALLS_RESTATE, "", "second")).await.result.is_ok());
    assert_eq!(pair.nodes[1].executed(), ["first", "second"]);
    pair.nodes[1].end().await;
    let refused = pair.balanced.execute(call(CALLS_RESTATE, "", "third")).await.result.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Unavailable);
}

#[tokio::test]
async fn who_reads_is_answered_by_whoever_is_there() {
    let mut pair = Pair::start().await;
    pair.nodes[0].end().await;
    for _ in 0..20 {
        assert_eq!(pair.balanced.registers(UserId::now()).await.unwrap().len(), 1);
    }
    pair.nodes[1].end().await;
    assert_eq!(pair.balanced.registers(UserId::now()).await.unwrap_err().code, ErrorCode::Unavailable);
}

#[tokio::test]
async fn devices_are_reported_to_all_and_whole_to_who_missed_one() {
    let mut pair = Pair::start().await;
    assert!(!pair.balanced.devices(report(false)).await.unwrap().resend);
    assert!(pair.nodes.iter().all(|node| node.service.reports.lock().unwrap().len() == 1));
    pair.nodes[1].service.resend.store(true, Ordering::Relaxed);
    assert!(pair.balanced.devices(report(false)).await.unwrap().resend, "one of them asks for all");
    pair.nodes[1].service.resend.store(false, Ordering::Relaxed);

    pair.nodes[0].end().await;
    assert!(!pair.balanced.devices(report(false)).await.unwrap().resend, "who is not there asks for nothing");
    let trust = pair.trust.clone();
    pair.nodes[0].run(&trust).await;
    pair.until_answers(0, true).await;
    let deadline = Instant::now() + Duration::from_secs(5);
    while !pair.balanced.devices(report(false)).await.unwrap().resend {
        assert!(Instant::now() < deadline, "what it missed is told to it");
    }
    assert!(!pair.balanced.devices(report(true)).await.unwrap().resend);
    pair.nodes.iter_mut().for_each(|node| node.running.take().unwrap().0.cancel());
}

#[tokio::test]
async fn a_lost_watch_comes_back_while_the_others_go_on() {
    let mut pair = Pair::start().await;
    let mut hints = pair.balanced.watch().await.unwrap();
    let mut heard = std::collections::BTreeSet::new();
    while heard.len() < 2 {
        let Some(Hint::Newest { publisher, .. }) = hints.next().await else { panic!("both confirm") };
        heard.insert(publisher);
    }
    pair.nodes[0].end().await;
    pair.nodes[1].service.publisher.publish(event());
    let other = loop {
        match hints.next().await {
            Some(Hint::Event { publisher, number: 1, .. }) => break publisher,
            Some(Hint::Newest { .. }) => {}
            end => panic!("the other goes on: {end:?}"),
        }
    };
    // What is published meanwhile, nobody hears; the number tells it.
    pair.nodes[0].service.publisher.publish(event());
    let trust = pair.trust.clone();
    pair.nodes[0].run(&trust).await;
    loop {
        match hints.next().await {
            Some(Hint::Newest { publisher, number: 1 }) if publisher != other => break,
            Some(_) => {}
            None => panic!("the lost one comes back"),
        }
    }
    for node in &mut pair.nodes {
        node.end().await;
    }
    while hints.next().await.is_some() {}
    assert!(pair.balanced.watch().await.is_err());
}
