//! Records what the plain clients of a scenario do and see, so that every scenario ends with the history checker.
//!
//! A scenario asserts what it is about; the checker holds everything else that happened in it against the log. Requests that a
//! scenario builds by hand are not recorded; conversations that are made that way are not checked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;
use protocol::chat::{
    Appended, Conversation, EditMessage, Invite, ListMessages, MarkRead, MemberTarget, MessageTarget, Messages,
    ReadState, SendMessage, Sent, SetMemberRole, UpdateConversation,
};
use protocol::frames::EVENT_WITHHELD;
use protocol::{ConversationId, ErrorCode, Position, UserId};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::history::{Content, Fact, History, LogEntry, Outcome, Recorded, Recorder, TextHash, Verb, Violation, check};
use crate::socket::Event;

/// What is recorded of a scenario.
#[derive(Clone, Default)]
pub struct Witness {
    recorder: Recorder,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    conversations: BTreeSet<ConversationId>,
    handles: BTreeMap<String, UserId>,
}

/// A plain client's record.
#[derive(Clone)]
pub struct Desk {
    recorded: Recorded,
    known: Arc<Mutex<Known>>,
}

/// A command on its way.
pub struct Asked {
    began: u64,
    name: String,
    to: Option<String>,
    body: Value,
}

impl Witness {
    /// A client of this person takes part.
    #[must_use]
    pub fn desk(&self, user: UserId, handle: &str, name: &str) -> Desk {
        self.known.lock().handles.insert(handle.to_owned(), user);
        Desk { recorded: self.recorder.device(user, format!("{handle}'s {name}")), known: Arc::clone(&self.known) }
    }

    /// The conversations that the scenario made.
    #[must_use]
    pub fn conversations(&self) -> Vec<ConversationId> {
        self.known.lock().conversations.iter().copied().collect()
    }

    /// The handles of everybody who took part.
    #[must_use]
    pub fn handles(&self) -> Vec<String> {
        self.known.lock().handles.keys().cloned().collect()
    }

    /// Holds everything that was recorded against the final logs. What nobody could read whole is left out.
    ///
    /// # Errors
    /// What is not as it must be.
    pub fn check(&self, logs: BTreeMap<ConversationId, Vec<LogEntry>>) -> Result<(), Vec<Violation>> {
        let mut history: History = self.recorder.finish(logs);
        let known: BTreeSet<ConversationId> = history.logs.keys().copied().collect();
        for device in &mut history.devices {
            device.facts.retain(|fact| conversation_of(fact).is_none_or(|id| known.contains(&id)));
        }
        check(&history).map(|_| ())
    }
}

fn conversation_of(fact: &Fact) -> Option<ConversationId> {
    match fact {
        Fact::Did(operation) => Some(operation.conversation),
        Fact::Page(page) => Some(page.conversation),
        Fact::Summary(summary) => Some(summary.conversation),
        Fact::Marks(asked) => Some(asked.conversation),
        Fact::Marker(marker) => Some(marker.conversation),
        Fact::Heard { .. } | Fact::List(_) => None,
    }
}

/// An entry of a final log, as it was read.
#[must_use]
pub fn log_entry(event: &Event) -> Option<LogEntry> {
    let from = event.from?;
    let position = Position { seq: from.seq, tag: from.tag };
    let content = Content::parse(&event.name, &event.body.to_string())?;
    Some(LogEntry { position, at: event.at.unwrap_or_default(), content })
}

impl Desk {
    /// A command is about to be sent.
    #[must_use]
    pub fn asks(&self, name: &str, to: Option<&str>, body: &Value) -> Asked {
        let began = self.recorded.now();
        let asked = Asked { began, name: name.to_owned(), to: to.map(str::to_owned), body: body.clone() };
        if name == "read.mark"
            && let (Some(to), Some(MarkRead { seq })) = (asked.conversation(), parse(body))
        {
            self.recorded.marks(to, seq);
        }
        asked
    }

    /// Its answer has come.
    pub fn answered(&self, asked: &Asked, answer: Result<&Value, ErrorCode>) {
        match asked.name.as_str() {
            "conversations.create" => self.created(asked, answer.ok()),
            "messages.list" => self.page(asked, answer.ok()),
            "conversations.get" => {
                if let Some(read) = answer.ok().and_then(parse::<Conversation>) {
                    self.recorded.summary(asked.began, &read);
                }
            }
            "read.mark" => self.marked(asked, answer.ok()),
            _ => self.changed(asked, answer),
        }
    }

    /// An event has come.
    pub fn heard(&self, event: &Event) {
        let Some(from) = event.from else { return };
        let heard = if event.name == EVENT_WITHHELD {
            let range: protocol::frames::Withheld = event.body();
            client::core::Event::Withheld { from, first: range.first }
        } else {
            let body = RawValue::from_string(event.body.to_string()).expect("JSON");
            let entry = client::core::Entry { from, name: event.name.clone(), at: event.at, body };
            client::core::Event::Entry(entry)
        };
        self.recorded.heard(&heard);
    }

