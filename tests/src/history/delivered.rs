//! What devices were told, against the log: each stream in order, nothing twice, nothing left out, nothing that may not be seen.

use std::collections::{BTreeMap, HashMap};

use protocol::{ConversationId, Position, Seq, StreamId, StreamKind};

use super::History;
use super::content::{Content, TextHash};
use super::fact::{Device, Fact, Seen};
use super::log::Log;
use super::violation::{Violation, ViolationKind, wrong};

type Logs<'a> = BTreeMap<ConversationId, Log<'a>>;

/// What the first device of a user heard at a place of the user's log: all others must hear the same.
type UserLogs = HashMap<(StreamId, Seq), (Position, TextHash)>;

pub(crate) fn check(history: &History, logs: &mut Logs<'_>, violations: &mut Vec<Violation>) {
    let mut user_logs = UserLogs::new();
    for device in &history.devices {
        let mut view = View { device, restored: history.restored, at: HashMap::new(), violations };
        for fact in &device.facts {
            let Fact::Heard { seen, .. } = fact else { continue };
            match seen {
                Seen::Started { stream, head } => view.started(*stream, *head, log_of(logs, *stream)),
                Seen::Entry { stream, position, content, body } => {
                    view.entry(*stream, *position, content.as_ref(), log_of(logs, *stream));
                    if stream.kind == StreamKind::User {
                        view.same_for_all_devices(*stream, *position, *body, &mut user_logs);
                    }
                }
                Seen::Withheld { stream, first, last } => view.withheld(*stream, *first, *last, log_of(logs, *stream)),
                Seen::Reset { stream, head } => view.reset(*stream, *head, log_of(logs, *stream)),
                Seen::ResetAll => view.reset_all(),
            }
        }
        if device.in_step {
            view.end(logs);
        }
    }
}

fn log_of<'l, 'a>(logs: &'l mut Logs<'a>, stream: StreamId) -> Option<&'l mut Log<'a>> {
    match stream.kind {
        StreamKind::Conversation => logs.get_mut(&ConversationId(stream.id)),
        StreamKind::User => None,
    }
}

struct View<'v> {
    device: &'v Device,
    restored: bool,
    /// The last entry of each stream that the device has.
    at: HashMap<StreamId, Seq>,
    violations: &'v mut Vec<Violation>,
}

