//! What it costs to live without Redis: figures that are printed beside the test, since a machine that does other work has slow moments.
//!
//! That all of it works is what must be; how fast is told for delivery in one process and between processes, for the way back, and for logouts.

use std::fmt;
use std::time::Duration;

use harness::faults::shared_redis;
use harness::people::Device;
use harness::world::Settings;
use harness::{Person, Topology, World, wait};
use protocol::ConversationId;
use protocol::ServiceName::{self, Gateway};
use protocol::chat::MESSAGE_NEW;
use rig::RedisServer;
use serde_json::json;
use tokio::time::Instant;

use crate::{ALONE, SHARING, is_normal, started};

/// Deliveries of which percentiles are told.
const DELIVERIES: usize = 1_000;
/// Logouts of which percentiles are told.
const LOGOUTS: usize = 60;
/// Messages that go on while Redis goes away, and how far they are apart.
const FLOW: u32 = 300;
const APART: Duration = Duration::from_millis(10);
/// When Redis goes away in that flow.
const GOES_AT: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delivery_in_one_process_with_and_without_redis() {
    let _alone = ALONE.lock().await;
    let mut redis = RedisServer::start().await;
    let world = World::with(Topology::OneProcess, Settings::default().set("redis.url", redis.url())).await;
    let mut pair = Pair::of(&world).await;
    let healthy = pair.deliveries().await;
    redis.kill().await;
    lives_without(&world, Gateway).await;
    let gone = pair.deliveries().await;
    println!("delivery in one process: {healthy} with Redis, {gone} without: p99 {:.2} times", gone.p99_to(&healthy));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delivery_between_processes_while_redis_goes_and_comes_back() {
    let _alone = ALONE.lock().await;
    let mut world = started().await;
    let mut pair = Pair::of(&world).await;
    is_normal(&world).await;
    let healthy = pair.deliveries().await;

    let killed = pair.flow(async || shared_redis(&mut world).kill().await).await;
    let gone = pair.deliveries().await;
    shared_redis(&mut world).restart().await;
    let after_kill = normal_after(&world).await;
    let frozen = pair.flow(async || shared_redis(&mut world).freeze()).await;
    for service in SHARING {
        lives_without(&world, service).await;
    }
    shared_redis(&mut world).thaw();
    let after_freeze = normal_after(&world).await;
    println!(
        "delivery between processes: {healthy} with Redis, {gone} without; the latest {killed:?} while it was killed, \
         {frozen:?} while it was frozen"
    );
    println!("Redis answers again: normal after {after_kill:?} (killed), {after_freeze:?} (frozen)");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_outlives_its_login_as_little_without_redis() {
    let _alone = ALONE.lock().await;
    let mut world = started().await;
    let ann = world.person("ann").await;
    is_normal(&world).await;
    let healthy = logouts(&ann).await;
    shared_redis(&mut world).kill().await;
    for service in SHARING {
        lives_without(&world, service).await;
    }
    let gone = logouts(&ann).await;
    println!("from logout to the end of the socket: {healthy} with Redis, {gone} without");
    world.end().await;
}

/// Two who talk.
struct Pair {
    conversation: ConversationId,
    speaker: Device,
    hearer: Device,
}

impl Pair {
    async fn of(world: &World) -> Self {
        let [ann, bob] = world.people(["ann", "bob"]).await;
        let conversation = ann.direct(&bob).await;
        Self { conversation, speaker: ann.device().await, hearer: bob.device().await }
    }

    /// How long messages take from being sent to being heard, one after the other.
    async fn deliveries(&mut self) -> Figures {
        let mut took = Vec::with_capacity(DELIVERIES);
        for _ in 0..DELIVERIES {
            let began = Instant::now();
            let (_, heard) = tokio::join!(self.speaker.say(self.conversation, "hello"), heard(&mut self.hearer));
            took.push(heard - began);
        }
        Figures::of(took)
    }

    /// Messages at an even pace, during which something happens; the longest that one took to be heard.
    async fn flow(&mut self, happens: impl AsyncFnOnce()) -> Duration {
        let began = Instant::now() + APART;
        let (conversation, speaker, hearer) = (self.conversation, &mut self.speaker, &mut self.hearer);
        let speaks = async {
            let body = json!({ "text": "hello" });
            for number in 0..FLOW {
                wait::for_the_moment(began + APART * number).await;
                let mut body = body.clone();
                body["client_id"] = json!(uuid::Uuid::new_v4());
                speaker.socket.start("messages.send", Some(&conversation.to_string()), &body).await;
            }
        };
        let hears = async {
            let mut latest = Duration::ZERO;
            for number in 0..FLOW {
                latest = latest.max(heard(hearer).await.saturating_duration_since(began + APART * number));
            }
            latest
        };
        let happens = async {
            wait::for_the_moment(began + GOES_AT).await;
            happens().await;
        };
        let ((), latest, ()) = tokio::join!(speaks, hears, happens);
        // The answers to all of them are read with the one to this.
        tokio::join!(self.speaker.say(conversation, "the last"), heard(&mut self.hearer));
        latest
    }
}

async fn heard(device: &mut Device) -> Instant {
    device.event(MESSAGE_NEW).await;
    Instant::now()
}

/// How long sockets live after the answer to their login's end.
async fn logouts(person: &Person) -> Figures {
    let mut took = Vec::with_capacity(LOGOUTS);
    for _ in 0..LOGOUTS {
        let login = person.login("one of many").await;
        let mut device = login.device().await;
        let answer = login.call("auth.logout", None, json!({ "refresh_token": login.refresh })).await;
        assert_eq!(answer.status, 200, "{answer}");
        let answered = Instant::now();
        device.socket.closed().await;
        took.push(answered.elapsed());
    }
    Figures::of(took)
}

/// Awaits that a service has noticed that Redis is gone.
async fn lives_without(world: &World, service: ServiceName) {
    wait::until("a service to live without Redis", async || {
        (world.metrics(service).await.sum("redis_up", &[("service", service.as_str())]) == 0.0).then_some(())
    })
    .await;
}

/// From Redis' first good answer until every service uses it.
async fn normal_after(world: &World) -> Duration {
    let answers = Instant::now();
    is_normal(world).await;
    answers.elapsed()
}

/// Percentiles of what was measured.
struct Figures {
    p50: Duration,
    p99: Duration,
}

impl Figures {
    fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self { p50: all[all.len() / 2], p99: all[all.len() * 99 / 100] }
    }

    fn p99_to(&self, other: &Self) -> f64 {
        self.p99.as_secs_f64() / other.p99.as_secs_f64()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1?} (p50), {:.1?} (p99)", self.p50, self.p99)
    }
}
