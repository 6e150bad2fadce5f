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
    drain(&shutdown, times, idle, either(&mut terminate, &mut interrupt)).await;
    Ok(())
}

/// Walks through the phases; `force` cuts it short.
async fn drain(
    shutdown: &Shutdown,
    times: DrainTimes,
    idle: impl Future<Output = ()>,
    force: impl Future<Output = ()>,
) {
    tracing::info!(drain_ms = times.drain_ms, "draining; a second signal forces");
    let orderly = async {
        shutdown.advance(Phase::NotReady);
        tokio::time::sleep(Duration::from_millis(times.not_ready_ms)).await;
        shutdown.advance(Phase::Draining);
        let bound = Duration::from_millis(times.drain_ms);
        if tokio::time::timeout(bound, idle).await.is_err() {
            tracing::warn!("the drain took too long: stopping with work in flight");
        }
    };
    tokio::select! {
        () = orderly => {}
        () = force => tracing::warn!("second signal: stopping now"),
    }
    shutdown.advance(Phase::Stop);
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::time::Instant;

    const TIMES: DrainTimes = DrainTimes { not_ready_ms: 1_000, drain_ms: 10_000 };

    #[tokio::test(start_paused = true)]
    async fn a_drain_ends_when_nobody_is_left() {
        let (shutdown, begun) = (Shutdown::new(), Instant::now());
        let watched = shutdown.clone();
        let idle = async move {
            watched.draining().await;
            tokio::time::sleep(Duration::from_secs(2)).await;
        };
        drain(&shutdown, TIMES, idle, pending()).await;
        assert_eq!(shutdown.phase(), Phase::Stop);
        assert_eq!(begun.elapsed().as_secs(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_drain_ends_at_its_deadline() {
        let (shutdown, begun) = (Shutdown::new(), Instant::now());
        drain(&shutdown, TIMES, pending(), pending()).await;
        assert_eq!(shutdown.phase(), Phase::Stop);
        assert_eq!(begun.elapsed().as_secs(), 11);
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_signal_ends_it_at_once() {
        let (shutdown, begun) = (Shutdown::new(), Instant::now());
        let force = tokio::time::sleep(Duration::from_millis(1_500));
        drain(&shutdown, TIMES, pending(), force).await;
        assert_eq!(shutdown.phase(), Phase::Stop);
        assert_eq!(begun.elapsed().as_millis(), 1_500);
    }
}
