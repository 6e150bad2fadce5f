//! Housekeeping: forgets what is old, and tells whether the store answers.

use std::sync::Arc;
use std::time::Duration;

use runtime::lifecycle::Shutdown;
use runtime::ops::Dependency;

use crate::desk::Desk;

/// How often the store is asked whether it answers.
const PROBE_EVERY: Duration = Duration::from_secs(2);
/// How many probes lie between two clean-ups.
const PROBES_PER_TIDY: u32 = 15;
/// Rows that are forgotten at once.
const FORGET_MAX: usize = 500;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Works until the service stops.
pub(crate) async fn run(desk: Arc<Desk>, store: Dependency, shutdown: Shutdown) {
    let mut probes = 0_u32;
    loop {
        match desk.store.next_due().await {
            Ok(_) => store.up(),
            Err(error) => store.down(error.to_string()),
        }
        if probes.is_multiple_of(PROBES_PER_TIDY) {
            forget(&desk).await;
        }
        probes = probes.wrapping_add(1);
        tokio::select! {
            () = tokio::time::sleep(PROBE_EVERY) => {}
            () = shutdown.stopped() => return,
        }
    }
}

async fn forget(desk: &Desk) {
    let Ok(now) = desk.store.now().await else { return };
    desk.live.tidy(now);
    desk.mailboxes.tidy(now, |call| desk.live.get(call).is_some());
    let before = now.saturating_sub(desk.config.history_days * DAY_MS);
    loop {
        match desk.store.forget(before, FORGET_MAX).await {
            Ok(FORGET_MAX..) => {}
            Ok(_) => return,
            Err(error) => return tracing::warn!(%error, "old calls were not forgotten"),
        }
    }
}
