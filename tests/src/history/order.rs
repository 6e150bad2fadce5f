//! What was known when: the real-time order of the run, for each conversation.

use std::collections::HashMap;

use protocol::{ClientId, ConversationId, Seq, StreamKind, UserId};

use super::History;
use super::content::Content;
use super::fact::{Fact, Operation, Outcome, Seen, Time, Verb};

/// For each conversation: what was certainly in the log at a time, and what was certainly not yet.
pub(crate) struct Order {
    known: HashMap<ConversationId, Vec<(Time, Seq)>>,
    unasked: HashMap<ConversationId, Vec<(Time, Seq)>>,
    markers: HashMap<(UserId, ConversationId), Vec<(Time, Seq)>>,
    /// What each user asked to have marked as read, on whichever device, by entries.
    marks: HashMap<(UserId, ConversationId), Vec<(Seq, Time)>>,
    /// When each entry with a client id was asked for first.
    asked: HashMap<(ConversationId, UserId, ClientId), (Time, Seq)>,
}

impl Order {
    pub(crate) fn of(history: &History) -> Self {
        let mut order = Self {
            known: HashMap::new(),
            unasked: HashMap::new(),
            markers: HashMap::new(),
            marks: HashMap::new(),
            asked: HashMap::new(),
        };
        for device in &history.devices {
            for fact in &device.facts {
                order.take(history, device.user, fact);
            }
        }
        for ((conversation, ..), asked) in std::mem::take(&mut order.asked) {
            order.unasked.entry(conversation).or_default().push(asked);
        }
        for known in order.known.values_mut().chain(order.markers.values_mut()) {
            highest_so_far(known);
        }
        for unasked in order.unasked.values_mut() {
            lowest_from_here(unasked);
        }
        order.marks.values_mut().for_each(|marks| marks.sort_unstable());
        order
    }

    fn take(&mut self, history: &History, user: UserId, fact: &Fact) {
        let mut know = |conversation, at, seq| self.known.entry(conversation).or_default().push((at, seq));
        match fact {
            Fact::Did(operation) => {
                let Outcome::Done(position) = operation.outcome else { return };
                know(operation.conversation, operation.ended, position.seq);
                if let Verb::Send { client_id, .. } | Verb::Edit { client_id, .. } = &operation.verb
                    && made(history, user, operation, position.seq)
                {
                    // A client id may be used again: its entry was asked for when it was used first.
                    let key = (operation.conversation, user, *client_id);
                    let first = self.asked.entry(key).or_insert((operation.began, position.seq));
                    first.0 = first.0.min(operation.began);
                }
            }
            Fact::Heard { at, seen } => {
                let (stream, head) = match seen {
                    Seen::Entry { stream, position, .. } => (stream, position),
                    Seen::Withheld { stream, last, .. } => (stream, last),
                    Seen::Started { stream, head } => (stream, head),
                    Seen::Reset { .. } | Seen::ResetAll => return,
                };
                if stream.kind == StreamKind::Conversation {
                    know(ConversationId(stream.id), *at, head.seq);
                }
            }
            Fact::Page(page) => know(page.conversation, page.ended, page.head.seq),
            Fact::Summary(summary) => {
                know(summary.conversation, summary.ended, summary.head.seq);
                let markers = self.markers.entry((user, summary.conversation)).or_default();
                markers.push((summary.ended, summary.read.seq));
            }
            Fact::Marks(asked) => {
                self.marks.entry((user, asked.conversation)).or_default().push((asked.seq, asked.began));
            }
            Fact::Marker(marker) => {
                let markers = self.markers.entry((user, marker.conversation)).or_default();
                markers.push((marker.ended, marker.marker.seq));
            }
            Fact::List(_) => {}
        }
    }

    /// The last entry that somebody knew of before this time.
    pub(crate) fn known(&self, conversation: ConversationId, before: Time) -> Seq {
        last_before(self.known.get(&conversation), before)
    }

