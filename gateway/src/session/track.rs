//! Where one connection stands in each stream, as far as that is anything but "in step and acknowledged".
//!
//! An idle connection has an empty table: what it is subscribed to stands in the hub. A row exists while entries were sent and
//! not acknowledged, or while the connection *lags*: the hub passes it over, and it reads the log itself from `lag` on.

use std::collections::HashMap;

use protocol::{Seq, StreamId, Tag};

use crate::hash::StreamHash;

/// One stream's row.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(crate) struct Track {
    /// The next entry to read, while it lags; 0 while it is in step.
    lag: Seq,
    /// The tag of the entry before `lag`, where it is known: the log is asked to check it.
    tag: Option<Tag>,
    /// The connection is ahead of the hub's cursor: it waits for the hub instead of reading.
    ahead: bool,
    /// The first entry that was sent and not acknowledged; 0 where there is none.
    first_unacked: Seq,
    /// The last entry that was sent.
    last_sent: Seq,
    /// How many frames were sent and not acknowledged.
    unacked: u32,
}

/// All rows of a connection.
#[derive(Default, Debug)]
pub(crate) struct Tracks {
    rows: HashMap<StreamId, Track, StreamHash>,
}

/// What a pushed entry means for the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    /// It is the connection's next one.
    Next,
    /// The connection has it, and goes on in step.
    Met,
    /// The connection reads it from the log, or has it.
    Passed,
}

impl Tracks {
    /// Whose turn entry `seq` is. A connection that waits for exactly this entry, or has just this one before the hub, is in
    /// step again.
    pub(crate) fn turn(&mut self, stream: StreamId, seq: Seq) -> Turn {
        match self.rows.get_mut(&stream) {
            Some(row) if row.lag == seq => {
                row.end_lag();
                Turn::Next
            }
            Some(row) if row.lag == seq + 1 => {
                row.end_lag();
                self.tidy(stream);
                Turn::Met
            }
            Some(row) if row.lag != 0 => Turn::Passed,
            _ => Turn::Next,
        }
    }

    /// Notes that a frame of the entries `first..=last` was put on the connection's queue.
    pub(crate) fn sent(&mut self, stream: StreamId, first: Seq, last: Seq) {
        let row = self.rows.entry(stream).or_default();
        if row.unacked == 0 {
            row.first_unacked = first;
        }
        row.last_sent = last;
        row.unacked += 1;
    }

    /// Takes back that entry `seq` and all later ones of the stream were sent; the connection reads them instead.
    pub(crate) fn unsend(&mut self, stream: StreamId, seq: Seq) {
        let row = self.rows.entry(stream).or_default();
        row.unacked = row.unacked.saturating_sub(1);
        if row.lag == 0 || seq < row.lag {
            row.lag = seq;
            row.tag = None;
            row.ahead = false;
        }
        row.last_sent = row.last_sent.min(seq.saturating_sub(1));
        if row.last_sent < row.first_unacked {
            row.clear_unacked();
        }
    }

    /// The connection reads from `seq` on; an earlier note stays.
    pub(crate) fn note(&mut self, stream: StreamId, seq: Seq) {
        let row = self.rows.entry(stream).or_default();
        if row.lag == 0 {
            row.lag = seq;
            row.tag = None;
        }
    }

    /// The connection stands after entry `seq`, which it believes to carry `tag`; it reads from there.
    pub(crate) fn stand(&mut self, stream: StreamId, seq: Seq, tag: Option<Tag>) {
        let row = self.rows.entry(stream).or_default();
        row.lag = seq + 1;
        row.tag = tag.filter(|_| seq > 0);
        row.ahead = false;
    }

    /// Entries up to `seq` have reached the client; answers what that newly proves.
    pub(crate) fn acknowledge(&mut self, stream: StreamId, seq: Seq) -> Option<Seq> {
        let row = self.rows.get_mut(&stream)?;
        if row.unacked == 0 || seq < row.first_unacked {
            return None;
        }
        let proven = seq.min(row.last_sent);
        if proven == row.last_sent {
            row.clear_unacked();
        } else {
            row.first_unacked = proven + 1;
            let left = u32::try_from(row.last_sent - proven).unwrap_or(u32::MAX);
            row.unacked = row.unacked.min(left);
        }
        self.tidy(stream);
        Some(proven)
    }

