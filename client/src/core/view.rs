//! A conversation as an app shows it: messages with their edits and deletes applied, own sends that still wait, what is unread.
//!
//! It is a fold: entries in the order of the log, pages of history in any order, and the result is the same. A message in a
//! page or an entry carries its state when it was read, so an edit that it already holds is recognised by the revision.
//!
//! Unread is reckoned from running numbers, not by having all messages: of all messages and of own ones, each at the newest entry
//! and at the read marker. They begin with the conversation as it was read ([`ConversationView::stands`]) and are counted on by the
//! entries of the log. Pages say nothing of them: a page can be ahead of the log.

use std::collections::{BTreeMap, BTreeSet};

use protocol::chat::{
    Conversation, MESSAGE_DELETED, MESSAGE_EDITED, MESSAGE_NEW, Message, MessageDeleted, MessageEdited, Messages,
    ReadMarker,
};
use protocol::{ClientId, Seq, UserId};

use super::event::Entry;

/// An own message that the log does not hold yet, as far as the client knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PendingSend {
    /// The id that the client made for it.
    pub client_id: ClientId,
    /// The text.
    pub text: String,
    /// Whether the server refused it: it can be sent again or dropped.
    pub refused: bool,
}

/// The fold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConversationView {
    me: UserId,
    messages: BTreeMap<Seq, Message>,
    pending: Vec<PendingSend>,
    read: ReadMarker,
    /// The entry up to which own messages were counted when the conversation was read, and how many that were.
    counted: (Seq, u64),
    /// The highest running number that the log has told.
    number: u64,
    /// Own messages that the log has told beyond what was counted.
    own: BTreeSet<Seq>,
}

impl ConversationView {
    /// An empty conversation, as `me` sees it.
    #[must_use]
    pub fn new(me: UserId) -> Self {
        Self {
            me,
            messages: BTreeMap::new(),
            pending: Vec::new(),
            read: ReadMarker::default(),
            counted: (0, 0),
            number: 0,
            own: BTreeSet::new(),
        }
    }

