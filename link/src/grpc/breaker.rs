//! Stops asking a process that does not answer, so that callers hear `unavailable` at once instead of waiting in line.
//!
//! Pure: the time is passed in. There is no third state for the probe: when the wait is over one caller is let through and the wait
//! begins anew, twice as long, so a probe that is abandoned needs no clean-up.

use std::time::{Duration, Instant};

/// After this many failures in a row the breaker opens: one may be chance (a restart), a few in a row are not.
const FAILURES_MAX: u32 = 5;
const WAIT_FIRST: Duration = Duration::from_millis(100);
/// A process that is back is found again within a second.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// What a breaker does, for metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// Calls are refused, but for one probe each wait.
    Open,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Breaker {
    Closed { failures: u32 },
    Open { until: Instant, wait: Duration },
}

impl Breaker {
    pub(crate) const fn new() -> Self {
        Self::Closed { failures: 0 }
    }

    pub(crate) const fn state(self) -> BreakerState {
        match self {
            Self::Closed { .. } => BreakerState::Closed,
            Self::Open { .. } => BreakerState::Open,
        }
    }

    /// Whether a call may go; if not, how long to wait.
    pub(crate) fn admit(&mut self, now: Instant) -> Result<(), Duration> {
        match *self {
            Self::Closed { .. } => Ok(()),
            Self::Open { until, .. } if now < until => Err(until - now),
            Self::Open { wait, .. } => {
                let wait = (wait * 2).min(WAIT_MAX);
                *self = Self::Open { until: now + wait, wait };
                Ok(())
            }
        }
    }

    pub(crate) fn succeeded(&mut self) {
        *self = Self::new();
    }

    pub(crate) fn failed(&mut self, now: Instant) {
        match *self {
            Self::Closed { failures } if failures + 1 < FAILURES_MAX => *self = Self::Closed { failures: failures + 1 },
            Self::Closed { .. } => *self = Self::Open { until: now + WAIT_FIRST, wait: WAIT_FIRST },
            // The wait was doubled when the probe went; the many calls that a broken connection ends at once add nothing.
            Self::Open { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::new();
        for _ in 0..FAILURES_MAX {
            assert_eq!(breaker.admit(now), Ok(()));
            breaker.failed(now);
        }
        breaker
    }

    #[test]
    fn a_breaker_that_opened_lets_one_probe_through_each_wait() {
        let now = Instant::now();
        let mut breaker = opened(now);
        assert_eq!(breaker.state(), BreakerState::Open);
        assert_eq!(breaker.admit(now), Err(WAIT_FIRST));
        let later = now + WAIT_FIRST;
        assert_eq!(breaker.admit(later), Ok(()));
        assert!(breaker.admit(later).is_err());
        breaker.succeeded();
        assert_eq!(breaker.admit(later), Ok(()));
        assert_eq!(breaker.state(), BreakerState::Closed);
    }

    proptest! {
        #[test]
        fn whatever_happened_a_probe_is_never_farther_away_than_the_longest_wait(
            steps in prop::collection::vec((0_u64..2_000, any::<bool>()), 0..200),
        ) {
            let mut now = Instant::now();
            let mut breaker = Breaker::new();
            for (pause, succeeds) in steps {
                now += Duration::from_millis(pause);
                match breaker.admit(now) {
                    Ok(()) if succeeds => breaker.succeeded(),
                    Ok(()) => breaker.failed(now),
                    Err(wait) => prop_assert!(wait <= WAIT_MAX),
                }
            }
            prop_assert_eq!(breaker.admit(now + WAIT_MAX), Ok(()));
        }
    }
}
