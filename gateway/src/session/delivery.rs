//! How entries reach a session: pushed by the hub while it is in step, read from the log while it lags.

use link::{Item, Page, Standing};
use protocol::{Position, Seq, StreamId, Tag};

use super::machine::{Phase, Session, Settings};
use super::outbox::{Kind, Queued};
use super::track::Turn;
use crate::codec::{Codec, Frames, Told};

/// With less than this many bytes waiting, a lagging session reads its next page.
const READ_BELOW_BYTES: usize = 64 * 1024;

/// Whether the registers were told whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Registers {
    /// They are to be read.
    Wanted,
    /// The client has them, but for some that were missed.
    Missed,
    /// They are being read.
    Loading,
    /// They are being read, and one has changed that could not be told: they are to be read again.
    LoadingAgain,
    /// They were read and wait for room in the queue.
    Telling,
    /// The client has them.
    Told,
}

/// What a session wants done for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Job {
    /// Read a page of this stream with the user's rights.
    Read {
        /// The stream.
        stream: StreamId,
        /// Entries after this one.
        after: Seq,
        /// The tag that entry should have.
        tag: Option<Tag>,
    },
    /// Read all registers that the user sees.
    Registers,
    /// Read those again of which hints may have been missed: of the service that keeps the logs. What goes on in calls is told anew by
    /// the service that keeps them, in its order with the rest that it tells.
    MissedRegisters,
}

/// What became of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Paged {
    /// The session stands elsewhere by now: the page was dropped.
    Stale,
    /// Its items are queued; the stream is to meet the hub's cursor.
    Taken,
    /// Its items are queued, and nothing more follows for this reader.
    Ended,
}

impl Session {
    pub(crate) fn codec(&self) -> Codec {
        self.codec
    }

    /// The turn of entries `first` and following has come in the hub. Answers whether the writer must be woken.
    pub(crate) fn deliver(&mut self, stream: StreamId, first: Seq, entries: &Told<'_>) -> bool {
        // A socket that is asked to close hears nothing more, or a steady flow would keep it: what comes is read at the resume.
        if self.phase != Phase::Open || self.closing().is_some() {
            self.tracks.note(stream, first);
            return false;
        }
        let end = first + entries.len() as Seq;
        let next = match self.tracks.turn(stream, first, end) {
            Turn::Next(next) => next,
            Turn::Overtaken => return true,
            Turn::Passed => return false,
        };
        if next == end {
            return true;
        }
        let frames = entries.frames(self.codec, (next - first) as usize);
        if !self.outbox.has_room(&frames) {
            self.fall_behind();
            self.tracks.note(stream, next);
            return true;
        }
        let count = (end - next) as u32;
        self.tracks.sent(stream, next, end - 1, count);
        // Also one that has just met the hub and writes already: it may have to say that it is live.
        self.queue(frames, Kind::Entries { stream, first: next, count }) || next > first
    }

    /// The turn of an entry has come that not everybody may see: the session reads it from the log, with its user's rights. Answers
    /// whether the writer must be woken.
    pub(crate) fn pass_over(&mut self, stream: StreamId, seq: Seq) -> bool {
        if self.phase != Phase::Open || self.closing().is_some() {
            self.tracks.note(stream, seq);
            return false;
        }
        match self.tracks.turn(stream, seq, seq + 1) {
            Turn::Next(next) => {
                if next == seq {
                    self.tracks.note(stream, seq);
                }
                true
            }
            Turn::Overtaken => true,
            Turn::Passed => false,
        }
    }

    /// A register's value or something ephemeral. Answers whether the writer must be woken.
    pub(crate) fn tell(&mut self, event: &Told<'_>, kind: Kind) -> bool {
        if self.phase != Phase::Open || self.closing().is_some() {
            return false;
        }
        let frames = event.frames(self.codec, 0);
        let full = !self.outbox.has_room(&frames);
        match kind {
            Kind::Ephemeral(_) if full || self.outbox.is_pressed() => false,
            Kind::Register if full => {
                self.fall_behind();
                true
            }
            _ => self.queue(frames, kind),
        }
    }

