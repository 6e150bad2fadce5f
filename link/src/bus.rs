//! Hints: how a service tells what happened, without promising that it arrives.
//!
//! The log is the truth, a hint makes it fast. A publisher numbers its hints and restates the newest number once a second, so that
//! a reader that missed one (also the last one) knows it and reads heads again. The channel behind is bounded: a reader that does
//! not keep up loses hints, never slows the publisher, and sees the gap in the numbers.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use uuid::Uuid;

use crate::event::Event;

/// How often the newest number is restated.
pub const RESTATE_EVERY: Duration = Duration::from_secs(1);

/// A publisher that says nothing for so long is lost, also where no error tells.
pub const SILENT_FOR: Duration = Duration::from_secs(3);

/// What a reader of hints gets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hint {
    /// The newest number of the publisher: the first item, and once a second. A reader whose last number differs has missed
    /// hints; another publisher than before means that it was restarted.
    Newest {
        /// The publisher; a new one for each start.
        publisher: Uuid,
        /// Its newest hint.
        number: u64,
    },
    /// Something happened.
    Event {
        /// Whose hint.
        publisher: Uuid,
        /// The hint's number: the one before plus one, or hints were missed.
        number: u64,
        /// What happened.
        event: Arc<Event>,
    },
}

impl Hint {
    /// Whose it is.
    #[must_use]
    pub fn publisher(&self) -> Uuid {
        match *self {
            Self::Newest { publisher, .. } | Self::Event { publisher, .. } => publisher,
        }
    }
}

/// A stream of hints. It ends when the publisher is gone or, across processes, when the connection is.
pub type Hints = Pin<Box<dyn Stream<Item = Hint> + Send>>;

/// Numbers events and tells them to whoever watches. Clones share the numbers.
#[derive(Clone)]
pub struct Publisher {
    id: Uuid,
    newest: Arc<parking::Number>,
    channel: broadcast::Sender<(u64, Arc<Event>)>,
}

/// The number and the send must be one step, else a watcher could see them out of order.
mod parking {
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// The newest number.
    #[derive(Default)]
    pub(super) struct Number(Mutex<u64>);

    impl Number {
        pub(super) fn lock(&self) -> MutexGuard<'_, u64> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }
}

impl Publisher {
    /// A publisher that keeps up to `capacity` hints for readers that are not in step.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let (channel, _) = broadcast::channel(capacity.max(1));
        Self { id: Uuid::new_v4(), newest: Arc::default(), channel }
    }

    /// Tells an event. Call it in the order of the commits.
    pub fn publish(&self, event: Event) {
        let mut newest = self.newest.lock();
        *newest += 1;
        // Without a watcher nobody needs the hint: the log has it.
        let _ = self.channel.send((*newest, Arc::new(event)));
    }

    /// Everything that is published from now on. The first item confirms it.
    #[must_use]
    pub fn watch(&self) -> Hints {
        let newest = self.newest.lock();
        let receiver = self.channel.subscribe();
        let first = Hint::Newest { publisher: self.id, number: *newest };
        drop(newest);
        let restate = {
            let mut restate = interval_at(Instant::now() + RESTATE_EVERY, RESTATE_EVERY);
            restate.set_missed_tick_behavior(MissedTickBehavior::Delay);
            restate
        };
        let state = Watch { publisher: self.clone(), receiver, restate, first: Some(first) };
        Box::pin(futures_util::stream::unfold(state, Watch::next))
    }
}

struct Watch {
    publisher: Publisher,
    receiver: broadcast::Receiver<(u64, Arc<Event>)>,
    restate: tokio::time::Interval,
    first: Option<Hint>,
}

impl Watch {
    async fn next(mut self) -> Option<(Hint, Self)> {
        if let Some(first) = self.first.take() {
            return Some((first, self));
        }
        loop {
            tokio::select! {
                biased;
                received = self.receiver.recv() => match received {
                    Ok((number, event)) => return Some((Hint::Event { publisher: self.publisher.id, number, event }, self)),
                    // The next number tells the reader what it lost.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                },
                _ = self.restate.tick() => {
                    // Only when the channel is drained is the newest number what the reader should have seen.
                    if self.receiver.is_empty() {
                        let number = *self.publisher.newest.lock();
                        if self.receiver.is_empty() {
                            return Some((Hint::Newest { publisher: self.publisher.id, number }, self));
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Audience, Identity};
    use futures_util::StreamExt;

    fn event() -> Event {
        Event {
            identity: Identity::Ephemeral { until: 0 },
            audience: Audience::Users(Arc::from([])),
            name: "test".into(),
            at: 0,
            body: bytes::Bytes::from_static(b"{}"),
            by_rights: false,
            effects: Arc::from([]),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_hears_the_newest_number_first_then_every_event_then_the_number_again() {
        let publisher = Publisher::new(8);
        publisher.publish(event());
        let mut hints = publisher.watch();
        publisher.publish(event());
        assert!(matches!(hints.next().await, Some(Hint::Newest { number: 1, .. })));
        assert!(matches!(hints.next().await, Some(Hint::Event { number: 2, .. })));
        assert!(matches!(hints.next().await, Some(Hint::Newest { number: 2, .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_does_not_keep_up_sees_the_gap() {
        let publisher = Publisher::new(2);
        let mut hints = publisher.watch();
        for _ in 0..5 {
            publisher.publish(event());
        }
        assert!(matches!(hints.next().await, Some(Hint::Newest { number: 0, .. })));
        assert!(matches!(hints.next().await, Some(Hint::Event { number: 4, .. })));
    }
}
