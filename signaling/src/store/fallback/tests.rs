//! The suite while Redis answers, and while it is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use protocol::Millis;
use rig::{RedisServer, wait};
use runtime::redis::Redis;
use runtime::store::Store;
use tempfile::TempDir;
use uuid::Uuid;

use super::super::conformance::examples::{Example, example, goes_on, hangs_up, joins, next};
use super::super::conformance::{Home, T0, conforms};
use super::super::redis::tests::connect;
use super::super::{CallStore, Created, RedisCalls, SqliteCalls, Swapped, store_options};
use super::{Others, SharedCalls};
use crate::desk::Live;
use crate::machine::CallState;

/// A Redis, a folder, and the store in both.
struct Both {
    calls: SharedCalls,
    store: Store,
    time: Arc<AtomicU64>,
    server: RedisServer,
    folder: TempDir,
}

impl Both {
    /// The connection outlives the process that it stands for: whether Redis answers is what matters here.
    fn open(server: RedisServer, redis: Redis, folder: TempDir, time: Arc<AtomicU64>) -> Self {
        let store = Store::open(store_options(folder.path())).unwrap();
        let clock = || {
            let time = Arc::clone(&time);
            move || time.load(Ordering::Relaxed)
        };
        let redis = RedisCalls::new(redis, Uuid::from_u128(1)).with_clock(clock());
        let local = SqliteCalls::with_clock(store.clone(), clock());
        let calls = SharedCalls::new(redis, local, Arc::new(Live::default()), Others::among(Vec::new()));
        Self { calls, store, time, server, folder }
    }

    async fn new() -> Self {
        let (server, folder) = (RedisServer::start().await, tempfile::tempdir().unwrap());
        let redis = connect(&server).await;
        Self::open(server, redis, folder, Arc::new(AtomicU64::new(T0)))
    }

    /// A new folder beside the same Redis, if that is there.
    async fn anew(self) -> Self {
        let (redis, folder) = (self.calls.redis().redis().clone(), tempfile::tempdir().unwrap());
        self.store.close().await;
        if redis.standing().is_up() {
            self.server.flush().await;
        }
        Self::open(self.server, redis, folder, Arc::new(AtomicU64::new(T0)))
    }

    async fn reopen(self) -> Self {
        let Self { calls, store, time, server, folder } = self;
        store.close().await;
        let both = Self::open(server, calls.redis().redis().clone(), folder, time);
        both.calls.find_again().await.unwrap();
        both
    }

    async fn alone(mut self) -> Self {
        self.server.kill().await;
        let mut standing = self.calls.redis().redis().watch();
        wait::within("Redis to be gone", standing.wait_for(|standing| !standing.is_up())).await.unwrap();
        self
    }
}

/// Redis answers.
struct Together(Both);

impl Together {
    /// All that Redis knows is this version.
    async fn rolls_back_to(&self, call: &CallState) {
        self.0.server.flush().await;
        assert_eq!(self.0.calls.redis().create(call, &[]).await, Ok(Created::Done));
    }
}

impl Home for Together {
    type Store = SharedCalls;

    async fn new() -> Self {
        Self(Both::new().await)
    }

    async fn anew(self) -> Self {
        Self(self.0.anew().await)
    }

    fn store(&self) -> &SharedCalls {
        &self.0.calls
    }

    fn advance(&self, ms: Millis) {
        self.0.time.fetch_add(ms, Ordering::Relaxed);
    }

    async fn reopen(self) -> Self {
        Self(self.0.reopen().await)
    }
}

/// It is gone.
struct Alone(Both);

impl Home for Alone {
    type Store = SharedCalls;

    async fn new() -> Self {
        Self(Both::new().await.alone().await)
    }

    async fn anew(self) -> Self {
        Self(self.0.anew().await)
    }

    fn store(&self) -> &SharedCalls {
        &self.0.calls
    }

    fn advance(&self, ms: Millis) {
        self.0.time.fetch_add(ms, Ordering::Relaxed);
    }

    async fn reopen(self) -> Self {
        Self(self.0.reopen().await)
    }
}

/// A replica was promoted that had not heard of the last changes: nothing is judged by what it has.
#[tokio::test]
async fn what_a_failover_rolls_back_is_told_again_before_anything_is_judged_by_it() {
    let home = Together::new().await;
    let calls = home.store();
    let rung = example(1).starts(&home).await;
    let joined = goes_on(&home, &rung, joins(1)).await;
    home.rolls_back_to(&rung).await;
    let (late, outputs) = next(&joined, T0 + 5, hangs_up(&joined));
    assert_eq!(calls.swap(joined.version, &late, &outputs).await, Ok(Swapped::Changed));
    assert_eq!(calls.load(rung.id).await, Ok(Some(joined.clone())), "by this it is judged once more");
    assert_eq!(calls.redis().load(rung.id).await, Ok(Some(joined.clone())));

    let over = goes_on(&home, &joined, hangs_up(&joined)).await;
    assert!(over.status.is_over());
    home.rolls_back_to(&joined).await;
    assert_eq!(calls.load(rung.id).await, Ok(Some(over)), "what is over stays over");
}

/// A call ended and the next one was started in its conversation while Redis could not be reached, which holds the first one still.
#[tokio::test]
async fn a_call_that_was_started_meanwhile_does_not_give_way_to_one_that_was_over() {
    let mut home = Together::new().await;
    let first = example(1).starts(&home).await;
    let joined = goes_on(&home, &first, joins(1)).await;
    let mut standing = home.0.calls.redis().redis().watch();
    home.0.server.kill().await;
    wait::within("Redis to be gone", standing.wait_for(|standing| !standing.is_up())).await.unwrap();
    let over = goes_on(&home, &joined, hangs_up(&joined)).await;
    let second = Example { conversation: 1, ..example(2) }.starts(&home).await;

    home.0.server.restart().await;
    wait::within("Redis to be back", standing.wait_for(|standing| standing.is_up())).await.unwrap();
    home.rolls_back_to(&joined).await;
    let calls = home.store();
    assert_eq!(calls.write_back_one(&second).await, Ok(second.clone()), "also when it is the first to be told");
    calls.write_back().await.unwrap();
    assert_eq!(calls.load(first.id).await, Ok(Some(over)));
    assert_eq!(calls.load(second.id).await, Ok(Some(second)));
}

mod while_redis_answers {
    super::conforms!(super::Together);
}

mod while_redis_is_gone {
    super::conforms!(super::Alone);
}
