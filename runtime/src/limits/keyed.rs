//! One limiter per key in a bounded map.
//!
//! The map is swept only when it is full, and then not again before the earliest instant at which a key can
//! have become idle: a flood of new keys against a full map costs one comparison each, not a sweep each.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};

use parking_lot::Mutex;

use super::{Decision, Limiter, Millis, Rule};

/// Locks that keys are spread over; enough that two cores rarely meet on one.
const SHARDS: usize = 16;

/// How long a new key is told to wait when the map is full of keys in use.
const FULL_RETRY_MS: u64 = 1_000;

/// The map is full of keys that are all in use; the new key was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("every rate limit slot is in use")]
pub struct KeyedFull;

/// A bounded map of limiters that share one rule.
#[derive(Debug)]
pub struct Keyed<K, L> {
    hasher: RandomState,
    shards: Box<[Mutex<Shard<K, L>>]>,
    max_keys_per_shard: usize,
}

#[derive(Debug)]
struct Shard<K, L> {
    limiters: HashMap<K, L>,
    /// No key is idle before this instant; only meaningful while the shard is full.
    sweep_at: Millis,
}

impl<K: Hash + Eq, L: Limiter> Keyed<K, L> {
    /// A map of at most about `max_keys` keys (rounded up to a multiple of the shard count).
    pub fn new(max_keys: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::new(Shard { limiters: HashMap::new(), sweep_at: 0 })).collect();
        Self { hasher: RandomState::new(), shards, max_keys_per_shard: max_keys.div_ceil(SHARDS).max(1) }
    }

    /// Spends `cost` of `key`'s budget. A new key in a full map is answered as if its budget were spent.
    pub fn take(&self, key: K, rule: &Rule, now: Millis, cost: u32) -> Decision {
        self.try_take(key, rule, now, cost).unwrap_or_else(|KeyedFull| full(rule))
    }

    /// As [`take`](Self::take), telling a full map apart from a spent budget.
    pub fn try_take(&self, key: K, rule: &Rule, now: Millis, cost: u32) -> Result<Decision, KeyedFull> {
        self.with(key, rule, now, |limiter| limiter.take(rule, now, cost))
    }

    /// Does something to the limiter of `key`, made if there is none.
    pub(super) fn with<T>(
        &self,
        key: K,
        rule: &Rule,
        now: Millis,
        change: impl FnOnce(&mut L) -> T,
    ) -> Result<T, KeyedFull> {
        let mut shard = self.shard(&key).lock();
        if let Some(limiter) = shard.limiters.get_mut(&key) {
            return Ok(change(limiter));
        }
        if !shard.has_room(rule, now, self.max_keys_per_shard) {
            return Err(KeyedFull);
        }
        Ok(change(shard.limiters.entry(key).or_default()))
    }

    /// What [`take`](Self::take) would answer; spends nothing and makes no entry.
    pub fn peek(&self, key: &K, rule: &Rule, now: Millis, cost: u32) -> Decision {
        let mut shard = self.shard(key).lock();
        if let Some(limiter) = shard.limiters.get(key) {
            return limiter.peek(rule, now, cost);
        }
        match shard.has_room(rule, now, self.max_keys_per_shard) {
            true => L::default().peek(rule, now, cost),
            false => full(rule),
        }
    }

    /// Forgets one key, for instance a login limit after a successful login.
    pub fn forget(&self, key: &K) {
        self.shard(key).lock().limiters.remove(key);
    }

    /// Forgets every key at rest and gives memory back; meant for a slow timer.
    pub fn trim(&self, rule: &Rule, now: Millis) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            shard.limiters.retain(|_, limiter| limiter.idle_at(rule) > now);
            shard.limiters.shrink_to_fit();
        }
    }

    /// How many keys are held.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().limiters.len()).sum()
    }

    /// Whether no key is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, key: &K) -> &Mutex<Shard<K, L>> {
        let hash = self.hasher.hash_one(key);
        // The map inside hashes with its own keys, so any bits will do here.
        &self.shards[hash as usize % SHARDS]
    }
}

/// The answer to a new key when the map is full.
fn full(rule: &Rule) -> Decision {
    Decision { allowed: false, limit: rule.count, remaining: 0, reset_ms: FULL_RETRY_MS, retry_after_ms: FULL_RETRY_MS }
}

