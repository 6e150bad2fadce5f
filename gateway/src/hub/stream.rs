//! A stream that somebody here hears: its cursor, who hears it, and what came too early.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use link::Event;
use protocol::{Position, Seq, StreamId};

use super::Conn;
use crate::hash::StreamHash;

/// The most hints of one stream that wait for a gap to be read; what is beyond is read as well.
const WAITING_MAX: usize = 64;

/// The streams behind one lock.
#[derive(Default)]
pub(super) struct Shard {
    pub(super) streams: HashMap<StreamId, Stream, StreamHash>,
}

/// One followed stream.
pub(super) struct Stream {
    /// The last entry that was delivered.
    pub(super) cursor: Position,
    /// The newest entry that is known to exist.
    pub(super) newest: Seq,
    /// Whether its gap is being read.
    pub(super) filling: bool,
    /// How often in a row the log did not show what a hint told of.
    pub(super) misses: u32,
    pub(super) waiting: BTreeMap<Seq, Arc<Event>>,
    pub(super) subscribers: Vec<Arc<Conn>>,
}

/// What a hint means to a stream.
pub(super) enum Arrival {
    /// Its turn.
    Next,
    /// Delivered before.
    Old,
    /// Something is missing before it.
    Early,
}

impl Stream {
    pub(super) fn at(cursor: Position) -> Self {
        Self {
            cursor,
            newest: cursor.seq,
            filling: false,
            misses: 0,
            waiting: BTreeMap::new(),
            subscribers: Vec::new(),
        }
    }

    pub(super) fn arrival(&self, seq: Seq) -> Arrival {
        if seq <= self.cursor.seq {
            Arrival::Old
        } else if seq == self.cursor.seq + 1 {
            Arrival::Next
        } else {
            Arrival::Early
        }
    }

    /// Keeps a hint that came too early.
    pub(super) fn wait(&mut self, seq: Seq, event: Arc<Event>) {
        self.newest = self.newest.max(seq);
        self.waiting.insert(seq, event);
        if self.waiting.len() > WAITING_MAX {
            self.waiting.pop_last();
        }
    }

    /// The hint whose turn has come by now.
    pub(super) fn take_next(&mut self) -> Option<Arc<Event>> {
        while let Some(first) = self.waiting.first_entry() {
            if *first.key() > self.cursor.seq + 1 {
                return None;
            }
            let event = first.remove();
            if event.position().is_some_and(|(_, at)| at.seq == self.cursor.seq + 1) {
                return Some(event);
            }
        }
        None
    }

    /// Whether entries exist that were not delivered.
    pub(super) fn has_gap(&self) -> bool {
        self.newest > self.cursor.seq
    }

    /// Subscribes a connection, unless it is already or the hub has let go of it.
    pub(super) fn subscribe(&mut self, stream: StreamId, conn: &Arc<Conn>) -> bool {
        let mut session = conn.session();
        if session.gone || session.streams.contains(&stream) {
            return false;
        }
        session.streams.push(stream);
        drop(session);
        self.subscribers.push(Arc::clone(conn));
        true
    }

    /// Unsubscribes a connection.
    pub(super) fn unsubscribe(&mut self, stream: StreamId, conn: &Arc<Conn>) {
        conn.session().streams.retain(|other| *other != stream);
        self.forget(conn);
    }

    /// Takes a connection off the list of subscribers.
    pub(super) fn forget(&mut self, conn: &Arc<Conn>) {
        if let Some(at) = self.subscribers.iter().position(|other| Arc::ptr_eq(other, conn)) {
            self.subscribers.swap_remove(at);
        }
        if self.subscribers.len() * 4 < self.subscribers.capacity() {
            self.subscribers.shrink_to(self.subscribers.len() * 2);
        }
    }
}
