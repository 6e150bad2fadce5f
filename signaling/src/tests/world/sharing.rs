//! One of several processes that share a Redis.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use link::{Hint, Hints};
use rig::RedisServer;
use runtime::lifecycle::Phase;
use runtime::redis::{self, Redis};
use uuid::Uuid;

use super::{Chat, T0, World};
use crate::store::{RedisCalls, SharedCalls, connect, connect_with};
use crate::work::catch_up;

impl World {
    /// One of several processes, by its name, that share a Redis.
    pub(crate) async fn on_redis(server: &RedisServer, node: u128) -> Self {
        let redis = connect(server).await;
        Self::sharing(redis, node, Arc::default(), Arc::new(AtomicU64::new(T0))).that_has_read().await
    }

    /// One that waits so long for an answer of Redis.
    pub(crate) async fn on_redis_with(server: &RedisServer, node: u128, answer_within: Duration) -> Self {
        let config = redis::Config { answer_within, ..redis::Config::default() };
        let redis = connect_with(server, config).await;
        Self::sharing(redis, node, Arc::default(), Arc::new(AtomicU64::new(T0))).that_has_read().await
    }

    /// One that does not go on without Redis.
    pub(crate) async fn on_redis_without_fallback(server: &RedisServer, node: u128) -> Self {
        let config = redis::Config { fallback: false, ..redis::Config::default() };
        let redis = connect_with(server, config).await;
        Self::sharing(redis, node, Arc::default(), Arc::new(AtomicU64::new(T0))).that_has_read().await
    }

    /// Another process of the same world.
    pub(crate) async fn beside(&self, node: u128) -> Self {
        self.begins_beside(node).that_has_read().await
    }

    /// The same that has not read what goes on.
    pub(crate) fn begins_beside(&self, node: u128) -> Self {
        let redis = self.shared().redis().clone();
        Self::sharing(redis, node, Arc::clone(&self.chat), Arc::clone(&self.time))
    }

    async fn that_has_read(self) -> Self {
        catch_up(&self.desk, &self.shared_calls()).await.unwrap();
        self
    }

    fn sharing(redis: Redis, node: u128, chat: Arc<Chat>, time: Arc<AtomicU64>) -> Self {
        let clock = Arc::clone(&time);
        let shared = RedisCalls::new(redis, Uuid::from_u128(node)).with_clock(move || clock.load(Ordering::Relaxed));
        Self::open_with(tempfile::tempdir().unwrap(), chat, time, Some(shared))
    }

    /// The process dies, and another one finds what it left in its folder.
    pub(crate) async fn restart_on_redis(mut self) -> Self {
        self.shutdown.advance(Phase::Stop);
        self.spool.drain().await;
        self.store.close().await;
        let folder = self.folder.take().unwrap();
        Self::open_with(folder, Arc::clone(&self.chat), Arc::clone(&self.time), Some(self.shared()))
    }

    /// What is asked of Redis alone.
    pub(crate) fn shared(&self) -> RedisCalls {
        self.shared_calls().redis().clone()
    }

    pub(crate) fn shared_calls(&self) -> Arc<SharedCalls> {
        self.desk.shared.clone().unwrap()
    }

    /// The process dies, and says nothing more.
    pub(crate) fn dies(self) {}

    /// The names of what is told to devices from now on.
    pub(crate) fn hears(&self) -> Heard {
        Heard(self.desk.publisher.watch())
    }
}

/// What devices are told.
pub(crate) struct Heard(Hints);

impl Heard {
    /// The names of all that was told since the last look.
    pub(crate) fn drain(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        while let Some(Some(hint)) = self.0.next().now_or_never() {
            if let Hint::Event { event, .. } = hint {
                names.push(event.name.to_string());
            }
        }
        names
    }
}
