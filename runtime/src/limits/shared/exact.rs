//! Rows that are exact over all nodes: the question comes before the answer.

use std::fmt::Display;
use std::hash::Hash;

use super::window;
use crate::limits::{Decision, Keyed, Millis, Rule, SlidingWindow};
use crate::redis::Redis;

/// One row of the table: a budget for each key.
#[derive(Debug)]
pub struct Exact<K> {
    name: &'static str,
    rule: Rule,
    keyed: Keyed<K, SlidingWindow>,
}

/// Why nothing was drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// A budget is spent: the one that is to be waited for longest.
    Limited(Decision),
    /// Redis can't be asked, and the configuration says not to go on without it.
    Unavailable,
}

impl<K: Hash + Eq + Clone + Display> Exact<K> {
    /// The row of this name, for at most about `keys_max` keys that are in use at once; a new one beyond them is refused.
    #[must_use]
    pub fn new(name: &'static str, rule: Rule, keys_max: usize) -> Self {
        Self { name, rule, keyed: Keyed::new(keys_max) }
    }

    /// Gives back the memory of keys at rest.
    pub fn trim(&self, now: Millis) {
        self.keyed.trim(&self.rule, now);
    }
}

/// Draws one unit from each of these budgets, or from none of them; `clock` is this node's, in milliseconds that never run backwards. Takes one round trip to
/// Redis where there is one, at most [`ANSWER_WITHIN`](crate::redis::ANSWER_WITHIN).
///
/// # Errors
/// Which budget refuses, or that there is nobody to ask.
pub async fn draw<K: Hash + Eq + Clone + Display>(
    redis: Option<&Redis>,
    budgets: &[(&Exact<K>, K)],
    clock: impl Fn() -> Millis,
) -> Result<Vec<Decision>, Refused> {
    let now = clock();
    all_allow(budgets.iter().map(|(row, key)| row.keyed.peek(key, &row.rule, now, 1)).collect())?;
    if let Some(redis) = redis {
        let asked: Vec<_> = budgets.iter().map(|(row, key)| (key_of(redis, row, key), row.rule)).collect();
        match window::draw(redis, &asked).await {
            Ok((_, decisions)) => {
                let decisions = all_allow(decisions)?;
                // Where memory is full of what came meanwhile, it refuses anyway what comes next.
                take(budgets, clock());
                return Ok(decisions);
            }
            Err(_) if !redis.falls_back() => return Err(Refused::Unavailable),
            // Whether or not it was drawn there, it is counted here.
            Err(_) => {}
        }
    }
    all_allow(take(budgets, clock()))
}

/// What the row's budget is called in Redis.
fn key_of<K: Display>(redis: &Redis, row: &Exact<K>, key: &K) -> String {
    redis.key(&format!("limit:{}", row.name), key)
}

fn take<K: Hash + Eq + Clone>(budgets: &[(&Exact<K>, K)], now: Millis) -> Vec<Decision> {
    budgets.iter().map(|(row, key)| row.keyed.take(key.clone(), &row.rule, now, 1)).collect()
}

fn all_allow(decisions: Vec<Decision>) -> Result<Vec<Decision>, Refused> {
    let refusals = decisions.iter().filter(|decision| !decision.allowed);
    match refusals.max_by_key(|decision| decision.retry_after_ms) {
        Some(longest) => Err(Refused::Limited(*longest)),
        None => Ok(decisions),
    }
}
