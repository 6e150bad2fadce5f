//! The phases of a shutdown, as a value that is watched.

use std::sync::Arc;

use tokio::sync::watch;

/// Where the process stands; it only ever moves down this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Phase {
    /// Everything is served.
    #[default]
    Running,
    /// Still serving, but `/readyz` says no.
    NotReady,
    /// No new connections; clients are told to go elsewhere; work in flight goes on.
    Draining,
    /// Everything ends now.
    Stop,
}

/// One shutdown. Clones share it.
#[derive(Debug, Clone)]
pub struct Shutdown {
    phase: Arc<watch::Sender<Phase>>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl Shutdown {
    /// A process that runs.
    pub fn new() -> Self {
        Self { phase: Arc::new(watch::Sender::new(Phase::Running)) }
    }

    /// Where it stands.
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Moves on to `phase`; moving back does nothing.
    pub fn advance(&self, phase: Phase) {
        self.phase.send_if_modified(|current| {
            let moves = phase > *current;
            if moves {
                *current = phase;
            }
            moves
        });
    }

    /// Whether new work is still welcome.
    pub fn is_running(&self) -> bool {
        self.phase() == Phase::Running
    }

    /// Waits until draining starts (or everything stops).
    pub async fn draining(&self) {
        self.reached(Phase::Draining).await;
    }

    /// Waits until everything is to end.
    pub async fn stopped(&self) {
        self.reached(Phase::Stop).await;
    }

    /// Waits until the phase is `phase` or later.
    pub async fn reached(&self, phase: Phase) {
        let mut changes = self.phase.subscribe();
        // The sender lives as long as `self`, so this ends only by the phase.
        let _ = changes.wait_for(|current| *current >= phase).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn phases_only_move_forward_and_wake_who_waits() {
        let shutdown = Shutdown::new();
        let waiting = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { shutdown.draining().await }
        });
        shutdown.advance(Phase::NotReady);
        assert!(!shutdown.is_running());
        shutdown.advance(Phase::Stop);
        shutdown.advance(Phase::NotReady);
        assert_eq!(shutdown.phase(), Phase::Stop);
        waiting.await.unwrap();
        shutdown.stopped().await;
    }
}
