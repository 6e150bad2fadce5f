//! The exact sliding window in Redis: a list of the times at which a budget was drawn from, as [`SlidingWindow`](crate::limits::SlidingWindow) holds them.
//!
//! The script is the same arithmetic, and the tests hold it to that. A list is never longer than its rule's count, and expires with its newest time.

use crate::limits::{Decision, Millis, Rule};
use crate::redis::{Failure, Lua, Redis};

static WINDOW: Lua = crate::lua!("limit_window", "window.lua");

/// What the script answers of each budget.
const FIELDS: usize = 4;

/// Draws one unit from all of these budgets if each allows it, else from none; answers Redis' time, and each budget's decision.
pub(super) async fn draw(redis: &Redis, budgets: &[(String, Rule)]) -> Result<(Millis, Vec<Decision>), Failure> {
    let answer: Vec<u64> = redis
        .eval(&WINDOW, |script| {
            for (key, rule) in budgets {
                script.key(key).arg(rule.count).arg(rule.window_ms);
            }
        })
        .await?;
    let malformed = || Failure::Refused("the script's answer has another form".to_owned());
    let (now, fields) = answer.split_first().ok_or_else(malformed)?;
    if fields.len() != budgets.len() * FIELDS {
        return Err(malformed());
    }
    let decisions = fields.chunks_exact(FIELDS).zip(budgets).map(|(fields, (_, rule))| decision(fields, rule));
    Ok((*now, decisions.collect()))
}

fn decision(fields: &[u64], rule: &Rule) -> Decision {
    let field = |index: usize| fields.get(index).copied().unwrap_or_default();
    Decision {
        allowed: field(0) == 1,
        limit: rule.count,
        remaining: u32::try_from(field(1)).unwrap_or(u32::MAX),
        reset_ms: field(2),
        retry_after_ms: field(3),
    }
}
