//! Records a run while it happens, from many tasks at once.

use std::sync::Arc;
use std::time::Instant;

use client::CommandError;
use client::core::{Entry, Event};
use parking_lot::Mutex;
use protocol::chat::{self, ListMessages, Messages, READ_MOVED, ReadMarker, ReadMoved, ReadState};
use protocol::{ConversationId, ErrorCode, Position, Seq, StreamKind, UserId};

use super::History;
use super::content::{Content, LogEntry, MessageState, TextHash};
use super::fact::{
    Device, Fact, ListFact, MarkAsked, MarkerFact, Operation, Outcome, PageFact, Seen, SummaryFact, Time, Verb,
};

/// The one clock of a run, and everything that is recorded of it.
#[derive(Clone)]
pub struct Recorder {
    began: Instant,
    devices: Arc<Mutex<Vec<Recorded>>>,
}

/// What is recorded of one device.
#[derive(Clone)]
pub struct Recorded {
    began: Instant,
    device: Arc<Mutex<Device>>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder {
    /// A run begins.
    #[must_use]
    pub fn new() -> Self {
        Self { began: Instant::now(), devices: Arc::default() }
    }

    /// A device takes part.
    #[must_use]
    pub fn device(&self, user: UserId, name: impl Into<String>) -> Recorded {
        let device = Device { user, name: name.into(), facts: Vec::new(), in_step: false };
        let recorded = Recorded { began: self.began, device: Arc::new(Mutex::new(device)) };
        self.devices.lock().push(recorded.clone());
        recorded
    }

    /// The run is over: what was recorded, with these final logs.
    #[must_use]
    pub fn finish(&self, logs: impl IntoIterator<Item = (ConversationId, Vec<LogEntry>)>) -> History {
        let devices = self.devices.lock().iter().map(|recorded| recorded.device.lock().clone()).collect();
        History { devices, logs: logs.into_iter().collect(), ..History::default() }
    }
}

impl Recorded {
    /// The present time of the run: take it before anything is asked for.
    #[must_use]
    pub fn now(&self) -> Time {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Whose device it is.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.device.lock().user
    }

    /// The last entry of a stream that the device was told, if it was told any.
    #[must_use]
    pub fn last_heard(&self, stream: protocol::StreamId) -> Option<Seq> {
        let device = self.device.lock();
        device.facts.iter().rev().find_map(|fact| {
            let Fact::Heard { seen, .. } = fact else { return None };
            match seen {
                Seen::Entry { stream: of, position, .. }
                | Seen::Started { stream: of, head: position }
                | Seen::Withheld { stream: of, last: position, .. } => (*of == stream).then_some(position.seq),
                Seen::Reset { .. } | Seen::ResetAll => None,
            }
        })
    }

    fn add(&self, fact: Fact) {
        self.device.lock().facts.push(fact);
    }

    /// Something was asked for at `began` and now has this outcome.
    pub fn did(&self, began: Time, conversation: ConversationId, verb: Verb, outcome: Outcome) {
        let ended = self.now();
        self.add(Fact::Did(Operation { began, ended, conversation, verb, outcome }));
    }

    /// The app was handed this. What stands in no log is passed over.
    pub fn heard(&self, event: &Event) {
        let at = self.now();
        let seen = match event {
            Event::Started { stream, head } => Seen::Started { stream: *stream, head: *head },
            Event::Withheld { from, first } => {
                let last = Position { seq: from.seq, tag: from.tag };
                Seen::Withheld { stream: from.stream, first: *first, last }
            }
            Event::Reset { stream, head } => Seen::Reset { stream: *stream, head: *head },
            Event::ResetAll { .. } => Seen::ResetAll,
            Event::Entry(entry) => {
                self.heard_marker(at, entry);
                Seen::Entry {
                    stream: entry.from.stream,
                    position: Position { seq: entry.from.seq, tag: entry.from.tag },
                    content: Content::parse(&entry.name, entry.body.get()),
                    body: TextHash::of(entry.body.get()),
                }
            }
            _ => return,
        };
        self.add(Fact::Heard { at, seen });
    }

    /// The user's own log also tells where the read marker stands. It is told later than it moved, so it began with the run.
    fn heard_marker(&self, at: Time, entry: &Entry) {
        if entry.from.stream.kind == StreamKind::User
            && entry.name == READ_MOVED
            && let Ok(moved) = serde_json::from_str::<ReadMoved>(entry.body.get())
        {
            let ReadMoved { conversation, seq, number, own_number } = moved;
            let marker = ReadMarker { seq, number, own_number };
            let fact = MarkerFact { began: 0, ended: at, conversation, asked: None, marker, unread: None };
            self.add(Fact::Marker(fact));
        }
    }

    /// A page of messages was read.
    pub fn page(&self, began: Time, conversation: ConversationId, request: ListMessages, page: &Messages) {
        let messages = page.messages.iter().map(|message| (message.seq, MessageState::of(message))).collect();
        self.add(Fact::Page(PageFact {
            began,
            ended: self.now(),
            conversation,
            request,
            messages,
            more_before: page.more_before,
            more_after: page.more_after,
            head: page.head,
        }));
    }

    /// A conversation was read.
    pub fn summary(&self, began: Time, read: &chat::Conversation) {
        self.add(Fact::Summary(SummaryFact {
            began,
            ended: self.now(),
            conversation: read.id,
            head: read.head,
            role: read.role,
            members: read.members,
            read: read.read,
            own_number: read.own_number,
            unread: read.unread,
            last_message: read.last_message.as_ref().map(|message| (message.seq, MessageState::of(message))),
        }));
    }

    /// All conversations were read, page by page.
    pub fn list(&self, began: Time, conversations: &[chat::Conversation]) {
        for conversation in conversations {
            self.summary(began, conversation);
        }
        let conversations = conversations.iter().map(|conversation| conversation.id).collect();
        self.add(Fact::List(ListFact { began, ended: self.now(), conversations }));
    }

    /// The read marker is to be moved: it may be, also where no answer comes.
    pub fn marks(&self, conversation: ConversationId, seq: Seq) {
        self.add(Fact::Marks(MarkAsked { began: self.now(), conversation, seq }));
    }

    /// The read marker was moved.
    pub fn marker(&self, began: Time, conversation: ConversationId, asked: Seq, state: ReadState) {
        self.add(Fact::Marker(MarkerFact {
            began,
            ended: self.now(),
            conversation,
            asked: Some(asked),
            marker: ReadMarker { seq: state.seq, number: state.number, own_number: state.own_number },
            unread: Some(state.unread),
        }));
    }

    /// The device has been told everything: nobody writes any more, and it is in step.
    pub fn is_in_step(&self) {
        self.device.lock().in_step = true;
    }
}

impl Outcome {
    /// Of a command's answer, where the position is read from it.
    #[must_use]
    pub fn of<T>(answer: &Result<T, CommandError>, position: impl FnOnce(&T) -> Position) -> Self {
        match answer {
            Ok(done) => Self::Done(position(done)),
            Err(CommandError::Refused { error, uncertain: false }) => Self::Refused(error.code),
            Err(CommandError::Body(_)) => Self::Refused(ErrorCode::InvalidRequest),
            Err(_) => Self::Unknown,
        }
    }

    /// Of a refusal; with some codes it is none.
    #[must_use]
    pub fn refused(code: ErrorCode) -> Self {
        match code {
            ErrorCode::OutcomeUnknown | ErrorCode::Timeout => Self::Unknown,
            code => Self::Refused(code),
        }
    }
}
