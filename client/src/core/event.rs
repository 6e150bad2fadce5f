//! What the app hears, in this order and each exactly once.

use protocol::frames::{From, Welcome};
use protocol::{Epoch, ErrorBody, Millis, Position, Seq, StreamId};
use serde_json::value::RawValue;

/// News for the app.
#[derive(Clone, Debug)]
pub enum Event {
    /// The server has said welcome.
    Connected(Box<Welcome>),
    /// Everything up to the present was delivered: the client is in step.
    InStep,
    /// The connection is gone and another one will be made.
    Disconnected {
        /// Why.
        why: Lost,
        /// When the next one is tried; absent while a token is fetched first.
        retry_in_ms: Option<u64>,
    },
    /// The client has given up; it goes on only if it is started again.
    Stopped(Stop),
    /// The next entry of a log.
    Entry(Entry),
    /// Entries of a log that the client may not see.
    Withheld {
        /// The last of them.
        from: From,
        /// The first of them.
        first: Seq,
    },
    /// A log that the client had no position in: it goes on from here, what lies before is read as history.
    Started {
        /// The log.
        stream: StreamId,
        /// Where it goes on.
        head: Position,
    },
    /// What the app keeps of this log is void: drop it and read it anew.
    Reset {
        /// The log.
        stream: StreamId,
        /// Where it goes on; absent where the client may not read it any more.
        head: Option<Position>,
    },
    /// The store was replaced: what the app keeps of any log is void.
    ResetAll {
        /// The new epoch.
        epoch: Epoch,
    },
    /// A register has a newer value.
    Register {
        /// Which register.
        key: String,
        /// Its version.
        version: u64,
        /// The event's name.
        name: String,
        /// Its body.
        body: Box<RawValue>,
    },
    /// Something that soon means nothing any more.
    Ephemeral {
        /// The event's name.
        name: String,
        /// Until when it means something, in server time.
        until: Millis,
        /// Its body.
        body: Box<RawValue>,
    },
}

impl Event {
    /// Whose entry this is, where it is one (or a withheld range).
    #[must_use]
    pub fn stream(&self) -> Option<StreamId> {
        match self {
            Self::Entry(Entry { from, .. }) | Self::Withheld { from, .. } => Some(from.stream),
            _ => None,
        }
    }
}

/// One entry of a log.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Which one.
    pub from: From,
    /// The event's name.
    pub name: String,
    /// When it happened, in server time.
    pub at: Option<Millis>,
    /// Its body.
    pub body: Box<RawValue>,
}

/// Why a connection ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Lost {
    /// The transport failed or could not be opened.
    Transport,
    /// The server closed it.
    Closed {
        /// The close code.
        code: u16,
    },
    /// Nothing was heard for too long, or an answer that must come did not.
    Silent,
    /// An entry came after one that is missing.
    Gap {
        /// The log.
        stream: StreamId,
        /// What should have come.
        expected: Seq,
        /// What came.
        got: Seq,
    },
    /// The server has another entry where the client knows one.
    Forked {
        /// The log.
        stream: StreamId,
    },
    /// A frame that is not of the protocol's form.
    Malformed,
    /// The server refused the greeting for now.
    Refused(ErrorBody),
}

/// Why the client gave up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The server closed with a code that says never.
    Closed {
        /// The close code.
        code: u16,
        /// The server's words.
        reason: String,
    },
    /// The server refused the greeting for good.
    Refused(ErrorBody),
    /// There is no token any more: log in again.
    TokenDenied(ErrorBody),
    /// The app asked for it.
    Asked,
}
