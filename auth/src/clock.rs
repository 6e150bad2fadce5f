//! Time as a dependency, so that tests move it by hand.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use protocol::Millis;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Unix time in milliseconds; never before what it told last.
    fn now(&self) -> Millis;
}

/// The machine's clock, held still while it is set back: what was revoked "before now" must stay before now.
#[derive(Debug, Default)]
pub struct SystemClock {
    newest: AtomicU64,
}

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis);
        self.newest.fetch_max(wall, Ordering::AcqRel).max(wall)
    }
}

/// A clock that stands until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    now: AtomicU64,
}

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: Millis) -> Self {
        Self { now: AtomicU64::new(now) }
    }

    /// Moves it forward.
    pub fn advance(&self, by_ms: Millis) {
        self.now.fetch_add(by_ms, Ordering::AcqRel);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        self.now.load(Ordering::Acquire)
    }
}
