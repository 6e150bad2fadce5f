//! Where one connection stands in each stream, as far as that is anything but "in step and acknowledged".
//!
//! An idle connection has an empty table: what it is subscribed to stands in the hub. A row exists while entries were sent and
//! not acknowledged, or while the connection *lags*: the hub passes it over, and it reads the log itself from `lag` on.
//!
//! Where the hub itself passed it over, it knows that the user belongs to the audience. Where the connection came with a position, or
//! by a user's own log, only the log knows: it joins the hub's cursor exactly at a head where the log has shown the user to be a
//! member, because a kick that the hub delivered before the subscription is behind the cursor, and was told to nobody here.
//!
//! Of a stream that its user has left, a connection keeps where its client stands. Who comes back reads on from there, and is not simply pushed
//! the entry by which they came: a whole membership may lie between, of which their own log tells later, and what is told out of order the
//! client takes for known.

use std::collections::{BTreeMap, HashMap};

use protocol::{Seq, StreamId, Tag};

use crate::hash::StreamHash;

/// The hub knows whether the user belongs to the audience.
const KNOWN: Seq = Seq::MAX;
/// Nobody has shown yet that they do.
const NOT_SHOWN: Seq = Seq::MAX - 1;
/// Of so many streams that were left it is kept where the client stands. In any more, who comes back is pushed what comes.
const LEFT_MAX: usize = 10_000;

/// One stream's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Track {
    /// The next entry to read, while it lags; 0 while it is in step.
    lag: Seq,
    /// The tag of the entry before `lag`, where it is known: the log is asked to check it.
    tag: Option<Tag>,
    /// The connection is ahead of the hub's cursor: it waits for the hub instead of reading.
    ahead: bool,
    /// The head at which the log showed the user to be a member; [`NOT_SHOWN`], or [`KNOWN`] by the hub.
    member_at: Seq,
    /// While it lags: the last entry by which the user came in, as the hub has heard.
    joined: Seq,
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
    /// The last entry that the client has of each stream that its user has left.
    left: BTreeMap<StreamId, Seq>,
}

/// What pushed entries mean for the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    /// Those from this one on are the connection's next ones; what comes before them it has. It is in step.
    Next(Seq),
    /// The hub has come up to a connection that was ahead and can't join it yet: it reads on.
    Overtaken,
    /// The connection reads them from the log, or has them.
    Passed,
}

impl Tracks {
    /// Whose turn the entries `first..end` are. A connection that waits for one of them, or has just all of them before the hub,
    /// is in step again.
    pub(crate) fn turn(&mut self, stream: StreamId, first: Seq, end: Seq) -> Turn {
        let Some(row) = self.rows.get_mut(&stream).filter(|row| row.lag != 0) else {
            return Turn::Next(first);
        };
        if (first..=end).contains(&row.lag) && row.may_join() {
            let next = row.lag;
            row.end_lag();
            self.tidy(stream);
            return Turn::Next(next);
        }
        if row.ahead && end >= row.lag {
            row.ahead = false;
            return Turn::Overtaken;
        }
        Turn::Passed
    }

    /// Notes that the entries `first..=last` were put on the connection's queue, in so many frames.
    pub(crate) fn sent(&mut self, stream: StreamId, first: Seq, last: Seq, frames: u32) {
        let row = self.rows.entry(stream).or_default();
        if row.unacked == 0 {
            row.first_unacked = first;
        }
        row.last_sent = last;
        row.unacked += frames;
    }

    /// Takes back that entry `first` and all later ones of the stream were sent, so many frames of them; the connection reads
    /// them instead.
    pub(crate) fn unsend(&mut self, stream: StreamId, first: Seq, frames: u32) {
        let row = self.rows.entry(stream).or_default();
        row.unacked = row.unacked.saturating_sub(frames);
        if row.lag == 0 || first < row.lag {
            row.lag = first;
            row.tag = None;
            row.ahead = false;
        }
        row.last_sent = row.last_sent.min(first.saturating_sub(1));
        if row.last_sent < row.first_unacked {
            row.clear_unacked();
        }
    }

    /// The connection reads from `seq` on, or from where its client stood when its user left; an earlier note stays.
    pub(crate) fn note(&mut self, stream: StreamId, seq: Seq) {
        let stood = self.left.remove(&stream);
        let row = self.rows.entry(stream).or_default();
        if row.lag == 0 {
            row.lag = stood.map_or(seq, |stood| seq.min(stood + 1));
            row.tag = None;
        }
    }

