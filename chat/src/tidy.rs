//! Housekeeping: forgets old idempotency keys and audit events, and tells whether the store answers.

use std::time::Duration;

use runtime::audit;
use runtime::ops::Dependency;

use crate::conversations::idempotency;
use crate::shared::Shared;

/// How often the store is asked whether it answers.
const PROBE_EVERY: Duration = Duration::from_secs(2);
/// How many probes lie between two clean-ups.
const PROBES_PER_TIDY: u32 = 30;

/// How long audit events are kept.
const AUDIT_KEEP_DAYS: u64 = 365;

/// Works until the service stops.
pub(crate) async fn run(shared: Shared, store: Dependency) {
    let mut probes = 0_u32;
    loop {
        match shared.read("streams/probe", |connection| Ok(connection.query_row("SELECT 1", [], |_| Ok(()))?)).await {
            Ok(()) => store.up(),
            Err(refusal) => store.down(refusal.message),
        }
        if probes.is_multiple_of(PROBES_PER_TIDY) {
            forget(&shared).await;
        }
        probes = probes.wrapping_add(1);
        tokio::select! {
            () = tokio::time::sleep(PROBE_EVERY) => {}
            () = shared.shutdown.stopped() => return,
        }
    }
}

async fn forget(shared: &Shared) {
    let now = shared.now();
    let forgotten =
        shared.write("idempotency/forget", move |change| Ok(idempotency::forget_old(change.connection(), now)?));
    if let Err(refusal) = forgotten.await {
        tracing::warn!(%refusal, "old idempotency keys were not forgotten");
    }
    let expired = shared.write("audit/expire", |change| Ok(audit::expire(change.tx(), AUDIT_KEEP_DAYS)?));
    if let Err(refusal) = expired.await {
        tracing::warn!(%refusal, "old audit events were not removed");
    }
}