    /// The connection is gone: what it has not acknowledged is read again when it comes back.
    pub(crate) fn park(&mut self) {
        self.rows.retain(|_, row| {
            if row.unacked > 0 && (row.lag == 0 || row.first_unacked < row.lag) {
                row.lag = row.first_unacked;
                row.tag = None;
                row.ahead = false;
            }
            row.clear_unacked();
            row.lag != 0
        });
        self.rows.shrink_to_fit();
    }

    /// The stream meets the hub's cursor, which stands at `cursor`. Answers whether the connection is in step.
    pub(crate) fn meet(&mut self, stream: StreamId, cursor: Seq) -> bool {
        let Some(row) = self.rows.get_mut(&stream) else {
            return true;
        };
        if row.lag == 0 {
            return true;
        }
        row.ahead = row.lag > cursor + 1;
        if row.lag == cursor + 1 {
            row.end_lag();
            self.tidy(stream);
            return true;
        }
        false
    }

    /// The user left the stream at entry `seq`: what the connection waited for beyond it does not come.
    pub(crate) fn left(&mut self, stream: StreamId, seq: Seq) {
        if self.rows.get(&stream).is_some_and(|row| row.lag > seq) {
            self.finish(stream);
        }
    }

    /// The stream is over for this connection: there is nothing more to read.
    pub(crate) fn finish(&mut self, stream: StreamId) {
        if let Some(row) = self.rows.get_mut(&stream) {
            row.end_lag();
            self.tidy(stream);
        }
    }

    /// The stream begins anew: what was sent means nothing.
    pub(crate) fn reset(&mut self, stream: StreamId, head: Seq, tag: Tag) {
        self.rows.remove(&stream);
        self.stand(stream, head, Some(tag));
    }

    /// Where a lagging stream reads next, with the tag before it.
    pub(crate) fn lag_of(&self, stream: StreamId) -> Option<(Seq, Option<Tag>)> {
        let row = self.rows.get(&stream)?;
        (row.lag != 0).then_some((row.lag, row.tag))
    }

    /// A stream that has something to read: `first`, or any other.
    pub(crate) fn to_read(&self, first: StreamId) -> Option<StreamId> {
        let reads = |row: &Track| row.lag != 0 && !row.ahead;
        if self.rows.get(&first).is_some_and(reads) {
            return Some(first);
        }
        self.rows.iter().filter(|(_, row)| reads(row)).map(|(stream, _)| *stream).min()
    }

    /// All lagging streams.
    pub(crate) fn lagging(&self) -> impl Iterator<Item = StreamId> {
        self.rows.iter().filter(|(_, row)| row.lag != 0).map(|(stream, _)| *stream)
    }

    /// Whether no stream lags.
    pub(crate) fn in_step(&self) -> bool {
        self.rows.values().all(|row| row.lag == 0)
    }

    /// How many frames of entries wait for an acknowledgement.
    pub(crate) fn unacked(&self) -> u32 {
        self.rows.values().fold(0, |sum, row| sum.saturating_add(row.unacked))
    }

    fn tidy(&mut self, stream: StreamId) {
        if self.rows.get(&stream).is_some_and(Track::is_idle) {
            self.rows.remove(&stream);
        }
        if self.rows.is_empty() && self.rows.capacity() > 0 {
            self.rows = HashMap::default();
        }
    }
}

impl Track {
    fn end_lag(&mut self) {
        self.lag = 0;
        self.tag = None;
        self.ahead = false;
    }

    fn clear_unacked(&mut self) {
        self.first_unacked = 0;
        self.last_sent = 0;
        self.unacked = 0;
    }

    fn is_idle(&self) -> bool {
        self.lag == 0 && self.unacked == 0
    }
}
