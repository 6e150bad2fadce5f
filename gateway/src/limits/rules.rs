//! The rows of the table with the operator's counts.

use std::collections::BTreeMap;

use protocol::limits::{LimitKind, RATE_LIMITS, RateLimit};
use runtime::limits::Rule;

/// The row of this name with its configured count; its burst grows and shrinks with it.
pub(super) fn rule(name: &str, counts: &BTreeMap<String, u32>) -> Rule {
    let Some(row) = RATE_LIMITS.iter().find(|row| row.name == name) else {
        // A row that was taken out of the table limits nothing; a test holds the names.
        return Rule::new(u32::MAX, 1);
    };
    configured(row, counts.get(name).copied().unwrap_or(row.count))
}

fn configured(row: &RateLimit, count: u32) -> Rule {
    let rule = Rule::new(count, row.window_ms);
    match row.kind {
        LimitKind::SlidingWindow => rule,
        LimitKind::Gcra { burst } => {
            let scaled = u64::from(burst) * u64::from(count) / u64::from(row.count.max(1));
            rule.with_burst(u32::try_from(scaled).unwrap_or(u32::MAX).max(1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_counted_here_or_by_auth() {
        let here = [
            "general",
            "login_address",
            "register_address",
            "join_user",
            "join_address",
            "conversation_messages",
            "calls_user",
            "call_signals",
            "socket_opens",
            "socket_frames",
        ];
        for row in RATE_LIMITS {
            let known = here.contains(&row.name) || row.name == "login_account";
            assert!(known, "{}", row.name);
        }
        for name in here {
            assert!(RATE_LIMITS.iter().any(|row| row.name == name), "{name}");
        }
    }

    #[test]
    fn a_raised_pace_raises_its_burst() {
        let counts = BTreeMap::from([("socket_frames".to_owned(), 600_000)]);
        assert_eq!(rule("socket_frames", &counts).burst, 120_000);
    }
}