    /// The queue is full: what can be had again is dropped and read again later.
    fn fall_behind(&mut self) {
        let tracks = &mut self.tracks;
        self.outbox.shed(|kind| {
            if let Kind::Entries { stream, first, count } = kind {
                tracks.unsend(stream, first, count);
            }
        });
        self.registers = match self.registers {
            Registers::Told | Registers::Missed | Registers::Telling | Registers::Wanted => Registers::Wanted,
            Registers::Loading | Registers::LoadingAgain => Registers::LoadingAgain,
        };
        self.outbox.drop_values();
        self.live_told = false;
    }

    /// A register's value may have been missed: they are read again, since none is told twice. Answers whether the writer must be woken.
    pub(crate) fn missed_registers(&mut self) -> bool {
        if self.phase != Phase::Open || self.closing().is_some() {
            return false;
        }
        self.registers = match self.registers {
            Registers::Told | Registers::Missed => Registers::Missed,
            Registers::Wanted => Registers::Wanted,
            Registers::Loading | Registers::LoadingAgain => Registers::LoadingAgain,
            Registers::Telling => {
                self.outbox.drop_values();
                Registers::Wanted
            }
        };
        true
    }

    /// What is to be done next, at the pace at which the client takes and acknowledges.
    pub(crate) fn next_job(&mut self, settings: &Settings) -> Option<Job> {
        if self.phase != Phase::Open || self.closing().is_some() {
            return None;
        }
        self.tell_registers();
        let wanted = match self.registers {
            Registers::Wanted => Some(Job::Registers),
            Registers::Missed => Some(Job::MissedRegisters),
            Registers::Loading | Registers::LoadingAgain | Registers::Telling | Registers::Told => None,
        };
        if wanted.is_some() && self.outbox.bytes() < READ_BELOW_BYTES {
            self.registers = Registers::Loading;
            return wanted;
        }
        if self.reading {
            return None;
        }
        let Some(stream) = self.tracks.to_read(self.own) else {
            self.tell_live();
            return None;
        };
        let paced = self.outbox.bytes() < READ_BELOW_BYTES && self.tracks.unacked() < settings.unacked_max;
        let (next, tag) = self.tracks.lag_of(stream).filter(|_| paced)?;
        self.reading = true;
        Some(Job::Read { stream, after: next - 1, tag })
    }

    fn tell_live(&mut self) {
        if !self.live_told && self.registers == Registers::Told && self.tracks.in_step() {
            self.live_told = true;
            let live = self.codec.live();
            self.queue(live, Kind::Kept);
        }
    }

    /// The registers, whole, or nothing where they could not be read.
    pub(crate) fn registers(&mut self, values: Option<Vec<Frames>>) {
        if self.phase != Phase::Open {
            return;
        }
        self.registers = match (self.registers, values) {
            (Registers::Loading, Some(values)) => {
                self.outbox.keep_values(values);
                Registers::Telling
            }
            (Registers::Loading | Registers::LoadingAgain, _) => Registers::Wanted,
            (other, _) => other,
        };
        self.tell_registers();
    }

    /// Queues the values that were read as far as they fit; the rest follows when the client has taken these. A newer value may
    /// come before an older one of the same register: its version tells.
    fn tell_registers(&mut self) {
        if self.registers != Registers::Telling {
            return;
        }
        while self.outbox.has_values() {
            if !self.outbox.queue_value(READ_BELOW_BYTES) {
                return;
            }
        }
        self.registers = Registers::Told;
    }