    /// A stream begins after an entry.
    pub fn started(&self, started: &protocol::frames::StreamPosition) {
        let (stream, head) = (started.stream, started.position);
        self.recorded.heard(&client::core::Event::Started { stream, head });
    }

    fn created(&self, asked: &Asked, answer: Option<&Value>) {
        let Some(made) = answer.and_then(parse::<Conversation>) else { return };
        // The 1-1 conversation of two is opened again and again, and made once.
        if self.known.lock().conversations.insert(made.id) {
            self.recorded.did(asked.began, made.id, Verb::Create, Outcome::Done(made.head));
        }
    }

    fn page(&self, asked: &Asked, answer: Option<&Value>) {
        let request = parse::<ListMessages>(&asked.body);
        if let (Some(to), Some(request), Some(page)) =
            (asked.conversation(), request, answer.and_then(parse::<Messages>))
        {
            self.recorded.page(asked.began, to, request, &page);
        }
    }

    fn marked(&self, asked: &Asked, answer: Option<&Value>) {
        let request = parse::<MarkRead>(&asked.body);
        if let (Some(to), Some(request), Some(state)) =
            (asked.conversation(), request, answer.and_then(parse::<ReadState>))
        {
            self.recorded.marker(asked.began, to, request.seq, state);
        }
    }

    fn changed(&self, asked: &Asked, answer: Result<&Value, ErrorCode>) {
        let (Some(to), Some(verb)) = (asked.conversation(), asked.verb()) else { return };
        let outcome = match answer {
            Ok(answer) if asked.name == "messages.send" => parse::<Sent>(answer).map(|sent| sent.position),
            Ok(answer) => parse::<Appended>(answer).map(|done| done.position),
            Err(code) => return self.recorded.did(asked.began, to, verb, Outcome::refused(code)),
        };
        self.recorded.did(asked.began, to, verb, outcome.map_or(Outcome::Unknown, Outcome::Done));
    }
}

impl Asked {
    fn conversation(&self) -> Option<ConversationId> {
        self.to.as_deref()?.parse().ok()
    }

    fn verb(&self) -> Option<Verb> {
        let body = &self.body;
        Some(match self.name.as_str() {
            "messages.send" => {
                let SendMessage { client_id, text, reply_to } = parse(body)?;
                Verb::Send { client_id, text: TextHash::of(&text), reply_to }
            }
            "messages.edit" => {
                let EditMessage { seq, text, client_id } = parse(body)?;
                Verb::Edit { client_id, target: seq, text: TextHash::of(&text) }
            }
            "messages.delete" => Verb::Delete { target: parse::<MessageTarget>(body)?.seq },
            "conversations.update" => Verb::Title { title: TextHash::of(&parse::<UpdateConversation>(body)?.title) },
            "channels.join" => Verb::Join,
            "members.leave" => Verb::Leave,
            "members.invite" => Verb::Invite { users: parse::<Invite>(body)?.users },
            "members.kick" => Verb::Kick { user: parse::<MemberTarget>(body)?.user },
            "members.ban" => Verb::Ban { user: parse::<MemberTarget>(body)?.user },
            "members.unban" => Verb::Unban { user: parse::<MemberTarget>(body)?.user },
            "members.role" => {
                let SetMemberRole { user, role } = parse(body)?;
                Verb::Role { user, role }
            }
            _ => return None,
        })
    }
}

fn parse<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::ViolationKind;
    use protocol::{ClientId, Tag};
    use serde_json::json;

    #[test]
    fn what_was_acknowledged_and_is_not_in_the_log_is_found() {
        let witness = Witness::default();
        let (user, conversation) = (UserId::now(), ConversationId::now());
        let desk = witness.desk(user, "ann", "device");
        let asked = desk.asks("conversations.create", None, &json!({ "kind": "group", "title": "t" }));
        let head = json!({ "seq": 2, "tag": "00000002" });
        let made = json!({
            "id": conversation, "kind": "group", "title": "t", "role": "owner", "members": 1, "created_at": 1,
            "head": head, "read": { "seq": 2, "number": 0, "own_number": 0 }, "own_number": 0, "unread": 0,
        });
        desk.answered(&asked, Ok(&made));
        let to = conversation.to_string();
        let body = json!({ "client_id": ClientId::now(), "text": "hello" });
        let asked = desk.asks("messages.send", Some(&to), &body);
        desk.answered(&asked, Ok(&json!({ "seq": 3, "tag": "00000003", "number": 1, "at": 1 })));

        let entry = |seq, name: &str, body: Value| LogEntry {
            position: Position { seq, tag: Tag(seq as u32) },
            at: 1,
            content: Content::parse(name, &body.to_string()).unwrap(),
        };
        let created = json!({ "conversation": conversation, "kind": "group", "title": "t", "by": user });
        let joined = json!({ "conversation": conversation, "user": user, "role": "owner", "by": user });
        let log = vec![entry(1, "conversation.created", created), entry(2, "member.joined", joined)];
        let violations = witness.check(BTreeMap::from([(conversation, log)])).unwrap_err();
        assert!(violations.iter().all(|violation| violation.kind == ViolationKind::Loss), "{violations:?}");
    }
}
