//! The suite while Redis answers, and while it is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use protocol::Millis;
use rig::{RedisServer, wait};
use runtime::redis::Redis;
use runtime::store::Store;
use tempfile::TempDir;
use uuid::Uuid;

use super::super::conformance::{Home, T0, conforms};
use super::super::redis::tests::connect;
use super::super::{RedisCalls, SqliteCalls, store_options};
use super::{Others, SharedCalls};
use crate::desk::Live;

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

mod while_redis_answers {
    super::conforms!(super::Together);
}

mod while_redis_is_gone {
    super::conforms!(super::Alone);
}
