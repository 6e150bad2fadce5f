//! SIGTERM and SIGINT: the first drains, the second forces.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Phase, Shutdown};

/// How long each phase of a drain may take.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrainTimes {
    /// Between "not ready" and the end of accepting, in milliseconds: the time a load balancer needs to notice.
    pub not_ready_ms: u64,
    /// For clients to go and work in flight to end, in milliseconds.
    pub drain_ms: u64,
}

impl Default for DrainTimes {
    fn default() -> Self {
        Self { not_ready_ms: 1_000, drain_ms: 10_000 }
    }
}

/// Waits for a signal and walks `shutdown` through its phases; a second signal goes straight to [`Phase::Stop`].
///
/// `idle` ends the drain before its time is over: pass a future that is ready when nobody is left.
pub async fn drain_on_signal(
    shutdown: Shutdown,
    times: DrainTimes,
    idle: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    either(&mut terminate, &mut interrupt).await;
    tracing::info!(drain_ms = times.drain_ms, "draining; a second signal forces");
    let orderly = async {
        shutdown.advance(Phase::NotReady);
        tokio::time::sleep(Duration::from_millis(times.not_ready_ms)).await;
        shutdown.advance(Phase::Draining);
        let _ = tokio::time::timeout(Duration::from_millis(times.drain_ms), idle).await;
    };
    tokio::select! {
        () = orderly => {}
        () = either(&mut terminate, &mut interrupt) => tracing::warn!("second signal: stopping now"),
    }
    shutdown.advance(Phase::Stop);
    Ok(())
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
