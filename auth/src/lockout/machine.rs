//! Counting failures: a pure machine on a clock that is passed in.
//!
//! A fixed lock is either too short to stop guessing or long enough to be a weapon against the owner. So the first
//! lock is short, each further one is twice as long up to a bound, and a rest forgets it all. Every lock expires by itself.

use protocol::Millis;

/// When failures lock, and for how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Policy {
    /// Failures that lock.
    pub(crate) failures: u32,
    /// Failures further apart than this don't add up.
    pub(crate) window_ms: u64,
    /// The first lock.
    pub(crate) first_ms: u64,
    /// The longest lock.
    pub(crate) longest_ms: u64,
    /// After this long without a failure all is forgotten.
    pub(crate) forget_ms: u64,
}

/// What is remembered of one subject.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Tally {
    /// Failures since the last lock or success.
    pub(crate) failures: u32,
    /// Locks in a row.
    pub(crate) level: u32,
    /// The newest failure.
    pub(crate) failed_at: Millis,
    /// Locked until then.
    pub(crate) locked_until: Millis,
}

/// What a failure led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failed {
    /// It was counted.
    Counted,
    /// It was one too many.
    Locked,
}

impl Tally {
    /// How long nobody gets in, if it is locked.
    pub(crate) fn locked_for(&self, now: Millis) -> Option<u64> {
        (self.locked_until > now).then(|| self.locked_until - now)
    }

    /// Counts a failure. While locked there is nothing to count: nothing was verified.
    pub(crate) fn fail(&mut self, policy: &Policy, now: Millis) -> Failed {
        if self.locked_for(now).is_some() {
            return Failed::Counted;
        }
        let quiet_since = self.failed_at.max(self.locked_until);
        if now.saturating_sub(quiet_since) >= policy.forget_ms {
            *self = Self::default();
        } else if now.saturating_sub(self.failed_at) >= policy.window_ms {
            self.failures = 0;
        }
        self.failed_at = now;
        self.failures += 1;
        if self.failures < policy.failures {
            return Failed::Counted;
        }
        let doubled = policy.first_ms.saturating_mul(1u64.checked_shl(self.level).unwrap_or(u64::MAX));
        self.locked_until = now.saturating_add(doubled.min(policy.longest_ms));
        self.level = self.level.saturating_add(1);
        self.failures = 0;
        Failed::Locked
    }

    /// From when on this tally says no more than a new one.
    pub(crate) fn forget_at(&self, policy: &Policy) -> Millis {
        let memory = match self.level {
            0 => policy.window_ms,
            _ => policy.forget_ms,
        };
        self.failed_at.max(self.locked_until).saturating_add(memory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const POLICY: Policy =
        Policy { failures: 5, window_ms: 900_000, first_ms: 60_000, longest_ms: 3_600_000, forget_ms: 86_400_000 };

    fn lock(tally: &mut Tally, now: Millis) -> u64 {
        for _ in 1..POLICY.failures {
            assert_eq!(tally.fail(&POLICY, now), Failed::Counted);
        }
        assert_eq!(tally.fail(&POLICY, now), Failed::Locked);
        tally.locked_for(now).unwrap()
    }

    #[test]
    fn each_lock_is_twice_as_long_up_to_the_longest() {
        let (mut tally, mut now) = (Tally::default(), 1);
        for expected in [60, 120, 240, 480, 960, 1_920, 3_600, 3_600] {
            let lasts = lock(&mut tally, now);
            assert_eq!(lasts, expected * 1_000);
            now += lasts;
        }
    }

    #[test]
    fn after_a_long_rest_the_first_lock_is_short_again() {
        let mut tally = Tally::default();
        let first = lock(&mut tally, 1);
        lock(&mut tally, 1 + first);
        assert_eq!(lock(&mut tally, POLICY.forget_ms * 3), POLICY.first_ms);
    }

    #[test]
    fn failures_far_apart_do_not_add_up() {
        let mut tally = Tally::default();
        for day in 1..100 {
            assert_eq!(tally.fail(&POLICY, day * POLICY.window_ms), Failed::Counted);
        }
    }

    proptest! {
        #[test]
        fn a_lock_always_expires_within_the_longest_and_no_window_sees_more_failures_than_allowed(
            steps in proptest::collection::vec(0u64..2_000_000, 1..400),
        ) {
            let (mut tally, mut now, mut verified) = (Tally::default(), 0, Vec::new());
            for step in steps {
                now += step;
                if let Some(wait) = tally.locked_for(now) {
                    prop_assert!(wait <= POLICY.longest_ms);
                    prop_assert!(tally.locked_for(now + wait).is_none());
                    continue;
                }
                verified.push(now);
                let failed = tally.fail(&POLICY, now);
                prop_assert_eq!(failed == Failed::Locked, tally.locked_for(now).is_some());
            }
            // While nobody succeeds, the shortest lock bounds how many guesses any span of it sees.
            for start in &verified {
                let inside = verified.iter().filter(|at| *at >= start && **at < start + POLICY.first_ms).count();
                prop_assert!(inside <= POLICY.failures as usize, "{inside}");
            }
        }

        #[test]
        fn what_was_forgotten_makes_no_difference(
            steps in proptest::collection::vec((0u64..40_000_000, any::<bool>()), 1..200),
        ) {
            // One tally is dropped as soon as it may be, the other never: both answer alike.
            let (mut kept, mut cleaned, mut now) = (Tally::default(), Tally::default(), 1);
            for (step, fails) in steps {
                now += step;
                if cleaned.forget_at(&POLICY) <= now {
                    cleaned = Tally::default();
                }
                prop_assert_eq!(kept.locked_for(now), cleaned.locked_for(now));
                if fails {
                    prop_assert_eq!(kept.fail(&POLICY, now), cleaned.fail(&POLICY, now));
                }
            }
        }
    }
}
