//! Hints, and what proves that one was missed: then the heads of all followed streams are read.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt;
use link::bus::SILENT_FOR;
use link::calls::CALLS_RESTATE;
use link::{Call, Heard, Hint, Proof, Reply, Service};
use protocol::{Position, StreamId};

use super::Hub;
use crate::session::Session;

/// How long to wait before watching again after the publisher was lost.
const WATCH_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// The most hints that are handed on together: what a burst costs one wake and one write for, and still short.
const HINTS_AT_ONCE: usize = 64;
/// The most heads in one question.
const HEADS_PER_QUESTION: usize = 1_000;
/// A question for heads must not take longer.
const HEADS_WITHIN: Duration = Duration::from_millis(1_500);

/// Whose hints, and what a missed one costs.
enum Source {
    /// Chat: the heads of all followed streams are read.
    Logs(Arc<dyn Service>),
    /// Signaling: it is asked to tell the state of all calls once more. Nothing here knows what a device has heard of them.
    Calls(Arc<dyn Service>),
}

impl Source {
    fn service(&self) -> &Arc<dyn Service> {
        match self {
            Self::Logs(service) | Self::Calls(service) => service,
        }
    }
}

impl Hub {
    /// Watches the service that keeps the logs, for good.
    pub(crate) async fn watch(self: Arc<Self>) {
        let source = Source::Logs(Arc::clone(&self.chat));
        let mut heard = Heard::default();
        loop {
            self.listen(&source, &mut heard).await;
            self.watching.store(false, Ordering::Relaxed);
            tokio::time::sleep(WATCH_AGAIN_AFTER).await;
        }
    }

    /// Watches the service that keeps the calls, for good.
    pub(crate) async fn watch_calls(self: Arc<Self>, signaling: Arc<dyn Service>) {
        let source = Source::Calls(signaling);
        loop {
            // Devices may have come before the watch did: it begins with what goes on.
            self.listen(&source, &mut Heard::default()).await;
            self.watching_calls.store(false, Ordering::Relaxed);
            tokio::time::sleep(WATCH_AGAIN_AFTER).await;
        }
    }

    /// Whether hints of logs are coming in.
    pub(crate) fn is_watching(&self) -> bool {
        self.watching.load(Ordering::Relaxed)
    }

    /// Whether hints of calls are coming in.
    pub(crate) fn is_watching_calls(&self) -> bool {
        self.watching_calls.load(Ordering::Relaxed)
    }

    async fn listen(&self, source: &Source, heard: &mut Heard) {
        let hints = match source.service().watch().await {
            Ok(hints) => hints,
            Err(refusal) => {
                let service = source.service().name().as_str();
                return tracing::warn!(service, code = refusal.code.as_str(), "can't watch: {}", refusal.message);
            }
        };
        let mut hints = hints.ready_chunks(HINTS_AT_ONCE);
        while let Ok(Some(ready)) = tokio::time::timeout(SILENT_FOR, hints.next()).await {
            let mut events = Vec::with_capacity(ready.len());
            for hint in ready {
                let proof = heard.prove(&hint);
                if proof != Proof::Whole {
                    self.hints(&events);
                    events.clear();
                    if !self.missed(source, proof == Proof::Unknown).await {
                        return;
                    }
                }
                if let Hint::Event { event, .. } = hint {
                    events.push(event);
                }
            }
            let watching = match source {
                Source::Logs(_) => &self.watching,
                Source::Calls(_) => &self.watching_calls,
            };
            watching.store(true, Ordering::Relaxed);
            self.hints(&events);
        }
    }

    /// Finds out what was missed, or what one who speaks for the first time has told until now; answers whether the watch may go on, and does not have to begin anew.
    async fn missed(&self, source: &Source, unknown: bool) -> bool {
        match source {
            Source::Logs(_) => self.refresh(unknown).await,
            Source::Calls(signaling) => {
                let Ok(restate) = Call::internal(CALLS_RESTATE, None, &serde_json::json!({})) else { return true };
                let asked = tokio::time::timeout(HEADS_WITHIN, signaling.execute(restate)).await;
                if !matches!(asked, Ok(Reply { result: Ok(_), .. })) {
                    tracing::warn!("calls could not be asked for; they are once more");
                    return false;
                }
            }
        }
        true
    }

    /// Reads the heads of everything that is followed, and has each connection read its registers again: what a register was is in no
    /// log. After another publisher, a head before the cursor means another log.
    pub(super) async fn refresh(&self, replaced: bool) {
        let followed = self.followed();
        // A publisher that nobody here has heard before is no fault: so it is at every start of this process or of that one.
        let why = if replaced { "a publisher speaks for the first time" } else { "hints were missed" };
        tracing::info!(streams = followed.len(), "{why}: reading heads");
        for part in followed.chunks(HEADS_PER_QUESTION) {
            let streams: Vec<StreamId> = part.iter().map(|(id, _)| *id).collect();
            let question = self.chat.heads(streams.clone());
            let Ok(Ok(heads)) = tokio::time::timeout(HEADS_WITHIN, question).await else {
                self.fill_all(&streams);
                continue;
            };
            let heads: HashMap<_, _> = heads.into_iter().map(|head| (head.stream, head.position)).collect();
            for (id, cursor) in part {
                match heads.get(id).copied() {
                    Some(head) if replaced && head.seq < cursor.seq => self.lose(*id),
                    Some(head) => self.head(*id, head),
                    None if cursor.seq > 0 => self.lose(*id),
                    None => {}
                }
            }
        }
        self.users.each(|conn| conn.with(Session::missed_registers));
    }

    pub(super) fn followed(&self) -> Vec<(StreamId, Position)> {
        let mut all = Vec::new();
        for shard in &self.shards {
            let shard = shard.lock();
            all.extend(shard.streams.iter().map(|(id, stream)| (*id, stream.cursor)));
        }
        all
    }
}
