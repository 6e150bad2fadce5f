//! Deadlines. The worker sleeps until the next one; while nothing goes on it costs nothing.

use std::sync::Arc;
use std::time::Duration;

use protocol::Millis;
use runtime::lifecycle::Shutdown;

use crate::desk::Desk;
use crate::machine::Input;
use crate::store::StoreError;

/// So long a claim lasts: whoever dies with it delays its deadlines by no more than this.
const LEASE_MS: Millis = 2_000;
/// Deadlines that are claimed at once.
const CLAIM_MAX: usize = 64;
/// How long to wait after the store has failed.
const PAUSE: Duration = Duration::from_millis(500);

/// Applies deadlines until the service stops.
pub(crate) async fn run(desk: Arc<Desk>, shutdown: Shutdown) {
    loop {
        let wait = match round(&desk).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "deadlines wait for the store");
                Some(PAUSE)
            }
        };
        tokio::select! {
            () = sleep(wait) => {}
            () = desk.deadlines.notified() => {}
            () = shutdown.stopped() => return,
        }
    }
}

/// Applies what has come; answers how long there is nothing to do.
async fn round(desk: &Desk) -> Result<Option<Duration>, StoreError> {
    apply(desk).await?;
    let next = desk.store.next_due().await?;
    let now = desk.store.now().await?;
    Ok(next.map(|at| Duration::from_millis(at.saturating_sub(now).max(1))))
}

/// Applies what has come.
pub(crate) async fn apply(desk: &Desk) -> Result<(), StoreError> {
    loop {
        let claimed = desk.store.claim_due(LEASE_MS, CLAIM_MAX).await?;
        if claimed.is_empty() {
            return Ok(());
        }
        for call in claimed {
            // What fails is claimed again when the lease is over.
            if let Err(refusal) = desk.change(call, Input::Due).await {
                tracing::warn!(%call, %refusal, "a deadline could not be applied");
            }
        }
    }
}

/// For good where there is no end.
pub(super) async fn sleep(wait: Option<Duration>) {
    match wait {
        Some(wait) => tokio::time::sleep(wait).await,
        None => std::future::pending().await,
    }
}
