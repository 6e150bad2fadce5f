//! The life of a session: it syncs, is open, is parked when its socket drops, and is resumed by another socket.
//!
//! While it syncs or is parked it is *silent*: nothing is queued, only the first entry of each stream that it will have to read
//! is noted. That one rule makes hello, resume and takeover the same thing: what happened meanwhile is read from the log.

use std::collections::HashSet;
use std::sync::Arc;

use link::Head;
use protocol::frames::StreamPosition;
use protocol::limits::{DEAD_AFTER_MS, EXPIRY_NOTICE_MS, RESUME_WINDOW_MS};
use protocol::{CloseCode, Millis, Seq, StreamId};

use super::outbox::{Budget, Kind, Outbox};
use super::track::Tracks;
use crate::clock::Now;
use crate::codec::{Codec, Frames};

/// What all sessions share.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The most bytes that wait for one socket.
    pub(crate) queue_bytes: usize,
    /// A socket that took nothing for so long is closed as `slow`.
    pub(crate) slow_after_ms: Millis,
    /// How many frames of entries a connection that reads the log may leave unacknowledged.
    pub(crate) unacked_max: u32,
    /// The bytes of all queues together.
    pub(crate) budget: Arc<Budget>,
}

/// Where a session is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// The token is good; what the user hears is being read.
    Greeting,
    /// The client was welcomed and names its positions.
    Syncing,
    /// Everything flows.
    Open,
    /// The socket is gone; another one may resume until then (steady clock).
    Parked {
        /// When it is forgotten.
        until: Millis,
    },
}

/// Why a socket is to be closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Close {
    /// The code.
    pub(crate) code: CloseCode,
    /// For `reconnect`: after how many milliseconds.
    pub(crate) after_ms: Option<Millis>,
}

/// What counts of the access token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Token {
    /// When it was made, by the wall's clock.
    pub(crate) made_at: Millis,
    /// When it expires, by the wall's clock.
    pub(crate) expires_at: Millis,
}

/// So long after it was asked to close, a socket goes with what it has not taken. What it has asked for has a deadline of its own
/// that is no longer; and a client that reads nothing must not hold up a drain.
const LEAVE_WITHIN_MS: Millis = 5_000;
/// A client that has not named its positions after so long is closed; it would hold what is kept for that.
const SYNC_WITHIN_MS: Millis = 60_000;
/// So many streams that a user is not subscribed to may be named on one connection: each is a look at the log and a row here.
const UNKNOWN_MAX: usize = 10_000;

/// What a `sync` frame says of streams that need another look.
#[derive(Default, PartialEq, Eq, Debug)]
pub(crate) struct Named {
    /// Positions that are not of their log.
    pub(crate) reset: Vec<StreamId>,
    /// Streams that the user is not subscribed to.
    pub(crate) unknown: Vec<StreamPosition>,
}

/// One connection's state.
#[derive(Debug)]
pub(crate) struct Session {
    pub(super) codec: Codec,
    pub(super) phase: Phase,
    pub(super) token: Token,
    warned: bool,
    heard_at: Millis,
    stalled_since: Option<Millis>,
    close: Option<Close>,
    /// Since when it is asked to close, as the looks over all connections saw it.
    closing_since: Option<Millis>,
    /// Counts the sockets that held this session: an older one knows that it was taken over.
    socket: u32,
    /// The hub has let go of it.
    pub(crate) gone: bool,
    held: Option<Box<Held>>,
    pub(super) tracks: Tracks,
    pub(super) outbox: Outbox,
    /// The streams the hub has subscribed it to.
    pub(crate) streams: Vec<StreamId>,
    /// The user's own stream, which is read first.
    pub(super) own: StreamId,
    pub(super) reading: bool,
    pub(super) registers: super::delivery::Registers,
    pub(super) live_told: bool,
}

/// What the user is subscribed to, until the client has named its positions.
#[derive(Debug)]
struct Held {
    /// By their streams' ids.
    heads: Vec<Head>,
    named: HashSet<StreamId>,
    /// How many streams were named that are not among these.
    unknown: usize,
    /// Since when.
    since: Millis,
}

