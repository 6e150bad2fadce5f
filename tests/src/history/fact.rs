//! What is recorded of a device: what it did, what it was told, what it read.

use protocol::chat::{MemberRole, ReadMarker};
use protocol::{ClientId, ConversationId, ErrorCode, Position, Seq, StreamId, UserId};

use super::content::{Content, MessageState, TextHash};

/// Microseconds on the one clock of the run.
pub type Time = u64;

/// What one device did and saw, in its own order.
#[derive(Clone, Debug)]
pub struct Device {
    /// Whose.
    pub user: UserId,
    /// What the test calls it.
    pub name: String,
    /// In the order in which the app came to know them.
    pub facts: Vec<Fact>,
    /// At the end it was connected and had been told that it is in step, after the last write of anybody.
    pub in_step: bool,
}

/// One of them.
#[derive(Clone, Debug)]
pub enum Fact {
    /// It did something.
    Did(Operation),
    /// It was told something.
    Heard {
        /// When the app was handed it.
        at: Time,
        /// What.
        seen: Seen,
    },
    /// It read a page of messages.
    Page(PageFact),
    /// It read a conversation.
    Summary(SummaryFact),
    /// It read all of its conversations.
    List(ListFact),
    /// It asks to have its read marker moved, whatever comes of it.
    Marks(MarkAsked),
    /// It moved or read its read marker.
    Marker(MarkerFact),
}

/// Something that changes a log.
#[derive(Clone, Debug)]
pub struct Operation {
    /// When it was called.
    pub began: Time,
    /// When it was answered, or given up.
    pub ended: Time,
    /// Where.
    pub conversation: ConversationId,
    /// What.
    pub verb: Verb,
    /// What came of it.
    pub outcome: Outcome,
}

/// What was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the fields are those of protocol::chat")]
pub enum Verb {
    Create,
    Title { title: TextHash },
    Join,
    Leave,
    Invite { users: Vec<UserId> },
    Kick { user: UserId },
    Ban { user: UserId },
    Unban { user: UserId },
    Role { user: UserId, role: MemberRole },
    Send { client_id: ClientId, text: TextHash, reply_to: Option<Seq> },
    Edit { client_id: ClientId, target: Seq, text: TextHash },
    Delete { target: Seq },
}

/// What came of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was acknowledged with this position.
    Done(Position),
    /// It was refused, and certainly not done.
    Refused(ErrorCode),
    /// Nobody knows.
    Unknown,
}

/// What a device was told of a stream.
#[derive(Clone, Debug)]
pub enum Seen {
    /// It begins after this entry.
    Started {
        /// The stream.
        stream: StreamId,
        /// The entry.
        head: Position,
    },
    /// The next entry.
    Entry {
        /// The stream.
        stream: StreamId,
        /// The entry.
        position: Position,
        /// What it says: of a conversation.
        content: Option<Content>,
        /// What it says: of a user's log, as a hash.
        body: TextHash,
    },
    /// Entries that it may not see.
    Withheld {
        /// The stream.
        stream: StreamId,
        /// The first of them.
        first: Seq,
        /// The last of them.
        last: Position,
    },
    /// What it has of the stream is void.
    Reset {
        /// The stream.
        stream: StreamId,
        /// After which entry it goes on.
        head: Option<Position>,
    },
    /// What it has of any stream is void.
    ResetAll,
}

/// A page of messages.
#[derive(Clone, Debug)]
pub struct PageFact {
    /// When it was asked for.
    pub began: Time,
    /// When it was answered.
    pub ended: Time,
    /// Of which conversation.
    pub conversation: ConversationId,
    /// What was asked for.
    pub request: protocol::chat::ListMessages,
    /// The messages with their numbers in the log.
    pub messages: Vec<(Seq, MessageState)>,
    /// Whether there are visible ones before.
    pub more_before: bool,
    /// Whether there are visible ones after.
    pub more_after: bool,
    /// As of which entry.
    pub head: Position,
}

/// A conversation as its member read it.
#[derive(Clone, Debug)]
pub struct SummaryFact {
    /// When it was asked for.
    pub began: Time,
    /// When it was answered.
    pub ended: Time,
    /// Which.
    pub conversation: ConversationId,
    /// As of which entry.
    pub head: Position,
    /// The reader's role.
    pub role: MemberRole,
    /// How many members.
    pub members: u64,
    /// The reader's marker.
    pub read: ReadMarker,
    /// The running number of own messages.
    pub own_number: u64,
    /// How many unread messages.
    pub unread: u64,
    /// The last message, if it may be seen.
    pub last_message: Option<(Seq, MessageState)>,
}

/// All conversations of a user, read page by page.
#[derive(Clone, Debug)]
pub struct ListFact {
    /// When the first page was asked for.
    pub began: Time,
    /// When the last page was answered.
    pub ended: Time,
    /// Which they were.
    pub conversations: Vec<ConversationId>,
}

/// A question to move the read marker.
#[derive(Clone, Copy, Debug)]
pub struct MarkAsked {
    /// When it was asked.
    pub began: Time,
    /// Where.
    pub conversation: ConversationId,
    /// Up to which entry.
    pub seq: Seq,
}

/// A read marker, moved or told.
#[derive(Clone, Debug)]
pub struct MarkerFact {
    /// When it was asked for.
    pub began: Time,
    /// When it was answered.
    pub ended: Time,
    /// Where.
    pub conversation: ConversationId,
    /// Up to which entry it was to be moved; absent where it was only told (`read.moved`).
    pub asked: Option<Seq>,
    /// Where it stands.
    pub marker: ReadMarker,
    /// What was left unread, where it was said.
    pub unread: Option<u64>,
}
