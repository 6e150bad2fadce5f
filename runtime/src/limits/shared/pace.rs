//! A pace in Redis: the instant at which it is whole, as [`Gcra`] holds it, raised by what each node tells it has spent.

use crate::limits::{Gcra, Rule};
use crate::redis::{Failure, Lua, Redis};

static PACE: Lua = crate::lua!("limit_pace", "pace.lua");

/// Nanoseconds in a microsecond: Lua's numbers hold an instant in microseconds exactly, and in nanoseconds not.
const NANOS_PER_MICRO: u64 = 1_000;

/// What a node has spent of one pace.
pub(super) struct Spending {
    /// What the pace is called in Redis.
    pub(super) key: String,
    pub(super) rule: Rule,
    pub(super) units: u32,
}

/// Tells what was spent; answers what all nodes owe of each pace, in nanoseconds.
pub(super) async fn settle(redis: &Redis, spendings: &[Spending]) -> Result<Vec<u64>, Failure> {
    let owed: Vec<u64> = redis
        .eval(&PACE, |script| {
            for Spending { key, rule, units } in spendings {
                let step_us = Gcra::step_ns(rule).div_ceil(NANOS_PER_MICRO);
                let most_us = Gcra::most_ns(rule) / NANOS_PER_MICRO;
                let spent_us = step_us.saturating_mul(u64::from(*units)).min(most_us);
                script.key(key).arg(spent_us).arg(most_us);
            }
        })
        .await?;
    match owed.len() == spendings.len() {
        true => Ok(owed.into_iter().map(|us| us.saturating_mul(NANOS_PER_MICRO)).collect()),
        false => Err(Failure::Refused("the script's answer has another form".to_owned())),
    }
}