    /// As [`Tracks::note`], where the hub can't say whether the user still belongs to the audience.
    pub(crate) fn note_unproven(&mut self, stream: StreamId, seq: Seq) {
        self.note(stream, seq);
        self.unprove(stream);
    }

    /// The log showed the user to be a member at its head, or not to be one.
    pub(crate) fn shown(&mut self, stream: StreamId, member_at: Option<Seq>) {
        if let Some(row) = self.rows.get_mut(&stream)
            && row.member_at != KNOWN
        {
            row.member_at = member_at.unwrap_or(NOT_SHOWN);
        }
    }

    fn unprove(&mut self, stream: StreamId) {
        if let Some(row) = self.rows.get_mut(&stream) {
            row.member_at = NOT_SHOWN;
        }
    }

    /// The client says that it stands there; whether its user may hear more, the log will show.
    pub(crate) fn claim(&mut self, stream: StreamId, seq: Seq, tag: Tag) {
        self.stand(stream, seq, Some(tag));
        self.unprove(stream);
    }

    /// The connection stands after entry `seq`, which it believes to carry `tag`; it reads from there.
    pub(crate) fn stand(&mut self, stream: StreamId, seq: Seq, tag: Option<Tag>) {
        self.left.remove(&stream);
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
        if row.lag == cursor + 1 && row.may_join() {
            row.end_lag();
            self.tidy(stream);
            return true;
        }
        false
    }

    /// The user left the stream, by an entry that the connection has heard where it was subscribed: where it lags, the log will say whether
    /// something follows. What it reads may also lie beyond that entry: the hub can have begun to follow the stream far behind it.
    pub(crate) fn left(&mut self, stream: StreamId, heard: Option<Seq>) {
        match self.rows.get_mut(&stream).filter(|row| row.lag != 0) {
            Some(row) => {
                row.ahead = false;
                row.member_at = NOT_SHOWN;
            }
            None => heard.into_iter().for_each(|seq| self.keep_left(stream, seq)),
        }
    }

    /// The client of a user who has left the stream stands there, and has all of theirs.
    pub(crate) fn stands_outside(&mut self, stream: StreamId, seq: Seq) {
        match self.rows.get_mut(&stream).filter(|row| row.lag != 0) {
            // They came back while that was looked at.
            Some(row) if row.lag > seq + 1 => {
                row.lag = seq + 1;
                row.tag = None;
                row.ahead = false;
            }
            Some(_) => {}
            None => self.keep_left(stream, seq),
        }
    }

    fn keep_left(&mut self, stream: StreamId, seq: Seq) {
        if self.left.len() < LEFT_MAX {
            self.left.insert(stream, seq);
        }
    }

    /// The user came into the stream at entry `seq`: a page that was read before may not know of it. Answers whether there is something to
    /// read first.
    pub(crate) fn joined(&mut self, stream: StreamId, seq: Seq) -> bool {
        let reads = self.left.get(&stream).is_some_and(|stood| stood + 1 < seq);
        if reads {
            self.note(stream, seq);
        }
        self.left.remove(&stream);
        if let Some(row) = self.rows.get_mut(&stream).filter(|row| row.lag != 0) {
            row.joined = seq;
        }
        reads
    }

    /// Whether the user came in by an entry that a lagging connection has yet to read.
    pub(crate) fn comes_back(&self, stream: StreamId) -> bool {
        self.rows.get(&stream).is_some_and(|row| row.lag != 0 && row.joined >= row.lag)
    }

    /// The stream is over for this connection: there is nothing more to read.
    pub(crate) fn finish(&mut self, stream: StreamId) {
        if let Some(row) = self.rows.get_mut(&stream) {
            let stood = row.lag.checked_sub(1);
            row.end_lag();
            self.tidy(stream);
            if let Some(stood) = stood {
                self.keep_left(stream, stood);
            }
        }
    }

    /// The stream begins anew: what was sent means nothing.
    pub(crate) fn reset(&mut self, stream: StreamId, head: Seq, tag: Tag) {
        self.rows.remove(&stream);
        self.claim(stream, head, tag);
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

impl Default for Track {
    fn default() -> Self {
        Self {
            lag: 0,
            tag: None,
            ahead: false,
            member_at: KNOWN,
            joined: 0,
            first_unacked: 0,
            last_sent: 0,
            unacked: 0,
        }
    }
}

impl Track {
    /// Whether it may go on with the hub from where it stands.
    fn may_join(&self) -> bool {
        self.member_at == KNOWN || self.member_at + 1 == self.lag
    }

    fn end_lag(&mut self) {
        self.lag = 0;
        self.member_at = KNOWN;
        self.joined = 0;
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
