//! The suite in a Redis of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::limits::CALL_TTL_MS;
use protocol::{ErrorCode, Millis, ServiceName};
use rig::{RedisServer, wait};
use runtime::lifecycle::{Shutdown, Tasks};
use runtime::redis::{Config, Redis, Standing};
use uuid::Uuid;

use super::super::conformance::examples::{example, goes_on, hangs_up, joins, next, user};
use super::super::conformance::{Home, T0, conforms};
use super::super::unit::Unit;
use super::super::{CallStore, Created, StoreError, Swapped};
use super::{RedisCalls, Told};

/// A handle that waits longer than a service would: a loaded machine is no dead Redis here.
pub(crate) async fn connect(server: &RedisServer) -> Redis {
    connect_with(server, Config { answer_within: Duration::from_secs(10), ..Config::default() }).await
}

/// A handle by these settings.
pub(crate) async fn connect_with(server: &RedisServer, config: Config) -> Redis {
    let config = Config { url: server.url(), ..config };
    let tasks = Tasks::new(ServiceName::Signaling);
    let redis = Redis::start(&config, ServiceName::Signaling, &tasks, Shutdown::new()).unwrap();
    let mut standing = redis.watch();
    wait::within("Redis", standing.wait_for(|standing: &Standing| standing.is_up())).await.unwrap();
    redis
}

/// A server, and the store in it.
struct Server {
    calls: RedisCalls,
    time: Arc<AtomicU64>,
    server: RedisServer,
}

impl Server {
    async fn open(server: RedisServer, time: Arc<AtomicU64>) -> Self {
        let clock = Arc::clone(&time);
        let calls = RedisCalls::new(connect(&server).await, Uuid::from_u128(1));
        Self { calls: calls.with_clock(move || clock.load(Ordering::Relaxed)), time, server }
    }
}

impl Home for Server {
    type Store = RedisCalls;

    async fn new() -> Self {
        Self::open(RedisServer::start().await, Arc::new(AtomicU64::new(T0))).await
    }

    async fn anew(self) -> Self {
        self.server.flush().await;
        self.time.store(T0, Ordering::Relaxed);
        self
    }

    fn store(&self) -> &RedisCalls {
        &self.calls
    }

    fn advance(&self, ms: Millis) {
        self.time.fetch_add(ms, Ordering::Relaxed);
    }

    async fn reopen(self) -> Self {
        Self::open(self.server, self.time).await
    }
}

conforms!(Server);

#[tokio::test]
async fn what_is_over_is_forgotten_after_a_day_also_when_nobody_forgets_it() {
    let home = Server::new().await;
    let ttl = async || {
        let unit = home.calls.keys.unit(example(1).at(T0).0.id);
        home.server.ask(&["PTTL", &unit]).await[1..].parse::<u64>().unwrap()
    };
    let call = example(1).starts(&home).await;
    assert!(ttl().await > CALL_TTL_MS, "it lasts a day at most, and is there for as long");
    goes_on(&home, &call, hangs_up(&call)).await;
    assert!((CALL_TTL_MS - 60_000..=CALL_TTL_MS).contains(&ttl().await));
}

#[tokio::test]
async fn everything_lies_on_one_node_of_a_cluster() {
    let home = Server::new().await;
    let call = example(1).starts(&home).await;
    goes_on(&home, &call, hangs_up(&call)).await;
    home.calls.renew_lease().await.unwrap();
    home.calls.seen(user(1), call.id).await.unwrap();
    example(2).starts(&home).await;
    let count: usize = home.server.ask(&["DBSIZE"]).await[1..].parse().unwrap();
    let script = "local n = 0 for _, key in ipairs(redis.call('KEYS', '*{calls}')) do n = n + 1 end return n";
    let ours: usize = home.server.ask(&["EVAL", script, "0"]).await[1..].parse().unwrap();
    // The mark of Redis' own life is no key of calls.
    assert_eq!(ours + 1, count);
    assert!(ours > 15, "{ours}");
}

#[tokio::test]
async fn each_version_is_told_whole_and_one_that_lost_is_not() {
    let home = Server::new().await;
    let mut versions = home.calls.versions().await.unwrap();
    let call = example(1).starts(&home).await;
    let (other, outputs) = next(&call, T0 + 5, joins(1));
    let over = goes_on(&home, &call, hangs_up(&call)).await;
    assert_eq!(home.calls.swap(call.version, &other, &outputs).await, Ok(Swapped::Changed));
    let last = example(2).starts(&home).await;
    for version in [call, over, last] {
        assert_eq!(wait::within("a version", versions.next()).await, Some(Told::Version(Box::new(version))));
    }
}

#[tokio::test]
async fn a_change_that_was_not_answered_is_made_once_or_stays_unknown() {
    let home = Server::new().await;
    let unanswered = || StoreError { code: ErrorCode::OutcomeUnknown, cause: "late".to_owned() };
    let call = example(1).starts(&home).await;
    let ((second, outputs), (other, _)) = (next(&call, T0 + 5, joins(1)), next(&call, T0 + 6, hangs_up(&call)));
    let (unit, other) = (Unit::of(&second, &outputs).unwrap(), Unit::of(&other, &[]).unwrap());
    for _ in 0..2 {
        // The first time it was not made before, the second time it was.
        assert_eq!(home.calls.put_again(call.version, &unit, unanswered()).await, Ok(Swapped::Done));
    }
    assert_eq!(home.calls.put_again(call.version, &other, unanswered()).await, Err(unanswered()));
    assert_eq!(home.calls.load(call.id).await, Ok(Some(second)));
    let kinds = home.calls.claim_outputs(1_000, 10).await.unwrap().len();
    assert_eq!(kinds, 1, "what it caused is there once");
}

#[tokio::test]
async fn redis_own_time_is_told_and_never_goes_back() {
    let home = Server::new().await;
    let calls = RedisCalls { clock: None, ..home.calls.clone() };
    let mut last = 0;
    for _ in 0..10 {
        let now = calls.now().await.unwrap();
        assert!(now >= last);
        last = now;
    }
    calls.latest.fetch_add(1_000_000, Ordering::Relaxed);
    assert!(calls.now().await.unwrap() >= last + 1_000_000);
    // Scripts look at the same clock.
    let (call, outputs) = example(1).at(last);
    assert_eq!(calls.create(&call, &outputs).await, Ok(Created::Done));
    let queued = calls.next_output().await.unwrap().unwrap();
    assert!((last..last + 60_000).contains(&queued));
}

#[tokio::test]
async fn a_redis_that_is_gone_or_frozen_says_what_may_have_been_done() {
    let mut home = Server::new().await;
    let calls = RedisCalls::new(connect_with(&home.server, Config::default()).await, Uuid::from_u128(1));
    // Redis knows the script from now on: sending it to be run is all that is needed.
    example(2).starts(&home).await;
    let (call, outputs) = example(1).at(T0);
    home.server.freeze();
    assert_eq!(calls.create(&call, &outputs).await.map_err(|error| error.code), Err(ErrorCode::OutcomeUnknown));
    assert_eq!(calls.load(call.id).await.map_err(|error| error.code), Err(ErrorCode::Timeout));
    wait::until("nobody to ask it any more", async || {
        let answer = calls.create(&call, &outputs).await.map_err(|error| error.code);
        (answer == Err(ErrorCode::Unavailable)).then_some(())
    })
    .await;
    home.server.thaw();
    let found = wait::until("what was sent to be done", async || calls.load(call.id).await.ok().flatten()).await;
    assert_eq!(found, call);
}
