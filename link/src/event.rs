//! What is told: an entry of a log, a versioned register, or something ephemeral.
//!
//! What an entry does to its audience stands here in the envelope, not in the body, so that the gateway needs no schema.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use protocol::{Millis, Position, Seq, StreamId, Tag, UserId};

/// One event. Shared between all who hear it: cloning is cheap.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// What it is.
    pub identity: Identity,
    /// Who hears it.
    pub audience: Audience,
    /// Its name, such as `message.new`.
    pub name: Cow<'static, str>,
    /// When it happened.
    pub at: Millis,
    /// Its body (JSON), the same for the whole audience, or for whoever may see it.
    pub body: Bytes,
    /// Of an entry: some of its audience may not see it. So nobody is pushed its body: each reads the entry from the log, with their
    /// own rights.
    pub by_rights: bool,
    /// What it does to audiences, in order.
    pub effects: Arc<[Effect]>,
}

/// What an event is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Identity {
    /// An entry of a log: delivered in order, exactly once.
    Entry {
        /// The log.
        stream: StreamId,
        /// Its number.
        seq: Seq,
        /// Its tag.
        tag: Tag,
    },
    /// The present value of a register: only the highest version counts.
    Register {
        /// The register's name, such as `presence:<user>`.
        key: Arc<str>,
        /// Grows with every change.
        version: u64,
    },
    /// May be dropped, and is worth nothing after `until`.
    Ephemeral {
        /// When it stops to mean anything.
        until: Millis,
    },
}

/// Who hears an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Audience {
    /// Whoever is subscribed to this stream when the event's turn comes.
    Stream(StreamId),
    /// These users, on all their devices.
    Users(Arc<[UserId]>),
}

/// What an entry does to a stream's audience. In the stream's own log it applies before the next entry is delivered; the same
/// effect also stands in the user's log, for gateways that do not follow that stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Effect {
    /// Whose audience.
    pub stream: StreamId,
    /// Who comes or goes.
    pub user: UserId,
    /// Which of the two.
    pub change: Change,
    /// The entry of that stream by which it happened. Who joins hears this entry first; who leaves hears it last.
    pub at: Position,
}

/// Whether somebody comes or goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// Hears the stream from the entry on.
    Joined,
    /// Hears nothing after the entry.
    Left,
}

impl Event {
    /// The entry's position, where it is one.
    #[must_use]
    pub fn position(&self) -> Option<(StreamId, Position)> {
        match self.identity {
            Identity::Entry { stream, seq, tag } => Some((stream, Position { seq, tag })),
            Identity::Register { .. } | Identity::Ephemeral { .. } => None,
        }
    }
}
