//! The two clocks of the gateway: one that only runs forward, for silence and deadlines, and the wall's, for tokens.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use protocol::Millis;
use tokio::time::Instant;

/// One moment on both clocks, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Now {
    /// Since the process began to look at the clock; never steps.
    pub(crate) steady: Millis,
    /// Since 1970.
    pub(crate) wall: Millis,
}

/// This moment.
pub(crate) fn now() -> Now {
    Now { steady: steady(), wall: wall() }
}

/// This moment on the clock that never steps.
pub(crate) fn steady() -> Millis {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_millis() as Millis
}

/// This moment on the wall's clock.
pub(crate) fn wall() -> Millis {
    // Before 1970 every token has expired, which is a safe answer.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Millis)
}
