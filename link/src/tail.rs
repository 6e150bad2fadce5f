//! Following auth's list of revocations.
//!
//! The list is durable and numbered, so whoever follows it misses nothing: not while auth can't be reached, and not at a start, when
//! it is read from its beginning. That is the proof; auth also tells hints, so that nobody waits for the next turn.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::Instant;

use crate::bus::{Hint, Hints, SILENT_FOR};
use crate::heard::{Heard, Proof};
use crate::service::Service;
use crate::token::Revocation;

/// A question for new rows must not take longer.
const ASK_WITHIN: Duration = Duration::from_millis(1_500);

/// How long to wait before watching again after auth was lost.
const WATCH_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// A reader of the list.
pub struct RevocationTail {
    auth: Arc<dyn Service>,
    newest: u64,
    watch: Option<Watch>,
    heard: Heard,
}

/// What auth tells.
struct Watch {
    hints: Hints,
    heard_at: Instant,
}

impl RevocationTail {
    /// Before the first row.
    #[must_use]
    pub fn new(auth: Arc<dyn Service>) -> Self {
        Self { auth, newest: 0, watch: None, heard: Heard::default() }
    }

    /// Ends when auth tells of new rows, or when such a hint may have been missed. Dropping it loses nothing.
    pub async fn hinted(&mut self) {
        loop {
            let Some(watch) = self.watch.as_mut().filter(|watch| watch.heard_at.elapsed() < SILENT_FOR) else {
                match tokio::time::timeout(ASK_WITHIN, self.auth.watch()).await {
                    Ok(Ok(hints)) => self.watch = Some(Watch { hints, heard_at: Instant::now() }),
                    _ => tokio::time::sleep(WATCH_AGAIN_AFTER).await,
                }
                continue;
            };
            let Some(hint) = watch.hints.next().await else {
                self.watch = None;
                tokio::time::sleep(WATCH_AGAIN_AFTER).await;
                continue;
            };
            watch.heard_at = Instant::now();
            if self.heard.prove(&hint) != Proof::Whole || matches!(hint, Hint::Event { .. }) {
                return;
            }
        }
    }

    /// Reads everything that is new; answers whether auth could be asked, so that nothing is missing.
    pub async fn read(&mut self, mut each: impl FnMut(&Revocation)) -> bool {
        loop {
            let question = self.auth.revocations(self.newest);
            let Ok(Ok(news)) = tokio::time::timeout(ASK_WITHIN, question).await else {
                return false;
            };
            news.rows.iter().for_each(&mut each);
            self.newest = match news.rows.last() {
                // A page may be full: go on behind it.
                Some(last) => last.number,
                None => news.newest,
            };
            if news.rows.is_empty() {
                return true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::Publisher;
    use crate::call::{Call, Refusal, Reply};
    use crate::event::{Audience, Event, Identity};
    use async_trait::async_trait;
    use protocol::{ErrorCode, ServiceName};

    /// Stands where auth stands, as far as it tells.
    struct Telling(Publisher);

    #[async_trait]
    impl Service for Telling {
        fn name(&self) -> ServiceName {
            ServiceName::Auth
        }

        async fn execute(&self, _call: Call) -> Reply {
            Refusal::of(ErrorCode::Unsupported).into()
        }

        async fn watch(&self) -> Result<Hints, Refusal> {
            Ok(self.0.watch())
        }
    }

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

    async fn is_hinted(tail: &mut RevocationTail) -> bool {
        tokio::time::timeout(Duration::from_secs(10), tail.hinted()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_row_is_told_at_once_and_silence_is_no_news() {
        let publisher = Publisher::new(2);
        let mut tail = RevocationTail::new(Arc::new(Telling(publisher.clone())));
        assert!(is_hinted(&mut tail).await, "what happened before is not known");
        assert!(!is_hinted(&mut tail).await);
        publisher.publish(event());
        let began = Instant::now();
        assert!(is_hinted(&mut tail).await);
        assert!(began.elapsed() < Duration::from_millis(10));
        assert!(!is_hinted(&mut tail).await);
        // More than the publisher keeps: the first that is heard says that some were not.
        (0..5).for_each(|_| publisher.publish(event()));
        assert!(is_hinted(&mut tail).await);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_can_not_be_watched_is_asked_in_turn_only() {
        struct Silent;
        #[async_trait]
        impl Service for Silent {
            fn name(&self) -> ServiceName {
                ServiceName::Auth
            }

            async fn execute(&self, _call: Call) -> Reply {
                Refusal::of(ErrorCode::Unsupported).into()
            }
        }
        assert!(!is_hinted(&mut RevocationTail::new(Arc::new(Silent))).await);
    }
}