    /// The page that was read after entry `after`.
    pub(crate) fn page(&mut self, stream: StreamId, after: Seq, page: &Page) -> Paged {
        self.reading = false;
        let expected = self.tracks.lag_of(stream).map(|(next, _)| next);
        if self.phase != Phase::Open || expected != Some(after + 1) {
            return Paged::Stale;
        }
        if page.standing == Standing::Reset {
            let reset = self.codec.reset(stream, page.head);
            self.queue(reset, Kind::Kept);
            self.tracks.reset(stream, page.head.seq, page.head.tag);
            return Paged::Taken;
        }
        for item in &page.items {
            self.take(stream, item);
        }
        self.tracks.shown(stream, (page.standing == Standing::Member).then_some(page.head.seq));
        match page.standing {
            Standing::Gone => Paged::Ended,
            Standing::Member | Standing::Reset => Paged::Taken,
        }
    }

    fn take(&mut self, stream: StreamId, item: &Item) {
        let Position { seq, tag } = match item {
            Item::Entry(event) => {
                let Some((_, position)) = event.position() else {
                    return;
                };
                let frames = self.codec.event(event);
                self.tracks.sent(stream, position.seq, position.seq, 1);
                self.queue(frames, Kind::Entries { stream, first: position.seq, count: 1 });
                position
            }
            Item::Withheld { first, last } => {
                let frames = self.codec.withheld(stream, *first, *last);
                self.tracks.sent(stream, *first, last.seq, 1);
                self.queue(frames, Kind::Entries { stream, first: *first, count: 1 });
                *last
            }
        };
        self.tracks.stand(stream, seq, Some(tag));
    }

    /// The page could not be read: it is tried again.
    pub(crate) fn page_failed(&mut self) {
        self.reading = false;
    }

    /// The stream meets the hub's cursor; answers whether the session is in step with it.
    pub(crate) fn meet(&mut self, stream: StreamId, cursor: Seq) -> bool {
        self.phase == Phase::Open && self.tracks.meet(stream, cursor)
    }

    /// Nothing more is to be read of the stream.
    pub(crate) fn finish(&mut self, stream: StreamId) {
        self.tracks.finish(stream);
    }

    /// The user left the stream by entry `seq`. Who is not subscribed has not heard it.
    pub(crate) fn left(&mut self, stream: StreamId, seq: Seq) {
        let heard = self.streams.contains(&stream).then_some(seq);
        self.tracks.left(stream, heard);
    }

    /// The user came into the stream at entry `seq`. Answers whether the writer must be woken.
    pub(crate) fn joined(&mut self, stream: StreamId, seq: Seq) -> bool {
        self.tracks.joined(stream, seq)
    }

    /// Whether the user came in by an entry that is still to be read.
    pub(crate) fn comes_back(&self, stream: StreamId) -> bool {
        self.tracks.comes_back(stream)
    }

    /// The streams that it lags behind in.
    pub(crate) fn lagging(&self) -> Vec<StreamId> {
        self.tracks.lagging().collect()
    }

    /// From which entry it reads a stream on, while it lags.
    pub(crate) fn reads_from(&self, stream: StreamId) -> Option<Seq> {
        self.tracks.lag_of(stream).map(|(next, _)| next)
    }

    /// From entry `seq` on it reads a stream from the log.
    pub(crate) fn note(&mut self, stream: StreamId, seq: Seq) {
        self.tracks.note(stream, seq);
    }

    /// As [`Session::note`], where only the log can say whether the user belongs to the audience.
    pub(crate) fn note_unproven(&mut self, stream: StreamId, seq: Seq) {
        self.tracks.note_unproven(stream, seq);
    }

    /// Hands over the next frames to write, until they are so many bytes.
    pub(crate) fn take_out(&mut self, bytes: usize, each: impl FnMut(Queued)) {
        self.outbox.take(bytes, each);
    }

    /// The next frame to write.
    #[cfg(test)]
    pub(crate) fn pop(&mut self) -> Option<Queued> {
        let mut next = None;
        self.take_out(1, |queued| next = Some(queued));
        next
    }

    /// Whether nothing waits to be written.
    pub(crate) fn is_drained(&self) -> bool {
        self.outbox.is_empty()
    }

    pub(super) fn queue(&mut self, frames: Frames, kind: Kind) -> bool {
        let was_empty = self.outbox.is_empty();
        self.outbox.push(frames, kind);
        was_empty
    }
}