impl<K: Hash + Eq, L: Limiter> Shard<K, L> {
    /// Whether there is room for one key more, once those at rest are forgotten.
    fn has_room(&mut self, rule: &Rule, now: Millis, max_keys: usize) -> bool {
        if self.limiters.len() >= max_keys {
            self.sweep(rule, now);
        }
        self.limiters.len() < max_keys
    }

    fn sweep(&mut self, rule: &Rule, now: Millis) {
        if now < self.sweep_at {
            return;
        }
        let mut next_idle = Millis::MAX;
        self.limiters.retain(|_, limiter| {
            let idle_at = limiter.idle_at(rule);
            if idle_at > now {
                next_idle = next_idle.min(idle_at);
            }
            idle_at > now
        });
        // While keys are in use their idle instant only moves later, so this bound holds until the next sweep.
        self.sweep_at = if next_idle == Millis::MAX { 0 } else { next_idle };
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Gcra, SlidingWindow};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_key_has_its_own_budget() {
        let rule = Rule::per_minute(1);
        let keyed: Keyed<&str, SlidingWindow> = Keyed::new(100);
        assert!(keyed.take("ada", &rule, 0, 1).allowed);
        assert!(!keyed.take("ada", &rule, 1, 1).allowed);
        assert!(keyed.take("bob", &rule, 1, 1).allowed);
    }

    #[test]
    fn a_full_map_refuses_new_keys_and_keeps_the_known_ones_limited() {
        let rule = Rule::per_minute(2);
        let keyed: Keyed<u32, SlidingWindow> = Keyed::new(SHARDS);
        let mut held = Vec::new();
        for key in 0..10_000 {
            if keyed.try_take(key, &rule, 0, 1).is_ok() {
                held.push(key);
            }
        }
        assert_eq!(held.len(), SHARDS);
        let newcomer = keyed.take(99_999, &rule, 1, 1);
        assert!(!newcomer.allowed);
        assert!(newcomer.retry_after_ms > 0);
        assert!(held.iter().all(|key| keyed.take(*key, &rule, 1, 1).allowed));
        assert!(held.iter().all(|key| !keyed.take(*key, &rule, 2, 1).allowed));
    }

    #[test]
    fn a_full_map_makes_room_as_soon_as_a_key_is_at_rest() {
        let rule = Rule::per_minute(1);
        let keyed: Keyed<u32, SlidingWindow> = Keyed::new(1);
        for key in 0..1_000 {
            keyed.take(key, &rule, 0, 1);
        }
        assert!(!keyed.take(5_000, &rule, 59_999, 1).allowed);
        assert!(keyed.take(5_000, &rule, 60_000, 1).allowed);
    }

    #[test]
    fn trimming_forgets_only_keys_at_rest() {
        let rule = Rule::per_second(10);
        let keyed: Keyed<u32, Gcra> = Keyed::new(1_000);
        keyed.take(1, &rule, 1_000, 1);
        keyed.take(2, &rule, 1_000, 10);
        keyed.trim(&rule, 1_500);
        assert_eq!(keyed.len(), 1);
        assert!(!keyed.take(2, &rule, 1_500, 10).allowed);
    }

    proptest! {
        #[test]
        fn the_map_never_outgrows_its_bound_and_never_overspends(
            max_keys in 1usize..64,
            takes in proptest::collection::vec((0u16..500, 0u64..50), 1..500),
        ) {
            let rule = Rule::new(3, 1_000);
            let keyed: Keyed<u16, SlidingWindow> = Keyed::new(max_keys);
            let mut now = 0;
            let mut admitted: HashMap<u16, Vec<u64>> = HashMap::new();
            for (key, step) in takes {
                now += step;
                if keyed.take(key, &rule, now, 1).allowed {
                    admitted.entry(key).or_default().push(now);
                }
                prop_assert!(keyed.len() <= max_keys.div_ceil(SHARDS) * SHARDS);
            }
            for times in admitted.values() {
                for start in times {
                    let inside = times.iter().filter(|at| **at >= *start && **at < start + 1_000).count();
                    prop_assert!(inside <= 3);
                }
            }
        }
    }
}
