//! Gaps: what a hint should have told is read from the log, by a few workers for all streams.
//!
//! A stream is queued at most once (its `filling` flag), so the queue is bounded by the streams that are followed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use link::{Item, Page, ReadRequest, Reader, Standing};
use parking_lot::Mutex;
use protocol::limits::PAGE_MAX;
use protocol::{CloseCode, ErrorCode, Position, StreamId};
use tokio::sync::Notify;

use super::Hub;
use super::deliver::release;
use super::stream::{Arrival, Stream};

/// How many gaps are read at the same time.
pub(crate) const FILL_WORKERS: usize = 8;
/// How long a worker waits before it tries again what failed.
const RETRY_AFTER: Duration = Duration::from_millis(100);
/// So often the log is asked for what a hint told of; then the hint was wrong.
const MISSES_MAX: u32 = 20;
/// A page must not take longer.
const READ_WITHIN: Duration = Duration::from_millis(1_500);

/// The streams that have a gap.
#[derive(Default)]
pub(super) struct FillQueue {
    streams: Mutex<VecDeque<StreamId>>,
    more: Notify,
}

impl FillQueue {
    fn push(&self, stream: StreamId) {
        self.streams.lock().push_back(stream);
        self.more.notify_one();
    }

    async fn pop(&self) -> StreamId {
        loop {
            if let Some(stream) = self.streams.lock().pop_front() {
                return stream;
            }
            self.more.notified().await;
        }
    }
}

/// Whether a stream's gap was read to its end.
enum Filled {
    Whole,
    Partly,
    NotNow,
}

impl Hub {
    /// Has the stream's gap read.
    pub(super) fn fill_soon(&self, id: StreamId, stream: &mut Stream) {
        if !stream.filling {
            stream.filling = true;
            self.fills.push(id);
        }
    }

    /// Has these streams looked at, whatever is known of their heads.
    pub(crate) fn fill_all(&self, ids: &[StreamId]) {
        for id in ids {
            if let Some(stream) = self.shard(*id).streams.get_mut(id) {
                self.fill_soon(*id, stream);
            }
        }
    }

    /// One of the workers.
    pub(crate) async fn fill_gaps(self: Arc<Self>) {
        loop {
            let id = self.fills.pop().await;
            match self.fill(id).await {
                Filled::Whole => {}
                Filled::Partly => self.fills.push(id),
                Filled::NotNow => {
                    tokio::time::sleep(RETRY_AFTER).await;
                    self.fills.push(id);
                }
            }
        }
    }

    async fn fill(&self, id: StreamId) -> Filled {
        let Some(cursor) = self.cursor_to_fill(id) else {
            return Filled::Whole;
        };
        let request = ReadRequest {
            stream: id,
            reader: Reader::System,
            after: cursor.seq,
            tag: (cursor.seq > 0).then_some(cursor.tag),
            limit: PAGE_MAX as u32,
        };
        match tokio::time::timeout(READ_WITHIN, self.chat.read(request)).await {
            Ok(Ok(page)) if page.standing == Standing::Reset => {
                self.lose(id);
                Filled::Whole
            }
            Ok(Ok(page)) => self.take_page(id, &page),
            Ok(Err(refusal)) if refusal.code == ErrorCode::NotFound => {
                self.lose(id);
                Filled::Whole
            }
            Ok(Err(refusal)) => {
                tracing::warn!(stream = %id, code = refusal.code.as_str(), "a gap can't be read now");
                Filled::NotNow
            }
            Err(_) => Filled::NotNow,
        }
    }

    /// Where the gap begins; nothing where nobody hears the stream any more, and nobody comes by what is known to be missing.
    fn cursor_to_fill(&self, id: StreamId) -> Option<Position> {
        let mut shard = self.shard(id);
        let stream = shard.streams.get_mut(&id)?;
        if stream.subscribers.is_empty() && !stream.has_gap() {
            shard.streams.remove(&id);
            return None;
        }
        Some(stream.cursor)
    }

    fn take_page(&self, id: StreamId, page: &Page) -> Filled {
        let mut elsewhere = Vec::new();
        let mut shard = self.shard(id);
        let Some(stream) = shard.streams.get_mut(&id) else {
            return Filled::Whole;
        };
        for item in &page.items {
            match item {
                Item::Entry(event) => {
                    let seq = event.position().map_or(0, |(_, at)| at.seq);
                    if matches!(stream.arrival(seq), Arrival::Next) {
                        self.advance(id, stream, std::slice::from_ref(event), &mut elsewhere);
                    }
                }
                Item::Withheld { first, last } => {
                    if last.seq > stream.cursor.seq {
                        pass_over(id, stream, (*first).max(stream.cursor.seq + 1), *last);
                    }
                }
            }
        }
        self.catch_up(id, stream, &mut elsewhere);
        stream.newest = stream.newest.max(page.head.seq);
        stream.misses = if page.items.is_empty() { stream.misses + 1 } else { 0 };
        let filled = match (stream.has_gap(), stream.misses) {
            (true, 0) => Filled::Partly,
            // A hint told of more than the log showed when it was read: it will.
            (true, misses) if misses < MISSES_MAX => Filled::NotNow,
            _ => Filled::Whole,
        };
        if matches!(filled, Filled::Whole) {
            stream.misses = 0;
            stream.newest = stream.cursor.seq;
        }
        stream.filling = !matches!(filled, Filled::Whole);
        release(&mut shard, id);
        drop(shard);
        self.apply(&elsewhere);
        filled
    }

    /// The log is not the one that was followed: whoever hears it connects again and syncs.
    pub(super) fn lose(&self, id: StreamId) {
        let Some(stream) = self.shard(id).streams.remove(&id) else {
            return;
        };
        tracing::error!(stream = %id, cursor = stream.cursor.seq, "the log is not the one that was followed");
        for conn in &stream.subscribers {
            self.expel(conn, CloseCode::Resync);
        }
    }
}

/// Entries that even the gateway may not see: every subscriber reads its own view of them.
fn pass_over(id: StreamId, stream: &mut Stream, first: u64, last: Position) {
    for conn in &stream.subscribers {
        conn.with(|session| {
            session.note(id, first);
            true
        });
    }
    stream.cursor = last;
}