impl Session {
    /// A session of a first socket; it syncs.
    pub(crate) fn new(settings: &Settings, codec: Codec, own: StreamId, token: Token, now: Now) -> Self {
        Self {
            codec,
            phase: Phase::Greeting,
            token,
            warned: false,
            heard_at: now.steady,
            stalled_since: None,
            close: None,
            closing_since: None,
            socket: 0,
            gone: false,
            held: None,
            tracks: Tracks::default(),
            outbox: Outbox::new(settings.queue_bytes, Arc::clone(&settings.budget)),
            streams: Vec::new(),
            own,
            reading: false,
            registers: super::delivery::Registers::Wanted,
            live_told: false,
        }
    }

    /// Whether a welcomed socket holds it.
    pub(crate) fn is_attached(&self) -> bool {
        matches!(self.phase, Phase::Syncing | Phase::Open)
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// Until when it waits for its client; nothing while a socket holds it.
    pub(crate) fn parked_until(&self) -> Option<Millis> {
        match self.phase {
            Phase::Parked { until } => Some(until),
            Phase::Greeting | Phase::Syncing | Phase::Open => None,
        }
    }

    pub(crate) fn token(&self) -> Token {
        self.token
    }

    /// Which socket holds it.
    pub(crate) fn socket(&self) -> u32 {
        self.socket
    }

    /// What the user is subscribed to: the client is welcomed, and asked where it stands in each.
    pub(crate) fn welcome(&mut self, mut heads: Vec<Head>, welcome: Frames) {
        self.phase = Phase::Syncing;
        self.queue(welcome, Kind::Kept);
        for head in &heads {
            let position = head.position;
            self.tracks.claim(head.stream, position.seq, position.tag);
            self.tracks.shown(head.stream, Some(position.seq));
        }
        heads.sort_unstable_by_key(|head| head.stream);
        // Nothing was heard yet but the hello.
        self.held = Some(Box::new(Held { heads, named: HashSet::new(), unknown: 0, since: self.heard_at }));
    }

    /// The client names where it stands.
    pub(crate) fn name(&mut self, positions: &[StreamPosition]) -> Named {
        let mut outcome = Named::default();
        let Some(held) = self.held.as_deref_mut() else {
            return outcome;
        };
        for named in positions {
            let Ok(found) = held.heads.binary_search_by_key(&named.stream, |head| head.stream) else {
                held.unknown += 1;
                if held.unknown <= UNKNOWN_MAX {
                    outcome.unknown.push(*named);
                } else {
                    outcome.reset.push(named.stream);
                }
                continue;
            };
            let (at, head) = (named.position, held.heads[found].position);
            // What lies beyond the head, or differs from it, is of a log that was rolled back.
            if at.seq > head.seq || (at.seq == head.seq && at.tag != head.tag) {
                outcome.reset.push(named.stream);
            } else if held.named.insert(named.stream) {
                self.tracks.stand(named.stream, at.seq, Some(at.tag));
            }
        }
        outcome
    }

    /// A stream that the user no longer hears still has something for them: it is read to its end.
    pub(crate) fn read_out(&mut self, position: StreamPosition) {
        let at = position.position;
        self.tracks.claim(position.stream, at.seq, at.tag);
    }

    /// A stream that the user no longer hears has nothing more for them.
    pub(crate) fn stands_outside(&mut self, position: StreamPosition) {
        self.tracks.stands_outside(position.stream, position.position.seq);
    }

    /// The client has named all its positions; answers where the streams start that it did not name.
    pub(crate) fn synced(&mut self) -> Vec<StreamPosition> {
        self.phase = Phase::Open;
        let Some(held) = self.held.take() else {
            return Vec::new();
        };
        let unnamed = held.heads.iter().filter(|head| !held.named.contains(&head.stream));
        unnamed.map(|head| StreamPosition { stream: head.stream, position: head.position }).collect()
    }

    /// Whether answers have room: a client that reads none gets no more.
    pub(crate) fn takes_more(&self, settings: &Settings) -> bool {
        self.outbox.bytes() < settings.queue_bytes
    }

    /// Something came from the client.
    pub(crate) fn heard(&mut self, now: Now) {
        self.heard_at = now.steady;
    }

    /// The socket takes nothing more, or takes again.
    pub(crate) fn stalls(&mut self, now: Now, stalled: bool) {
        if stalled {
            self.stalled_since.get_or_insert(now.steady);
        } else {
            self.stalled_since = None;
        }
    }

    /// A fresh token of the same login.
    pub(crate) fn renew(&mut self, token: Token) {
        self.token = token;
        self.warned = false;
    }

    /// A frame that is always kept: a reply. Answers whether the writer must be woken.
    pub(crate) fn say(&mut self, frames: Frames) -> bool {
        self.is_attached() && self.queue(frames, Kind::Kept)
    }

    /// Time passes: what is due. Answers whether the writer must be woken.
    pub(crate) fn tick(&mut self, settings: &Settings, now: Now) -> bool {
        if !self.is_attached() {
            return false;
        }
        if self.close.is_some() {
            self.closing_since.get_or_insert(now.steady);
            return self.is_late(now);
        }
        let slow_for = self.stalled_since.map(|since| now.steady.saturating_sub(since));
        if slow_for.is_some_and(|for_ms| for_ms >= settings.slow_after_ms) {
            return self.close(CloseCode::Slow);
        }
        if now.steady.saturating_sub(self.heard_at) >= DEAD_AFTER_MS {
            return self.close(CloseCode::HeartbeatMissed);
        }
        if self.held.as_ref().is_some_and(|held| now.steady.saturating_sub(held.since) >= SYNC_WITHIN_MS) {
            return self.close(CloseCode::Slow);
        }
        if now.wall >= self.token.expires_at {
            return self.close(CloseCode::TokenExpired);
        }
        if !self.warned && now.wall + EXPIRY_NOTICE_MS >= self.token.expires_at {
            self.warned = true;
            let notice = self.codec.expiring(self.token.expires_at);
            return self.say(notice);
        }
        false
    }

    /// Whether a parked session's time is over.
    pub(crate) fn is_over(&self, now: Now) -> bool {
        matches!(self.phase, Phase::Parked { until } if now.steady >= until)
    }

    /// Asks the socket to close; the first reason counts. Answers whether the writer must be woken.
    pub(crate) fn close(&mut self, code: CloseCode) -> bool {
        self.close_with(Close { code, after_ms: None })
    }

    /// As [`Session::close`], with the wait of a drain.
    pub(crate) fn close_with(&mut self, close: Close) -> bool {
        let first = self.close.is_none() && !matches!(self.phase, Phase::Parked { .. });
        if first {
            self.close = Some(close);
        }
        first
    }

    /// Why the socket is to be closed, if it is.
    pub(crate) fn closing(&self) -> Option<Close> {
        self.close
    }

    /// Whether it was asked to close so long ago that it goes at once, whatever it has not taken.
    pub(crate) fn is_late(&self, now: Now) -> bool {
        self.closing_since.is_some_and(|since| now.steady.saturating_sub(since) >= LEAVE_WITHIN_MS)
    }

    /// Socket number `socket` is gone. Answers false where another one holds the session already.
    pub(crate) fn park(&mut self, socket: u32, now: Now) -> bool {
        if self.socket != socket || matches!(self.phase, Phase::Parked { .. }) {
            return false;
        }
        // A client that was not in step yet begins anew: the server doesn't know its positions.
        let until = match self.phase {
            Phase::Greeting | Phase::Syncing => now.steady,
            Phase::Open | Phase::Parked { .. } => now.steady + RESUME_WINDOW_MS,
        };
        self.fall_silent(Phase::Parked { until });
        true
    }

    /// Another socket of the same device takes the session over, and is welcomed before anything else reaches it; answers its
    /// number, or nothing where the session can't be resumed.
    pub(crate) fn resume(&mut self, token: Token, now: Now, welcome: Frames) -> Option<u32> {
        let whole = matches!(self.phase, Phase::Open | Phase::Parked { .. });
        if self.gone || !whole || self.is_over(now) {
            return None;
        }
        self.fall_silent(Phase::Open);
        self.queue(welcome, Kind::Kept);
        self.socket += 1;
        self.heard_at = now.steady;
        self.renew(token);
        Some(self.socket)
    }

    fn fall_silent(&mut self, phase: Phase) {
        self.phase = phase;
        self.outbox.clear();
        self.tracks.park();
        self.close = None;
        self.closing_since = None;
        self.stalled_since = None;
        self.held = None;
        self.reading = false;
        self.registers = super::delivery::Registers::Wanted;
        self.outbox.drop_values();
        self.live_told = false;
    }

    /// The last entry of a stream that is proven to have reached the client by this acknowledgement.
    pub(crate) fn acknowledge(&mut self, stream: StreamId, seq: Seq) -> Option<Seq> {
        self.tracks.acknowledge(stream, seq)
    }
}
