//! Where the client stands in each log, and what an arriving entry means there.
//!
//! This is what makes delivery exactly-once and ordered: an entry at or below the position is known, the next one is new, and
//! one further on proves that something was missed. A stream without a position adopts the first entry that comes: what
//! lies before it is history. After the client's own membership ended, the log goes on without it, so the first entry of a
//! later membership may lie any distance ahead. That is known from the log itself, whose last entry for whoever leaves says so.
//! Such a stream is named in a sync all the same: a whole membership may have come and gone while the client was away. The news in the user's log is no good for it: it may run ahead of the conversation's entries, and tell of
//! the end of a later membership before the first entry of that came.

use std::collections::BTreeMap;

use protocol::frames::{From, StreamPosition};
use protocol::{Position, Seq, StreamId};

/// More logs than any account follows; a server that names more is at fault.
const STREAMS_MAX: usize = 100_000;

#[derive(Default)]
pub(crate) struct Streams {
    streams: BTreeMap<StreamId, Stream>,
}

struct Stream {
    position: Position,
    /// The last entry that the app was handed.
    handed: Seq,
    /// The last entry was the end of the client's membership.
    ended: bool,
}

/// What an arriving entry means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// The next one: hand it over.
    New,
    /// The client has it: drop it.
    Known,
    /// Entries are missing before it.
    Gap {
        /// The entry that should have come.
        expected: Seq,
    },
    /// The client has another entry at this number: the log is not the one it knew.
    Forked,
    /// More streams than a client follows.
    TooMany,
}

impl Streams {
    pub(crate) fn restore(positions: Vec<StreamPosition>) -> Self {
        let mut streams = Self::default();
        for StreamPosition { stream, position } in positions {
            streams.start(stream, position);
        }
        streams
    }

    /// Judges the entries `first..=from.seq` (more than one where they are withheld) and moves the position over them if new.
    pub(crate) fn arrive(&mut self, first: Seq, from: From) -> Verdict {
        let after = Position { seq: from.seq, tag: from.tag };
        let Some(stream) = self.streams.get_mut(&from.stream) else {
            return if self.start(from.stream, after) { Verdict::New } else { Verdict::TooMany };
        };
        let at = stream.position;
        if from.seq < at.seq {
            return Verdict::Known;
        }
        if from.seq == at.seq {
            return if from.tag == at.tag { Verdict::Known } else { Verdict::Forked };
        }
        if first > at.seq + 1 && !stream.ended {
            return Verdict::Gap { expected: at.seq + 1 };
        }
        stream.position = after;
        stream.ended = false;
        Verdict::New
    }

    pub(crate) fn hand(&mut self, stream: StreamId, seq: Seq) {
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.handed = seq;
        }
    }

    /// The last entry that the app was handed.
    pub(crate) fn handed(&self, stream: StreamId) -> Seq {
        self.streams.get(&stream).map_or(0, |stream| stream.handed)
    }

    /// The entry at the stream's position ended the client's own membership.
    pub(crate) fn leave(&mut self, stream: StreamId) {
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.ended = true;
        }
    }

    /// Sets where a stream without a position begins; a position that is known already stays. False where it was not set.
    pub(crate) fn start(&mut self, stream: StreamId, position: Position) -> bool {
        if self.streams.contains_key(&stream) || self.streams.len() >= STREAMS_MAX {
            return false;
        }
        self.streams.insert(stream, Stream { position, handed: 0, ended: false });
        true
    }

    pub(crate) fn forget(&mut self, stream: StreamId) {
        self.streams.remove(&stream);
    }

    pub(crate) fn clear(&mut self) {
        self.streams.clear();
    }

    /// The positions in order of their streams.
    pub(crate) fn positions(&self) -> impl Iterator<Item = StreamPosition> {
        self.streams.iter().map(|(id, stream)| StreamPosition { stream: *id, position: stream.position })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{ConversationId, Tag};

    fn entry(stream: StreamId, seq: Seq) -> From {
        let tag = Tag(seq as u32);
        From { stream, seq, tag }
    }

    #[test]
    fn entries_are_new_once_and_in_order() {
        let stream = StreamId::conversation(ConversationId::now());
        let mut streams = Streams::default();
        assert_eq!(streams.arrive(5, entry(stream, 5)), Verdict::New);
        assert_eq!(streams.arrive(5, entry(stream, 5)), Verdict::Known);
        assert_eq!(streams.arrive(4, entry(stream, 4)), Verdict::Known);
        let gap = Verdict::Gap { expected: 6 };
        assert_eq!(streams.arrive(7, entry(stream, 7)), gap);
        assert_eq!(streams.arrive(6, entry(stream, 6)), Verdict::New);
    }

    #[test]
    fn a_withheld_range_moves_the_position_also_where_it_overlaps() {
        let stream = StreamId::conversation(ConversationId::now());
        let mut streams = Streams::default();
        streams.arrive(5, entry(stream, 5));
        assert_eq!(streams.arrive(4, entry(stream, 9)), Verdict::New);
        assert_eq!(streams.arrive(10, entry(stream, 10)), Verdict::New);
        let gap = Verdict::Gap { expected: 11 };
        assert_eq!(streams.arrive(12, entry(stream, 20)), gap);
    }

    #[test]
    fn another_tag_at_a_known_number_is_another_log() {
        let stream = StreamId::conversation(ConversationId::now());
        let mut streams = Streams::default();
        streams.arrive(5, entry(stream, 5));
        let tag = Tag(99);
        let other = From { stream, seq: 5, tag };
        assert_eq!(streams.arrive(5, other), Verdict::Forked);
    }

    #[test]
    fn after_leaving_a_later_membership_begins_anywhere() {
        let stream = StreamId::conversation(ConversationId::now());
        let mut streams = Streams::default();
        streams.arrive(5, entry(stream, 5));
        assert_eq!(streams.positions().count(), 1);
        streams.leave(stream);
        assert_eq!(streams.positions().count(), 1, "a membership may have come and gone since");
        assert_eq!(streams.arrive(5, entry(stream, 5)), Verdict::Known);
        assert_eq!(streams.arrive(30, entry(stream, 30)), Verdict::New);
        assert_eq!(streams.positions().count(), 1);
        let gap = Verdict::Gap { expected: 31 };
        assert_eq!(streams.arrive(40, entry(stream, 40)), gap);
    }
}
