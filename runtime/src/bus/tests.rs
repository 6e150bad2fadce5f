//! Hints go on while a real Redis is killed, frozen and comes back; what is missed is seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_util::StreamExt;
use link::{Audience, Call, Event, Heard, Hint, Hints, Identity, Proof, Publisher, Refusal, Reply, Service};
use protocol::{ErrorCode, ServiceName};
use rig::{RedisServer, wait};
use uuid::Uuid;

use super::{Channelled, tell};
use crate::lifecycle::{Phase, Shutdown, Tasks};
use crate::redis::{Config, Redis, Standing};

pub(super) fn newest(publisher: u128, number: u64) -> Hint {
    Hint::Newest { publisher: Uuid::from_u128(publisher), number }
}

pub(super) fn event(publisher: u128, number: u64) -> Hint {
    Hint::Event { publisher: Uuid::from_u128(publisher), number, event: Arc::new(something(0)) }
}

/// An event that names its number.
fn something(at: u64) -> Event {
    Event {
        identity: Identity::Ephemeral { until: 0 },
        audience: Audience::Users(Arc::from([])),
        name: "test".into(),
        at,
        body: bytes::Bytes::from_static(b"{}"),
        by_rights: false,
        effects: Arc::from([]),
    }
}

/// A service that tells, and knows how many watch it.
struct Telling {
    publisher: Publisher,
    watched: Arc<AtomicUsize>,
}

struct Watched(Arc<AtomicUsize>);

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Service for Telling {
    fn name(&self) -> ServiceName {
        ServiceName::Chat
    }

    async fn execute(&self, _call: Call) -> Reply {
        Refusal::of(ErrorCode::Unsupported).into()
    }

    async fn watch(&self) -> Result<Hints, Refusal> {
        self.watched.fetch_add(1, Ordering::SeqCst);
        let watched = Watched(Arc::clone(&self.watched));
        Ok(Box::pin(self.publisher.watch().inspect(move |_| {
            let _held = &watched;
        })))
    }
}

/// A publisher's process and a reader's, with a Redis between them.
struct World {
    server: RedisServer,
    telling: Arc<Telling>,
    redis: Redis,
    hints: Hints,
    heard: Heard,
    told: u64,
    shutdown: Shutdown,
}

impl World {
    async fn start() -> Self {
        let server = RedisServer::start().await;
        let config = Config { url: server.url(), ..Config::default() };
        let shutdown = Shutdown::new();
        let handle = |service| Redis::start(&config, service, &Tasks::new(service), shutdown.clone()).unwrap();
        let (telling_redis, redis) = (handle(ServiceName::Chat), handle(ServiceName::Gateway));
        let telling = Arc::new(Telling { publisher: Publisher::new(10_000), watched: Arc::default() });
        tokio::spawn(tell(Arc::clone(&telling) as Arc<dyn Service>, telling_redis, shutdown.clone()));
        let reader = Channelled::new(Arc::clone(&telling) as Arc<dyn Service>, redis.clone());
        let hints = reader.watch().await.unwrap();
        Self { server, telling, redis, hints, heard: Heard::default(), told: 0, shutdown }
    }

    /// One watches always: the one who tells the channel. The reader does while it is on the link.
    fn reader_is_on_the_link(&self) -> bool {
        self.telling.watched.load(Ordering::SeqCst) > 1
    }

    fn tell(&mut self, count: u64) {
        for _ in 0..count {
            self.told += 1;
            self.telling.publisher.publish(something(self.told));
        }
    }

    /// Hears until everything that was told has come, or was seen to be missed; answers what came, and whether something was missed.
    async fn hear(&mut self) -> (Vec<u64>, bool) {
        let (mut came, mut missed) = (Vec::new(), false);
        loop {
            let hint = wait::within("a hint", self.hints.next()).await.unwrap();
            missed |= self.heard.prove(&hint) == Proof::Missed;
            let number = match &hint {
                Hint::Newest { number, .. } => *number,
                Hint::Event { number, event, .. } => {
                    came.push(event.at);
                    *number
                }
            };
            if number == self.told {
                return (came, missed);
            }
        }
    }

    /// Hears restatements until the reader listens so.
    async fn listens(&mut self, on_link: bool) {
        loop {
            if self.reader_is_on_the_link() == on_link {
                return;
            }
            let hint = wait::within("a restatement", self.hints.next()).await.unwrap();
            self.heard.prove(&hint);
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.advance(Phase::Stop);
    }
}

#[tokio::test]
async fn a_reader_goes_over_to_the_channel_and_hears_everything_once() {
    let mut world = World::start().await;
    world.tell(100);
    let (came, missed) = world.hear().await;
    assert_eq!((came, missed), ((1..=100).collect(), false));
    world.listens(false).await;
    world.tell(1_000);
    let (came, missed) = world.hear().await;
    assert_eq!((came, missed), ((101..=1_100).collect(), false));
    assert!(!world.reader_is_on_the_link());
}

#[tokio::test]
async fn a_redis_that_is_killed_sends_the_reader_to_the_link_and_one_that_returns_takes_it_back() {
    let mut world = World::start().await;
    world.hear().await;
    world.listens(false).await;
    world.server.kill().await;
    world.tell(50);
    let (came, missed) = world.hear().await;
    assert!(missed || came == (1..=50).collect::<Vec<_>>(), "what did not come was seen to be missed");
    assert!(world.reader_is_on_the_link());
    world.tell(50);
    assert_eq!(world.hear().await, ((51..=100).collect(), false));
    world.server.restart().await;
    world.listens(false).await;
    world.tell(50);
    assert_eq!(world.hear().await, ((101..=150).collect(), false));
}

#[tokio::test]
async fn a_redis_that_is_frozen_is_as_harmless() {
    let mut world = World::start().await;
    world.hear().await;
    world.listens(false).await;
    world.server.freeze();
    world.tell(50);
    let (came, missed) = world.hear().await;
    assert!(missed || came == (1..=50).collect::<Vec<_>>());
    assert!(world.reader_is_on_the_link());
    world.tell(50);
    assert_eq!(world.hear().await, ((51..=100).collect(), false));
    world.server.thaw();
    let mut standing = world.redis.watch();
    wait::within("Redis", standing.wait_for(|standing: &Standing| standing.is_up())).await.unwrap();
    world.listens(false).await;
    world.tell(50);
    assert_eq!(world.hear().await, ((101..=150).collect(), false));
}
