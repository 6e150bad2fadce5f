//! How long something took, many times: in the words of a report.

use std::fmt;
use std::time::Duration;

/// Percentiles.
#[derive(Clone, Copy, Debug)]
pub struct Percentiles {
    /// How many there are.
    pub count: usize,
    /// Half took no longer.
    pub p50: Duration,
    /// 99 of a hundred took no longer.
    pub p99: Duration,
    /// The longest.
    pub most: Duration,
}

impl Percentiles {
    /// Of these.
    ///
    /// # Panics
    /// Of none.
    #[must_use]
    pub fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        let at = |share: usize| all[(all.len() - 1) * share / 100];
        Self { count: all.len(), p50: at(50), p99: at(99), most: at(100) }
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, p50, p99, most } = self;
        write!(f, "{count} in {p50:.2?} (p50), {p99:.2?} (p99), {most:.2?} (most)")
    }
}