    /// The first entry that nobody had asked for at this time.
    pub(crate) fn unasked(&self, conversation: ConversationId, after: Time) -> Option<Seq> {
        let unasked = self.unasked.get(&conversation)?;
        let first = unasked.partition_point(|(at, _)| *at <= after);
        unasked.get(first).map(|(_, seq)| *seq)
    }

    /// The last entry up to `seq` that the user asked to have marked as read by this time: it may be answered in the moment of asking.
    pub(crate) fn marked(&self, user: UserId, conversation: ConversationId, seq: Seq, by: Time) -> Seq {
        let Some(marks) = self.marks.get(&(user, conversation)) else { return 0 };
        let count = marks.partition_point(|(marked, _)| *marked <= seq);
        marks[..count].iter().rev().find(|(_, began)| *began <= by).map_or(0, |(marked, _)| *marked)
    }

    /// Where the user's read marker stood at least, before this time.
    pub(crate) fn marker(&self, user: UserId, conversation: ConversationId, before: Time) -> Seq {
        last_before(self.markers.get(&(user, conversation)), before)
    }
}

/// Whether the operation made the entry, and did not only find that there was nothing to do.
pub(crate) fn made(history: &History, user: UserId, operation: &Operation, seq: Seq) -> bool {
    let entries = history.logs.get(&operation.conversation);
    let entry = seq.checked_sub(1).and_then(|index| entries?.get(usize::try_from(index).ok()?));
    entry.is_some_and(|entry| is_made_by(&entry.content, user, &operation.verb))
}

/// Whether this is an entry that the verb makes when this user uses it.
pub(crate) fn is_made_by(content: &Content, user: UserId, verb: &Verb) -> bool {
    use protocol::chat::Leaving;
    content.by() == user
        && match (verb, content) {
            (Verb::Create, Content::Created { .. } | Content::Joined { .. }) => true,
            (Verb::Title { title }, Content::Updated { title: made, .. }) => title == made,
            (Verb::Join, Content::Joined { user: joined, .. }) => *joined == user,
            (Verb::Invite { users }, Content::Joined { user, .. }) => users.contains(user),
            (Verb::Leave, Content::Left { how, .. }) => *how == Leaving::Left,
            (Verb::Kick { user }, Content::Left { user: left, how, .. }) => user == left && *how == Leaving::Kicked,
            (Verb::Ban { user }, Content::Left { user: left, how, .. }) => user == left && *how == Leaving::Banned,
            (Verb::Ban { user }, Content::Banned { user: banned, .. }) => user == banned,
            (Verb::Unban { user }, Content::Unbanned { user: lifted, .. }) => user == lifted,
            (Verb::Role { user, role }, Content::Role { user: changed, role: to, .. }) => (user, role) == (changed, to),
            (Verb::Send { client_id, .. }, Content::Message(message)) => *client_id == message.client_id,
            (Verb::Edit { client_id, target, .. }, Content::Edited { client_id: id, target: edited, .. }) => {
                (client_id, target) == (id, edited)
            }
            (Verb::Delete { target }, Content::Deleted { target: deleted, .. }) => target == deleted,
            _ => false,
        }
}

fn last_before(known: Option<&Vec<(Time, Seq)>>, before: Time) -> Seq {
    let Some(known) = known else { return 0 };
    let count = known.partition_point(|(at, _)| *at < before);
    count.checked_sub(1).map_or(0, |last| known[last].1)
}

fn highest_so_far(known: &mut [(Time, Seq)]) {
    known.sort_unstable();
    let mut highest = 0;
    for (_, seq) in known {
        highest = highest.max(*seq);
        *seq = highest;
    }
}

fn lowest_from_here(unasked: &mut [(Time, Seq)]) {
    unasked.sort_unstable();
    let mut lowest = Seq::MAX;
    for (_, seq) in unasked.iter_mut().rev() {
        lowest = lowest.min(*seq);
        *seq = lowest;
    }
}
