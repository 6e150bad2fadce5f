//! The generic cell rate algorithm: one instant per key, the time at which its budget is whole again.
//!
//! In any window it admits at most `count` plus the burst; over a long time exactly `count` per window.

use super::{Decision, Limiter, Millis, Rule};

/// Nanoseconds in a millisecond: the pace is kept in nanoseconds so that 7 per second is not rounded to 142 ms.
const NANOS_PER_MILLI: u64 = 1_000_000;

/// An even pace with a burst, in eight bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Gcra {
    /// Theoretical arrival time: when the budget will be whole, in nanoseconds. In the past means at rest.
    whole_at_ns: u64,
}

impl Gcra {
    /// Nanoseconds that one unit takes to grow back.
    pub(super) fn step_ns(rule: &Rule) -> u64 {
        let window_ns = rule.window_ms.saturating_mul(NANOS_PER_MILLI);
        // Rounded up: rounding down would admit one more than the rule in a long window.
        window_ns.div_ceil(u64::from(rule.count.max(1))).max(1)
    }

    /// The most that can be owed, in nanoseconds: the burst and a window. It is only owed beyond the burst where several nodes spend of one budget, or where
    /// a clock stepped back; nobody is to wait longer than a window for either.
    pub(super) fn most_ns(rule: &Rule) -> u64 {
        let step = Self::step_ns(rule);
        let window_ns = rule.window_ms.saturating_mul(NANOS_PER_MILLI);
        step.saturating_mul(u64::from(rule.burst)).saturating_add(window_ns).saturating_sub(step)
    }

    /// Others have spent of the same budget: it is not whole before so many nanoseconds have passed.
    pub(super) fn owe(&mut self, now: Millis, owed_ns: u64) {
        let whole_at_ns = now.saturating_mul(NANOS_PER_MILLI).saturating_add(owed_ns);
        self.whole_at_ns = self.whole_at_ns.max(whole_at_ns);
    }

    /// The decision, and the state after it if it is allowed.
    fn weigh(self, rule: &Rule, now: Millis, cost: u32) -> (Decision, u64) {
        let limit = if rule.count == 0 { 0 } else { rule.burst };
        let now_ns = now.saturating_mul(NANOS_PER_MILLI);
        let step = Self::step_ns(rule);
        let tolerance = step.saturating_mul(u64::from(limit));
        let debt = self.whole_at_ns.saturating_sub(now_ns).min(Self::most_ns(rule));
        let price = step.saturating_mul(u64::from(cost));
        let allowed = price <= tolerance.saturating_sub(debt);
        let after = if allowed { debt + price } else { debt };
        let retry_after_ms = match allowed {
            true => 0,
            // More than the whole burst, or a limit of nothing: not even rest allows it, so ask again in a window.
            false if price > tolerance => rule.window_ms.max(1),
            false => (debt + price - tolerance).div_ceil(NANOS_PER_MILLI).max(1),
        };
        let decision = Decision {
            allowed,
            limit,
            remaining: u32::try_from((tolerance - after.min(tolerance)) / step).unwrap_or(u32::MAX),
            reset_ms: after.div_ceil(NANOS_PER_MILLI),
            retry_after_ms,
        };
        (decision, now_ns.saturating_add(after))
    }
}

impl Limiter for Gcra {
    fn take(&mut self, rule: &Rule, now: Millis, cost: u32) -> Decision {
        let (decision, whole_at_ns) = self.weigh(rule, now, cost);
        if decision.allowed {
            self.whole_at_ns = whole_at_ns;
        }
        decision
    }

    fn peek(&self, rule: &Rule, now: Millis, cost: u32) -> Decision {
        self.weigh(rule, now, cost).0
    }

    fn idle_at(&self, _rule: &Rule) -> Millis {
        self.whole_at_ns.div_ceil(NANOS_PER_MILLI)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_burst_is_there_at_rest_and_then_the_pace_holds() {
        let rule = Rule::new(10, 1_000).with_burst(3);
        let mut limiter = Gcra::default();
        let at_rest: Vec<bool> = (0..4).map(|_| limiter.take(&rule, 5_000, 1).allowed).collect();
        assert_eq!(at_rest, [true, true, true, false]);
        let refused = limiter.take(&rule, 5_000, 1);
        assert_eq!(refused.retry_after_ms, 100);
        assert!(limiter.take(&rule, 5_100, 1).allowed);
        assert!(!limiter.take(&rule, 5_100, 1).allowed);
    }

    #[test]
    fn a_price_above_the_burst_is_refused_and_spends_nothing() {
        let rule = Rule::per_second(5);
        let mut limiter = Gcra::default();
        assert!(!limiter.take(&rule, 1, 6).allowed);
        assert_eq!(limiter.peek(&rule, 1, 1).remaining, 4);
    }

    #[test]
    fn a_limit_of_nothing_allows_nothing() {
        let decision = Gcra::default().take(&Rule::per_second(0), 9, 1);
        assert!(!decision.allowed);
        assert_eq!((decision.limit, decision.remaining), (0, 0));
    }

    #[test]
    fn after_a_clock_that_steps_back_nobody_is_told_to_wait_longer_than_a_window() {
        let rule = Rule::per_second(2);
        let mut limiter = Gcra::default();
        limiter.take(&rule, 1_000_000, 2);
        let refused = limiter.take(&rule, 0, 1);
        assert!(!refused.allowed);
        assert!(refused.retry_after_ms <= rule.window_ms);
    }

    proptest! {
        #[test]
        fn no_window_admits_more_than_the_count_and_the_burst(
            count in 1u32..50, window_ms in 1u64..5_000, burst in 1u32..50,
            steps in proptest::collection::vec((0u64..400, 1u32..4), 1..300),
        ) {
            let rule = Rule::new(count, window_ms).with_burst(burst);
            let (mut limiter, mut now, mut admitted) = (Gcra::default(), 1_000_000u64, Vec::new());
            for (step, cost) in steps {
                now += step;
                if limiter.take(&rule, now, cost).allowed {
                    admitted.push((now, cost));
                }
            }
            for (start, _) in &admitted {
                let spent: u32 = admitted.iter()
                    .filter(|(at, _)| *at >= *start && *at < start + window_ms)
                    .map(|(_, cost)| cost).sum();
                prop_assert!(spent <= count + burst);
            }
        }

        #[test]
        fn who_waits_as_told_is_admitted(
            count in 1u32..50, window_ms in 1u64..5_000, gaps in proptest::collection::vec(0u64..50, 1..100),
        ) {
            let rule = Rule::new(count, window_ms);
            let (mut limiter, mut now) = (Gcra::default(), 7u64);
            for gap in gaps {
                now += gap;
                let decision = limiter.take(&rule, now, 1);
                if !decision.allowed {
                    prop_assert!(decision.retry_after_ms > 0);
                    let later = limiter.peek(&rule, now + decision.retry_after_ms, 1);
                    prop_assert!(later.allowed);
                }
            }
        }
    }
}
