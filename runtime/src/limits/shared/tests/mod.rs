//! Several nodes against one real Redis. A node is a handle and memory of its own.

mod exact;
mod gone;
mod paced;

use std::sync::Arc;
use std::time::Instant;

use protocol::ServiceName;
use rig::{RedisServer, wait};

use super::{Exact, Paced, Refused, draw, settle};
use crate::lifecycle::{Shutdown, Tasks};
use crate::limits::{Decision, Millis, Rule};
use crate::redis::{Config, Redis, Standing};

/// As many keys as no test needs.
const KEYS_MAX: usize = 10_000;

/// One of several nodes.
#[derive(Clone)]
struct Node {
    redis: Redis,
    exact: Arc<Exact<u32>>,
    paced: Arc<Paced<u32>>,
    began: Instant,
}

impl Node {
    /// A node on this Redis that counts by this rule.
    async fn on(server: &RedisServer, rule: Rule) -> Self {
        Self::with(Config { url: server.url(), ..Config::default() }, rule).await
    }

    async fn with(config: Config, rule: Rule) -> Self {
        let tasks = Tasks::new(ServiceName::Gateway);
        let node = Self {
            redis: Redis::start(&config, ServiceName::Gateway, &tasks, Shutdown::new()).unwrap(),
            exact: Arc::new(Exact::new("exact", rule, KEYS_MAX)),
            paced: Arc::new(Paced::new("paced", rule, KEYS_MAX, true)),
            began: Instant::now(),
        };
        node.stands(Standing::is_up).await;
        node
    }

    async fn stands(&self, as_wanted: impl Fn(Standing) -> bool) {
        let mut standing = self.redis.watch();
        let found = wait::within("Redis to stand so", standing.wait_for(|standing| as_wanted(*standing))).await;
        drop(found.unwrap());
    }

    fn now(&self) -> Millis {
        self.began.elapsed().as_millis() as Millis
    }

    /// One unit of an exact budget.
    async fn draw(&self, key: u32) -> Result<Decision, Refused> {
        let drawn = draw(Some(&self.redis), &[(&*self.exact, key)], || self.now()).await;
        drawn.map(|decisions| decisions[0])
    }

    /// How many of so many units are admitted.
    async fn admitted(&self, key: u32, tries: usize) -> usize {
        let mut admitted = 0;
        for _ in 0..tries {
            admitted += usize::from(self.draw(key).await.is_ok());
        }
        admitted
    }

    /// How many of so many units of a pace are admitted at once.
    fn paced(&self, key: u32, tries: usize) -> usize {
        (0..tries).filter(|_| self.paced.take(key, self.now()).allowed).count()
    }

    async fn settle(&self) -> usize {
        settle(&self.redis, &[&*self.paced], || self.now()).await
    }
}