impl View<'_> {
    fn wrong(&mut self, kind: ViolationKind, stream: StreamId, words: impl FnOnce() -> String) {
        let name = &self.device.name;
        wrong(self.violations, kind, || format!("{name} in {stream}: {}", words()));
    }

    fn entry(&mut self, stream: StreamId, position: Position, content: Option<&Content>, log: Option<&mut Log<'_>>) {
        let seq = position.seq;
        let at = self.at.get(&stream).copied();
        if at.is_some_and(|at| seq <= at) {
            return self.wrong(ViolationKind::Double, stream, || format!("entry {seq} after {}", at.unwrap_or(0)));
        }
        self.at.insert(stream, seq);
        if stream.kind == StreamKind::User {
            if at.is_some_and(|at| seq > at + 1) {
                self.wrong(ViolationKind::Loss, stream, || format!("entry {seq} after {}", at.unwrap_or(0)));
            }
            return;
        }
        let Some(log) = log else {
            return self.wrong(ViolationKind::Forged, stream, || format!("entry {seq} of a log that is not"));
        };
        self.follows(stream, at, seq, log);
        if !log.may_see(self.device.user, seq) {
            self.wrong(ViolationKind::Leak, stream, || format!("entry {seq} is not theirs to see"));
        }
        self.same_as_the_log(stream, position, content, log);
    }

    /// Nothing that the device should have heard lies between.
    fn follows(&mut self, stream: StreamId, at: Option<Seq>, seq: Seq, log: &Log<'_>) {
        let memberships = log.memberships(self.device.user);
        match at {
            None => {
                if !memberships.iter().any(|membership| membership.joined == seq) {
                    self.wrong(ViolationKind::Loss, stream, || format!("it begins with entry {seq}, in the middle"));
                }
            }
            Some(at) if seq > at + 1 => {
                let theirs: Vec<_> = memberships.iter().filter(|m| m.joined < seq && m.last() > at).collect();
                if !theirs.is_empty() {
                    let spans: Vec<_> = theirs.iter().map(|m| format!("{}–{:?}", m.joined, m.left)).collect();
                    let spans = spans.join(", ");
                    self.wrong(ViolationKind::Loss, stream, || format!("entry {seq} after {at}, a member in {spans}"));
                }
            }
            Some(_) => {}
        }
    }

    fn same_as_the_log(&mut self, stream: StreamId, position: Position, content: Option<&Content>, log: &mut Log<'_>) {
        let seq = position.seq;
        let Some(entry) = log.entry(seq) else {
            return self.wrong(ViolationKind::Forged, stream, || format!("entry {seq} is beyond the log's end"));
        };
        let same = entry.position.tag == position.tag
            && content.is_some_and(|content| {
                entry.content.is_same_entry(content)
                    && match content {
                        Content::Message(message) => log.is_state_of(seq, message),
                        content => log.is_text_of(content),
                    }
            });
        if !same {
            self.wrong(ViolationKind::Differs, stream, || format!("entry {seq} was told as {content:?}"));
        }
    }

    fn same_for_all_devices(&mut self, stream: StreamId, position: Position, body: TextHash, known: &mut UserLogs) {
        if stream.id != self.device.user.0 {
            self.wrong(ViolationKind::Leak, stream, || "somebody else's log".to_owned());
        }
        let first = *known.entry((stream, position.seq)).or_insert((position, body));
        if first != (position, body) {
            self.wrong(ViolationKind::Differs, stream, || {
                format!("entry {} is another than on another device", position.seq)
            });
        }
    }

    fn withheld(&mut self, stream: StreamId, first: Seq, last: Position, log: Option<&mut Log<'_>>) {
        let at = self.at.get(&stream).copied();
        if at.is_some_and(|at| last.seq <= at) {
            return self.wrong(ViolationKind::Double, stream, || format!("withheld {first} to {} again", last.seq));
        }
        self.at.insert(stream, last.seq);
        let Some(log) = log else {
            return self.wrong(ViolationKind::WronglyWithheld, stream, || format!("withheld from {first} on"));
        };
        let begin = at.map_or(first, |at| at + 1);
        if first > begin {
            self.follows(stream, at, first, log);
        }
        let shown = (begin..=last.seq).find(|seq| log.surely_sees(self.device.user, *seq));
        if let Some(shown) = shown {
            self.wrong(ViolationKind::WronglyWithheld, stream, || format!("entry {shown} is theirs to see"));
        }
        if log.entry(last.seq).is_none_or(|entry| entry.position.tag != last.tag) {
            self.wrong(ViolationKind::Differs, stream, || format!("the withheld entry {} has another tag", last.seq));
        }
    }

    fn started(&mut self, stream: StreamId, head: Position, log: Option<&mut Log<'_>>) {
        let before = self.at.insert(stream, head.seq);
        let Some(log) = log else { return };
        if let Some(at) = before
            && !self.was_out_after(at, log)
        {
            self.wrong(ViolationKind::Loss, stream, || format!("it begins anew at {} after {at}", head.seq));
        }
        if head.seq > 0 && log.entry(head.seq).is_none_or(|entry| entry.position.tag != head.tag) {
            self.wrong(ViolationKind::Differs, stream, || format!("it starts at {head:?}, which is not in the log"));
        }
        if !log.may_see(self.device.user, head.seq) {
            self.wrong(ViolationKind::Leak, stream, || format!("it starts at {}, not theirs to see", head.seq));
        }
    }

    fn reset(&mut self, stream: StreamId, head: Option<Position>, log: Option<&mut Log<'_>>) {
        let before = self.at.remove(&stream);
        if let Some(head) = head {
            self.at.insert(stream, head.seq);
        }
        let out = log.is_none_or(|log| self.was_out_after(before.unwrap_or(0), log));
        if !self.restored && (!out || stream.kind == StreamKind::User) {
            self.wrong(ViolationKind::Reset, stream, || "declared void, but it is the same log".to_owned());
        }
    }

    fn reset_all(&mut self) {
        self.at.clear();
        if !self.restored {
            let name = &self.device.name;
            wrong(self.violations, ViolationKind::Reset, || format!("{name}: all declared void"));
        }
    }

    /// Whether a membership of theirs ended at this entry or later.
    fn was_out_after(&self, at: Seq, log: &Log<'_>) -> bool {
        let memberships = log.memberships(self.device.user);
        memberships.iter().any(|membership| membership.left.is_some_and(|left| left >= at))
    }

    /// Who is in step at the end has everything.
    fn end(&mut self, logs: &Logs<'_>) {
        for log in logs.values() {
            let head = log.head();
            if !log.is_member_at(self.device.user, head) {
                continue;
            }
            let stream = StreamId::conversation(log.conversation);
            let at = self.at.get(&stream).copied();
            if at != Some(head) {
                self.wrong(ViolationKind::Loss, stream, || format!("in step at {at:?}, but the head is {head}"));
            }
        }
    }
}
