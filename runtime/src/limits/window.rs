//! The exact sliding window: it remembers when each admission was, so no split of time admits one too many.
//!
//! Two-bucket approximations are smaller, but let up to twice the count through around a boundary; for five
//! logins a minute the memory of five instants is the better price.

use std::collections::VecDeque;

use super::{Decision, Limiter, Millis, Rule};

/// Never more than `count` in any `window_ms`.
#[derive(Debug, Clone, Default)]
pub struct SlidingWindow {
    /// When each unit was admitted, oldest first; never longer than the rule's count.
    admitted: VecDeque<Millis>,
}

impl SlidingWindow {
    /// Time never runs backwards here.
    fn held(&self, now: Millis) -> Millis {
        self.admitted.back().map_or(now, |newest| now.max(*newest))
    }

    /// How many of the oldest admissions have left the window at `now`.
    fn expired(&self, rule: &Rule, now: Millis) -> usize {
        self.admitted.partition_point(|at| at.saturating_add(rule.window_ms) <= now)
    }

    fn weigh(&self, rule: &Rule, wall: Millis, cost: u32) -> Decision {
        let now = self.held(wall);
        let expired = self.expired(rule, now);
        let live = self.admitted.len() - expired;
        let limit = rule.count as usize;
        let cost = cost as usize;
        let allowed = live + cost <= limit;
        let until = |index: usize| {
            self.admitted
                .get(index)
                .map_or(rule.window_ms, |at| at.saturating_add(rule.window_ms).saturating_sub(now))
                .max(1)
        };
        let retry_after_ms = match allowed {
            true => 0,
            false if cost > limit => rule.window_ms.max(1),
            // When so many have left that this one fits.
            false => until(expired + (live + cost - limit) - 1),
        };
        let live_after = if allowed { live + cost } else { live };
        let reset_ms = match (live_after, allowed && cost > 0) {
            (0, _) => 0,
            (_, true) => rule.window_ms,
            (_, false) => until(self.admitted.len().saturating_sub(1)),
        };
        Decision {
            allowed,
            limit: rule.count,
            remaining: u32::try_from(limit.saturating_sub(live_after)).unwrap_or(u32::MAX),
            reset_ms,
            retry_after_ms,
        }
    }
}

impl Limiter for SlidingWindow {
    fn take(&mut self, rule: &Rule, now: Millis, cost: u32) -> Decision {
        let decision = self.weigh(rule, now, cost);
        let held = self.held(now);
        let expired = self.expired(rule, held);
        self.admitted.drain(..expired);
        if decision.allowed {
            self.admitted.extend(std::iter::repeat_n(held, cost as usize));
        }
        decision
    }

    fn peek(&self, rule: &Rule, now: Millis, cost: u32) -> Decision {
        self.weigh(rule, now, cost)
    }

    fn idle_at(&self, rule: &Rule) -> Millis {
        self.admitted.back().map_or(0, |newest| newest.saturating_add(rule.window_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_sixth_login_waits_until_the_first_has_left_the_window() {
        let rule = Rule::per_minute(5);
        let mut limiter = SlidingWindow::default();
        for at in 0..5 {
            assert!(limiter.take(&rule, at * 1_000, 1).allowed);
        }
        let refused = limiter.take(&rule, 5_000, 1);
        assert!(!refused.allowed);
        assert_eq!((refused.remaining, refused.retry_after_ms), (0, 55_000));
        assert!(limiter.take(&rule, 60_000, 1).allowed);
        assert!(!limiter.take(&rule, 60_000, 1).allowed);
    }

    #[test]
    fn refusals_cost_nothing() {
        let rule = Rule::new(1, 100);
        let mut limiter = SlidingWindow::default();
        assert!(limiter.take(&rule, 0, 1).allowed);
        for at in 1..100 {
            assert!(!limiter.take(&rule, at, 1).allowed);
        }
        assert!(limiter.take(&rule, 100, 1).allowed);
    }

    #[test]
    fn a_clock_that_steps_back_gives_no_second_budget() {
        let rule = Rule::new(2, 1_000);
        let mut limiter = SlidingWindow::default();
        assert!(limiter.take(&rule, 50_000, 2).allowed);
        assert!(!limiter.take(&rule, 10_000, 1).allowed);
    }

    proptest! {
        #[test]
        fn no_window_ever_admits_more_than_the_count(
            count in 1u32..20, window_ms in 1u64..2_000,
            steps in proptest::collection::vec((0u64..300, 1u32..3), 1..300),
        ) {
            let rule = Rule::new(count, window_ms);
            let (mut limiter, mut now, mut admitted) = (SlidingWindow::default(), 5u64, Vec::new());
            for (step, cost) in steps {
                now += step;
                let decision = limiter.take(&rule, now, cost);
                prop_assert!(decision.remaining <= count);
                if decision.allowed {
                    admitted.push((now, cost));
                }
            }
            for (start, _) in &admitted {
                let spent: u32 = admitted.iter()
                    .filter(|(at, _)| *at >= *start && *at < start + window_ms)
                    .map(|(_, cost)| cost).sum();
                prop_assert!(spent <= count);
            }
        }

        #[test]
        fn retry_after_is_the_earliest_moment_that_works(
            count in 1u32..10, window_ms in 2u64..2_000, gaps in proptest::collection::vec(0u64..100, 1..100),
        ) {
            let rule = Rule::new(count, window_ms);
            let (mut limiter, mut now) = (SlidingWindow::default(), 7u64);
            for gap in gaps {
                now += gap;
                let decision = limiter.take(&rule, now, 1);
                if !decision.allowed {
                    prop_assert!(limiter.peek(&rule, now + decision.retry_after_ms, 1).allowed);
                    prop_assert!(!limiter.peek(&rule, now + decision.retry_after_ms - 1, 1).allowed);
                }
            }
        }
    }
}