    /// The next entry of the conversation's log. What is no message changes nothing.
    ///
    /// # Errors
    /// The body is not that of the entry's name.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), serde_json::Error> {
        let body = entry.body.get();
        match entry.name.as_str() {
            MESSAGE_NEW => {
                let message: Message = serde_json::from_str(body)?;
                self.number = self.number.max(message.number);
                if message.by == self.me && message.seq > self.counted.0 {
                    self.own.insert(message.seq);
                }
                self.message(message);
            }
            MESSAGE_EDITED => {
                let edit: MessageEdited = serde_json::from_str(body)?;
                if let Some(message) = self.messages.get_mut(&edit.target)
                    && edit.revision > message.revision
                {
                    message.revision = edit.revision;
                    message.edited_at = entry.at.or(message.edited_at);
                    if !message.deleted {
                        message.text = edit.text;
                    }
                }
            }
            MESSAGE_DELETED => {
                let delete: MessageDeleted = serde_json::from_str(body)?;
                if let Some(message) = self.messages.get_mut(&delete.target) {
                    message.deleted = true;
                    message.text.clear();
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A page of history.
    pub fn merge(&mut self, page: Messages) {
        for message in page.messages {
            self.message(message);
        }
    }

    /// The conversation as it was read: what the log told before is in it, what it tells later is counted on.
    pub fn stands(&mut self, conversation: &Conversation) {
        let Conversation { head, read, own_number, unread, .. } = *conversation;
        if head.seq > self.counted.0 {
            self.counted = (head.seq, own_number);
            self.own = self.own.split_off(&(head.seq + 1));
            self.number = self.number.max(read.number + unread + own_number - read.own_number);
        }
        self.mark_read(read);
    }

    /// The read marker stands here, on whichever device it was moved. It never goes back.
    pub fn mark_read(&mut self, marker: ReadMarker) {
        if marker.seq > self.read.seq {
            self.read = marker;
        }
    }

    /// An own message was given to the client.
    pub fn queued(&mut self, client_id: ClientId, text: String) {
        self.pending.push(PendingSend { client_id, text, refused: false });
    }

    /// The server refused an own message for good.
    pub fn refused(&mut self, client_id: ClientId) {
        for pending in &mut self.pending {
            pending.refused |= pending.client_id == client_id;
        }
    }

    /// An own message that was refused is not wanted any more.
    pub fn dropped(&mut self, client_id: ClientId) {
        self.pending.retain(|pending| pending.client_id != client_id);
    }

    /// What is kept is void: only own sends that wait stay.
    pub fn reset(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        *self = Self::new(self.me);
        self.pending = pending;
    }

    /// The messages in the order of the log.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.values()
    }

    /// The own messages that wait, in the order they were given.
    #[must_use]
    pub fn pending(&self) -> &[PendingSend] {
        &self.pending
    }

    /// How many messages of others lie after the read marker.
    #[must_use]
    pub fn unread(&self) -> u64 {
        self.read.unread(self.number, self.counted.1 + self.own.len() as u64)
    }

    fn message(&mut self, message: Message) {
        if message.by == self.me {
            self.dropped(message.client_id);
        }
        let newer = self
            .messages
            .get(&message.seq)
            .is_none_or(|known| message.deleted || (!known.deleted && message.revision >= known.revision));
        if newer {
            self.messages.insert(message.seq, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::frames::From;
    use protocol::{ConversationId, Position, StreamId, Tag};
    use serde_json::{json, value::to_raw_value};

    fn message(number: u64, by: UserId, text: &str) -> Message {
        Message {
            conversation: ConversationId::from([1; 16]),
            seq: number * 2,
            number,
            by,
            client_id: ClientId::from([number as u8; 16]),
            text: text.to_owned(),
            reply_to: None,
            at: 0,
            edited_at: None,
            revision: 0,
            deleted: false,
        }
    }

    fn entry(name: &str, body: serde_json::Value) -> Entry {
        Entry {
            from: From { stream: StreamId::conversation(ConversationId::from([1; 16])), seq: 9, tag: Tag(9) },
            name: name.to_owned(),
            at: Some(5),
            body: to_raw_value(&body).unwrap(),
        }
    }

    fn edit(target: Seq, text: &str, revision: u32) -> Entry {
        let by = UserId::from([2; 16]);
        let client_id = ClientId::from([9; 16]);
        let conversation = ConversationId::from([1; 16]);
        let edit = MessageEdited { conversation, target, text: text.to_owned(), revision, by, client_id };
        entry(MESSAGE_EDITED, json!(edit))
    }

    fn delete(target: Seq) -> Entry {
        let by = UserId::from([2; 16]);
        let conversation = ConversationId::from([1; 16]);
        let delete = MessageDeleted { conversation, target, by };
        entry(MESSAGE_DELETED, json!(delete))
    }

    fn texts(view: &ConversationView) -> Vec<&str> {
        view.messages().map(|m| m.text.as_str()).collect()
    }

    #[test]
    fn edits_and_deletes_change_the_message_and_a_late_page_does_not_undo_them() {
        let (me, other) = (UserId::from([1; 16]), UserId::from([2; 16]));
        let mut view = ConversationView::new(me);
        for (number, text) in [(1, "one"), (2, "two")] {
            let new = entry(MESSAGE_NEW, json!(message(number, other, text)));
            view.apply(&new).unwrap();
        }
        view.apply(&edit(2, "uno", 1)).unwrap();
        view.apply(&delete(4)).unwrap();
        view.apply(&edit(2, "never", 1)).unwrap();
        assert_eq!(texts(&view), ["uno", ""]);
        view.merge(Messages {
            messages: vec![message(1, other, "one"), message(2, other, "two")],
            calls: Vec::new(),
            more_before: false,
            more_after: false,
            head: Position::default(),
        });
        assert_eq!(texts(&view), ["uno", ""]);
    }

    #[test]
    fn unread_counts_what_others_sent_after_the_marker_and_the_marker_never_goes_back() {
        let (me, other) = (UserId::from([1; 16]), UserId::from([2; 16]));
        let mut view = ConversationView::new(me);
        for (number, by) in [(1, other), (2, me), (3, other), (4, other)] {
            let new = entry(MESSAGE_NEW, json!(message(number, by, "x")));
            view.apply(&new).unwrap();
        }
        assert_eq!(view.unread(), 3);
        view.mark_read(ReadMarker { seq: 6, number: 3, own_number: 1 });
        assert_eq!(view.unread(), 1);
        view.mark_read(ReadMarker { seq: 2, number: 1, own_number: 0 });
        view.apply(&delete(8)).unwrap();
        assert_eq!(view.unread(), 1, "a deleted message counts until it is read");
    }

    #[test]
    fn an_own_send_waits_until_the_log_has_it() {
        let me = UserId::from([1; 16]);
        let mut view = ConversationView::new(me);
        let sent = message(1, me, "hello");
        view.queued(sent.client_id, sent.text.clone());
        view.reset();
        assert_eq!(view.pending().len(), 1);
        view.refused(sent.client_id);
        assert!(view.pending()[0].refused);
        view.apply(&entry(MESSAGE_NEW, json!(sent))).unwrap();
        assert!(view.pending().is_empty());
        assert_eq!(texts(&view), ["hello"]);
    }
}
