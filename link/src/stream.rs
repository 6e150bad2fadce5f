//! What is read: heads and pages of logs. The gateway reads them for whoever is not in step.

use protocol::{Epoch, Position, Seq, StreamId, Tag, UserId};

use crate::event::Event;

/// What a user hears, read in one transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subscriptions {
    /// The store's epoch.
    pub epoch: Epoch,
    /// The user's own log and the logs of all their conversations, each with its head. The user's own log comes first.
    pub heads: Vec<Head>,
}

/// A log's last entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// The log.
    pub stream: StreamId,
    /// Its last entry; `(0, 0)` when it is empty.
    pub position: Position,
}

/// A question for one page of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadRequest {
    /// The log.
    pub stream: StreamId,
    /// With whose rights.
    pub reader: Reader,
    /// Entries after this one.
    pub after: Seq,
    /// The tag that the reader believes entry `after` to have; checked where it is given. (Nothing is checked at 0.)
    pub tag: Option<Tag>,
    /// At most this many items.
    pub limit: u32,
}

/// With whose rights a log is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reader {
    /// A user: sees what their memberships cover.
    User(UserId),
    /// The gateway itself, to bring its own cursor forward: sees everything.
    System,
}

/// One page of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// Entries and withheld ranges, in order, without a gap.
    pub items: Vec<Item>,
    /// The log's head when the page was read. The page reached it when the last item is the head, or there is none.
    pub head: Position,
    /// Whether the reader belongs to the audience at the head.
    pub standing: Standing,
}

/// One item of a page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// An entry.
    Entry(Event),
    /// Entries that the reader may not see.
    Withheld {
        /// The first of the range.
        first: Seq,
        /// The last of the range, with its tag, so that a position can stand there.
        last: Position,
    },
}

/// Whether a reader belongs to a stream's audience.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It does.
    Member,
    /// It does not, or does no more: nothing follows the page's items.
    Gone,
    /// The position that was named is not of this log: the reader begins anew at the head.
    Reset,
}
