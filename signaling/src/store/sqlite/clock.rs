//! The store's own time: milliseconds since 1970 that never go back while the process lives.
//!
//! Leases and deadlines are compared with it alone, so a machine whose clock is set back neither gives a lease twice nor numbers a
//! version like an older one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use protocol::Millis;

/// Clones share the latest time that any of them told.
#[derive(Clone)]
pub(super) struct Clock {
    read: Arc<dyn Fn() -> Millis + Send + Sync>,
    latest: Arc<AtomicU64>,
}

impl Clock {
    pub(super) fn system() -> Self {
        Self::new(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis))
    }

    pub(super) fn new(read: impl Fn() -> Millis + Send + Sync + 'static) -> Self {
        Self { read: Arc::new(read), latest: Arc::default() }
    }

    pub(super) fn now(&self) -> Millis {
        let read = (self.read)();
        self.latest.fetch_max(read, Ordering::Relaxed).max(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_stands_still_until_it_has_caught_up() {
        let times = parking_lot::Mutex::new([50, 40, 49, 51].into_iter());
        let clock = Clock::new(move || times.lock().next().unwrap());
        assert_eq!([clock.now(), clock.now(), clock.clone().now(), clock.now()], [50, 50, 50, 51]);
    }
}
