//! What the app has been handed and the server has not been told yet.
//!
//! Only what left the core counts: an entry that was received but never reached the app must come again after a crash.

use std::collections::BTreeMap;

use protocol::frames::{Ack, AckPosition};
use protocol::limits::{ACK_EVERY_EVENTS, ACK_EVERY_MS, POSITIONS_PER_SYNC_MAX};
use protocol::{Millis, Seq, StreamId};

pub(crate) struct Acks {
    news: BTreeMap<StreamId, Seq>,
    events: u32,
    since: Option<Millis>,
    every_events: u32,
    every_ms: u64,
}

impl Default for Acks {
    fn default() -> Self {
        Self { news: BTreeMap::new(), events: 0, since: None, every_events: ACK_EVERY_EVENTS, every_ms: ACK_EVERY_MS }
    }
}

impl Acks {
    /// The pace that the server asks for.
    pub(crate) fn pace(&mut self, every_events: u32, every_ms: u64) {
        self.every_events = every_events.max(1);
        self.every_ms = every_ms;
    }

    pub(crate) fn handed(&mut self, now: Millis, stream: StreamId, seq: Seq) {
        self.news.insert(stream, seq);
        self.events += 1;
        self.since.get_or_insert(now);
    }

    pub(crate) fn forget(&mut self, stream: StreamId) {
        self.news.remove(&stream);
    }

    pub(crate) fn clear(&mut self) {
        self.news.clear();
        self.events = 0;
        self.since = None;
    }

    /// When the next one is due at the latest.
    pub(crate) fn due(&self) -> Option<Millis> {
        let since = self.since?;
        if self.events >= self.every_events {
            return Some(since);
        }
        Some(since + self.every_ms)
    }

    /// The acknowledgement that is due now. What doesn't fit in one frame is due at once again.
    pub(crate) fn take(&mut self, now: Millis) -> Option<Ack> {
        if self.due()? > now {
            return None;
        }
        let rest = match self.news.keys().nth(POSITIONS_PER_SYNC_MAX).copied() {
            Some(first) => self.news.split_off(&first),
            None => BTreeMap::new(),
        };
        let taken = std::mem::replace(&mut self.news, rest);
        if self.news.is_empty() {
            self.events = 0;
            self.since = None;
        }
        let positions: Vec<_> = taken.into_iter().map(|(stream, seq)| AckPosition { stream, seq }).collect();
        (!positions.is_empty()).then_some(Ack { positions })
    }
}
