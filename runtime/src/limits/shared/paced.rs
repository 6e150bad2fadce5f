//! Rows whose even pace is spent in memory and settled with Redis afterwards: a message waits for nobody.

use std::collections::HashMap;
use std::fmt::Display;
use std::hash::Hash;

use futures_util::future::join_all;
use parking_lot::Mutex;

use super::pace::{self, Spending};
use crate::limits::{Decision, Gcra, Keyed, Millis, Rule};
use crate::redis::Redis;

/// The most keys of a row whose spending waits to be settled; what more keys spend meanwhile stays between them and this node.
const UNSETTLED_MAX: usize = 16_384;
/// The most keys that one settlement takes, of all rows. The others wait for the next.
pub(super) const SETTLED_AT_ONCE: usize = 2_048;
/// The most keys in one run of the script: Redis answers nobody else while it runs.
const KEYS_PER_SCRIPT: usize = 256;

/// One row of the table: a pace for each key.
#[derive(Debug)]
pub struct Paced<K> {
    name: &'static str,
    rule: Rule,
    keyed: Keyed<K, Gcra>,
    /// What was spent since the last settlement, where there is anybody to settle with.
    unsettled: Option<Mutex<HashMap<K, u32>>>,
}

impl<K: Hash + Eq + Clone + Display> Paced<K> {
    /// The row of this name, for at most about `keys_max` keys that are in use at once; a new one beyond them is refused. Where it is `shared`, what is
    /// spent is noted for [`settle`].
    #[must_use]
    pub fn new(name: &'static str, rule: Rule, keys_max: usize, shared: bool) -> Self {
        Self { name, rule, keyed: Keyed::new(keys_max), unsettled: shared.then(Mutex::default) }
    }

    /// The row's rule.
    #[must_use]
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Spends one unit of `key`'s pace, if it allows it.
    pub fn take(&self, key: K, now: Millis) -> Decision {
        let decision = self.keyed.take(key.clone(), &self.rule, now, 1);
        if let (true, Some(unsettled)) = (decision.allowed, &self.unsettled) {
            let mut unsettled = unsettled.lock();
            if let Some(units) = unsettled.get_mut(&key) {
                *units = units.saturating_add(1);
            } else if unsettled.len() < UNSETTLED_MAX {
                unsettled.insert(key, 1);
            }
        }
        decision
    }

    /// Gives back the memory of keys at rest.
    pub fn trim(&self, now: Millis) {
        self.keyed.trim(&self.rule, now);
    }

    /// Takes what was spent by at most so many keys.
    fn take_unsettled(&self, keys_max: usize) -> Vec<(K, u32)> {
        let Some(unsettled) = &self.unsettled else { return Vec::new() };
        let mut unsettled = unsettled.lock();
        if unsettled.len() <= keys_max {
            return unsettled.drain().collect();
        }
        let keys: Vec<K> = unsettled.keys().take(keys_max).cloned().collect();
        keys.into_iter().filter_map(|key| unsettled.remove_entry(&key)).collect()
    }

    fn forget_unsettled(&self) {
        if let Some(unsettled) = &self.unsettled {
            unsettled.lock().clear();
        }
    }

    /// All nodes together owe this, beside what this one has spent since it asked.
    fn owe(&self, key: K, owed_ns: u64, now: Millis) {
        let since = self.unsettled.as_ref().and_then(|unsettled| unsettled.lock().get(&key).copied()).unwrap_or(0);
        let since_ns = Gcra::step_ns(&self.rule).saturating_mul(u64::from(since));
        let owed_ns = owed_ns.saturating_add(since_ns);
        // Where the map is full there is no such key in use here.
        self.keyed.with(key, &self.rule, now, |limiter| limiter.owe(now, owed_ns)).ok();
    }
}

/// Tells Redis what was spent of these rows since the last time, and learns what the other nodes have spent; `clock` as in [`draw`](super::draw). One round
/// trip, at most [`ANSWER_WITHIN`](crate::redis::ANSWER_WITHIN); what can't be told is forgotten. Answers how many keys were settled.
pub async fn settle<K: Hash + Eq + Clone + Display>(
    redis: &Redis,
    rows: &[&Paced<K>],
    clock: impl Fn() -> Millis,
) -> usize {
    if !redis.standing().is_up() {
        rows.iter().for_each(|row| row.forget_unsettled());
        return 0;
    }
    let mut due = Vec::new();
    for row in rows {
        let spent = row.take_unsettled(SETTLED_AT_ONCE - due.len());
        due.extend(spent.into_iter().map(|(key, units)| (*row, key, units)));
    }
    // The scripts go out together: they are one round trip.
    let settled = join_all(due.chunks(KEYS_PER_SCRIPT).map(async |part| {
        let kind = |row: &Paced<K>| format!("limit:{}", row.name);
        let spending = |(row, key, units): &(&Paced<K>, K, u32)| Spending {
            key: redis.key(&kind(row), key),
            rule: row.rule,
            units: *units,
        };
        let spendings: Vec<Spending> = part.iter().map(spending).collect();
        let Ok(owed) = pace::settle(redis, &spendings).await else { return 0 };
        for ((row, key, _), owed_ns) in part.iter().zip(owed) {
            row.owe(key.clone(), owed_ns, clock());
        }
        part.len()
    }));
    settled.await.into_iter().sum()
}
