//! Hellos take turns.
//!
//! When a gateway dies, all its clients say hello to another one at once. Each hello asks services several questions that have a deadline: asked all
//! together they would all be late, and what was done for them in vain; the clients would come again, and so on without an end. A few at
//! a time are answered as fast as the services can. Who stands in line for too long is told to come later, before its client gives up by itself.

use std::sync::Arc;
use std::time::Duration;

use link::Refusal;
use protocol::ErrorCode;
use runtime::lifecycle::Shutdown;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many hellos are worked on at the same time: enough to keep the services busy, few enough that each is answered in time.
const AT_ONCE: usize = 64;
/// The longest wait in line. A client waits 15 s for its welcome.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Whose turn it is.
pub(crate) struct Turns {
    free: Arc<Semaphore>,
    shutdown: Shutdown,
}

impl Turns {
    pub(crate) fn new(shutdown: Shutdown) -> Self {
        Self { free: Arc::new(Semaphore::new(AT_ONCE)), shutdown }
    }

    /// Waits in line; the turn ends when what is answered is dropped.
    pub(crate) async fn take(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        tokio::select! {
            taken = tokio::time::timeout(WAIT_MAX, Arc::clone(&self.free).acquire_owned()) => match taken {
                Ok(Ok(turn)) => Ok(turn),
                Ok(Err(_)) | Err(_) => Err(Refusal::of(ErrorCode::Overloaded)),
            },
            () = self.shutdown.draining() => Err(Refusal::of(ErrorCode::Unavailable)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use runtime::lifecycle::Phase;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn who_comes_when_all_turns_are_taken_waits_for_one() {
        let turns = Turns::new(Shutdown::new());
        let mut taken = Vec::new();
        for _ in 0..AT_ONCE {
            taken.push(turns.take().now_or_never().unwrap().unwrap());
        }
        let mut next = Box::pin(turns.take());
        assert!(next.as_mut().now_or_never().is_none());
        taken.pop();
        assert!(next.now_or_never().unwrap().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_longer_than_its_client_does() {
        let (turns, began) = (Turns::new(Shutdown::new()), Instant::now());
        let _all = Arc::clone(&turns.free).acquire_many_owned(AT_ONCE as u32).await.unwrap();
        assert_eq!(turns.take().await.unwrap_err().code, ErrorCode::Overloaded);
        assert_eq!(began.elapsed(), WAIT_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_when_the_drain_begins_is_sent_elsewhere() {
        let shutdown = Shutdown::new();
        let turns = Turns::new(shutdown.clone());
        let _all = Arc::clone(&turns.free).acquire_many_owned(AT_ONCE as u32).await.unwrap();
        let mut waiting = Box::pin(turns.take());
        assert!(waiting.as_mut().now_or_never().is_none());
        shutdown.advance(Phase::Draining);
        assert_eq!(waiting.await.unwrap_err().code, ErrorCode::Unavailable);
    }
}
