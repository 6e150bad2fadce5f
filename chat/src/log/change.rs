//! One command's work on logs, inside its transaction.
//!
//! Entries are numbered here, against the head that the transaction itself reads, and told only from the commit hook: so what is
//! told is durable, and is told in the order of the log.

use std::sync::Arc;

use link::{Event, Publisher};
use protocol::{ConversationId, Millis, Position, StreamId, Tag, UserId};
use runtime::audit::{self, AuditResult};
use runtime::store::WriteTx;
use rusqlite::Connection;

use super::fold::Folds;
use super::row;
use super::{Content, Entry, Stream};
use crate::origin::Origin;
use crate::presence::Presences;
use crate::refuse::{Stop, refuse};

/// A command at work.
pub(crate) struct Change<'a, 'tx> {
    tx: &'a WriteTx<'tx>,
    publisher: Publisher,
    presences: Arc<Presences>,
    folds: &'a mut Folds,
    events: Vec<Event>,
    touched: Vec<ConversationId>,
    newcomers: Vec<(ConversationId, UserId)>,
    /// When the command is judged.
    pub(crate) now: Millis,
}

impl<'a, 'tx> Change<'a, 'tx> {
    pub(crate) fn new(
        tx: &'a WriteTx<'tx>,
        publisher: Publisher,
        presences: Arc<Presences>,
        folds: &'a mut Folds,
        now: Millis,
    ) -> Self {
        let (events, touched, newcomers) = (Vec::new(), Vec::new(), Vec::new());
        Self { tx, publisher, presences, folds, events, touched, newcomers, now }
    }

    /// The transaction.
    pub(crate) fn tx(&self) -> &'a WriteTx<'tx> {
        self.tx
    }

    /// The transaction's connection.
    pub(crate) fn connection(&self) -> &'a Connection {
        self.tx
    }

    /// What the writer remembers of conversations.
    pub(crate) fn folds(&mut self) -> &mut Folds {
        self.folds
    }

    /// Appends the next entry to a log.
    pub(crate) fn append(&mut self, stream: &mut Stream, content: Content) -> Result<Position, Stop> {
        if stream.id.kind == protocol::StreamKind::Conversation {
            let conversation = ConversationId(stream.id.id);
            if self.touched.last() != Some(&conversation) {
                self.touched.push(conversation);
            }
        }
        self.append_remembered(stream, content)
    }

    /// Appends to a log whose fold the caller keeps up to date itself.
    pub(crate) fn append_remembered(&mut self, stream: &mut Stream, content: Content) -> Result<Position, Stop> {
        let is_message = matches!(content, Content::Message(_));
        stream.head = Position { seq: stream.head.seq + 1, tag: Tag(rand::random()) };
        if is_message {
            stream.number += 1;
            stream.last_message = stream.head.seq;
        }
        let entry = Entry { stream: stream.id, position: stream.head, at: self.now, number: stream.number, content };
        row::insert(self.tx, stream.no, &entry)?;
        stream.save(self.tx)?;
        let event = entry.event().map_err(|error| refuse(protocol::ErrorCode::Internal, error.to_string()))?;
        self.events.push(event);
        Ok(stream.head)
    }

    /// Appends the next entry to a user's log.
    pub(crate) fn append_to_user(&mut self, user: UserId, content: Content) -> Result<Position, Stop> {
        let mut stream = Stream::find_or_create(self.tx, StreamId::user(user))?;
        self.append_remembered(&mut stream, content)
    }

    /// Writes the audit event of what this command does.
    pub(crate) fn audit(
        &self,
        origin: &Origin,
        action: &'static str,
        conversation: ConversationId,
        target: Option<UserId>,
    ) -> Result<(), Stop> {
        audit::append(self.tx, &origin.audit(action, conversation, target, AuditResult::Allowed))?;
        Ok(())
    }

    /// Something that is told with the entries but stands in no log.
    pub(crate) fn tell(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Somebody has come into a conversation in which presence is pushed.
    pub(crate) fn came_in(&mut self, conversation: ConversationId, user: UserId) {
        self.newcomers.push((conversation, user));
    }

    /// The command was done: what it changed is forgotten, what it says is told after the commit.
    pub(crate) fn finish(self) {
        for conversation in &self.touched {
            self.folds.forget(*conversation);
        }
        if self.events.is_empty() {
            return;
        }
        let (publisher, events) = (self.publisher, self.events);
        let (presences, newcomers) = (self.presences, self.newcomers);
        self.tx.on_commit(move || {
            for event in events {
                publisher.publish(event);
            }
            if !newcomers.is_empty() {
                presences.came_in(&newcomers);
            }
        });
    }
}
