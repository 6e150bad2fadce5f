//! A conversation's final log, judged entry by entry and indexed for the other checks.

use std::collections::HashMap;

use protocol::chat::{ConversationKind, MemberRole};
use protocol::{ClientId, ConversationId, Seq, UserId};

use super::History;
use super::content::{Content, LogEntry, MessageState, TextHash};
use super::rules::{Before, judge};
use super::state::{Membership, MessageSoFar, State};
use super::violation::{Violation, ViolationKind, wrong};

pub(crate) struct Log<'a> {
    pub(crate) conversation: ConversationId,
    pub(crate) entries: &'a [LogEntry],
    history: &'a History,
    /// The running number of messages and of members at each entry.
    counts: Vec<(u64, u64)>,
    /// The entries that are messages, in order.
    messages: Vec<Seq>,
    states: HashMap<Seq, MessageSoFar>,
    /// For each message that changed: the entries that edited and deleted it.
    edits: HashMap<Seq, Vec<Seq>>,
    deletes: HashMap<Seq, Seq>,
    memberships: HashMap<UserId, Vec<Membership>>,
    roles: HashMap<UserId, Vec<(Seq, MemberRole)>>,
    /// The messages of each author, in order.
    authored: HashMap<UserId, Vec<Seq>>,
    client_ids: HashMap<(UserId, ClientId), Seq>,
    /// The text of each revision of each message, as first seen.
    texts: HashMap<(Seq, u32), TextHash>,
}

impl Before for Log<'_> {
    fn message(&self, seq: Seq) -> Option<MessageSoFar> {
        self.states.get(&seq).copied()
    }

    fn sees(&self, user: UserId, seq: Seq) -> bool {
        self.may_see(user, seq)
    }

    fn is_moderator(&self, user: UserId) -> bool {
        self.history.moderators.contains(&user)
    }
}

impl<'a> Log<'a> {
    pub(crate) fn build(
        conversation: ConversationId,
        entries: &'a [LogEntry],
        history: &'a History,
        violations: &mut Vec<Violation>,
    ) -> Self {
        let mut log = Self {
            conversation,
            entries,
            history,
            counts: Vec::with_capacity(entries.len()),
            messages: Vec::new(),
            states: HashMap::new(),
            edits: HashMap::new(),
            deletes: HashMap::new(),
            memberships: HashMap::new(),
            roles: HashMap::new(),
            authored: HashMap::new(),
            client_ids: HashMap::new(),
            texts: HashMap::new(),
        };
        let mut state = None;
        for (index, entry) in entries.iter().enumerate() {
            let seq = index as Seq + 1;
            if entry.position.seq != seq {
                wrong(violations, ViolationKind::Numbering, || {
                    format!("{conversation}: entry {} stands where {seq} belongs", entry.position.seq)
                });
            }
            match &mut state {
                None => {
                    state = State::begin(&entry.content);
                    if state.is_none() {
                        wrong(violations, ViolationKind::Illegal, || {
                            format!("{conversation}: the log does not begin with its creation")
                        });
                        break;
                    }
                }
                Some(state) => {
                    if let Err(why) = judge(state, &log, &entry.content) {
                        wrong(violations, ViolationKind::Illegal, || {
                            format!("{conversation}:{seq}: {why}: {:?}", entry.content)
                        });
                    }
                    log.index(seq, entry, state, violations);
                    state.apply(&entry.content);
                }
            }
            let counts = state.as_ref().map_or((0, 0), |state| (state.number, state.members.len() as u64));
            log.counts.push(counts);
        }
        log.texts_of_the_log(violations);
        log
    }

    /// `state` is that before the entry.
    fn index(&mut self, seq: Seq, entry: &LogEntry, state: &State, violations: &mut Vec<Violation>) {
        match &entry.content {
            Content::Joined { user, role, .. } => {
                self.roles.entry(*user).or_default().push((seq, *role));
                let whole = state.kind == ConversationKind::Channel || state.founding;
                let surely = state.kind != ConversationKind::Group || *user == state.creator;
                let membership = Membership {
                    first: if whole { 1 } else { seq },
                    surely_from: if whole && surely { 1 } else { seq },
                    joined: seq,
                    left: None,
                };
                self.memberships.entry(*user).or_default().push(membership);
            }
            Content::Left { user, .. } => {
                if let Some(membership) = self.memberships.get_mut(user).and_then(|all| all.last_mut()) {
                    membership.left.get_or_insert(seq);
                }
            }
            Content::Role { user, role, .. } => self.roles.entry(*user).or_default().push((seq, *role)),
            Content::Message(message) => {
                self.messages.push(seq);
                self.authored.entry(message.by).or_default().push(seq);
                let new = MessageSoFar { by: message.by, revision: 0, deleted: false };
                self.states.insert(seq, new);
                self.claim(seq, message.by, message.client_id, violations);
            }
            Content::Edited { target, by, client_id, .. } => {
                self.edits.entry(*target).or_default().push(seq);
                if let Some(message) = self.states.get_mut(target) {
                    message.revision += 1;
                }
                self.claim(seq, *by, *client_id, violations);
            }
            Content::Deleted { target, .. } => {
                self.deletes.entry(*target).or_insert(seq);
                if let Some(message) = self.states.get_mut(target) {
                    message.deleted = true;
                }
            }
            Content::Created { .. }
            | Content::Updated { .. }
            | Content::Banned { .. }
            | Content::Unbanned { .. }
            | Content::Called(_) => {}
        }
    }

    fn claim(&mut self, seq: Seq, by: UserId, id: ClientId, violations: &mut Vec<Violation>) {
        if let Some(first) = self.client_ids.insert((by, id), seq) {
            wrong(violations, ViolationKind::Double, || {
                format!("{}: client id {id} of {by} made the entries {first} and {seq}", self.conversation)
            });
        }
    }

    /// The final log was read at its end: its messages must be as its edits and deletes left them.
    fn texts_of_the_log(&mut self, violations: &mut Vec<Violation>) {
        let head = self.head();
        for (index, entry) in self.entries.iter().enumerate() {
            let seq = index as Seq + 1;
            let right = match &entry.content {
                Content::Message(message) => self.is_state_at(seq, message, head),
                content => self.is_text_of(content),
            };
            if !right {
                wrong(violations, ViolationKind::Differs, || {
                    format!("{}:{seq}: not what its edits and deletes make of it", self.conversation)
                });
            }
        }
    }

    pub(crate) fn head(&self) -> Seq {
        self.entries.len() as Seq
    }

    pub(crate) fn entry(&self, seq: Seq) -> Option<&'a LogEntry> {
        self.entries.get(usize::try_from(seq.checked_sub(1)?).ok()?)
    }

    /// The running number of messages at an entry.
    pub(crate) fn number_at(&self, seq: Seq) -> u64 {
        self.count_at(seq).0
    }

    /// How many members there were after an entry.
    pub(crate) fn members_at(&self, seq: Seq) -> u64 {
        self.count_at(seq).1
    }

    fn count_at(&self, seq: Seq) -> (u64, u64) {
        let index = seq.min(self.counts.len() as Seq);
        index.checked_sub(1).map_or((0, 0), |index| self.counts[index as usize])
    }

    pub(crate) fn memberships(&self, user: UserId) -> &[Membership] {
        self.memberships.get(&user).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn is_member_at(&self, user: UserId, seq: Seq) -> bool {
        self.memberships(user).iter().any(|membership| membership.lasts_at(seq))
    }

    /// The role of a member after an entry.
    pub(crate) fn role_at(&self, user: UserId, seq: Seq) -> Option<MemberRole> {
        let roles = self.roles.get(&user)?;
        let after = roles.partition_point(|(at, _)| *at <= seq);
        Some(roles[after.checked_sub(1)?].1)
    }

    /// An edit is seen by who sees the message.
    pub(crate) fn may_see(&self, user: UserId, seq: Seq) -> bool {
        self.and_what_it_is_about(seq)
            .all(|seq| self.memberships(user).iter().any(|m| m.first <= seq && seq <= m.last()))
    }

    pub(crate) fn surely_sees(&self, user: UserId, seq: Seq) -> bool {
        let memberships = self.memberships(user);
        self.and_what_it_is_about(seq).all(|seq| memberships.iter().any(|m| m.surely_from <= seq && seq <= m.last()))
    }

    fn and_what_it_is_about(&self, seq: Seq) -> impl Iterator<Item = Seq> {
        let target = match self.entry(seq).map(|entry| &entry.content) {
            Some(Content::Edited { target, .. }) => Some(*target),
            _ => None,
        };
        std::iter::once(seq).chain(target)
    }

    /// Whether a message lies in this range that the user sees.
    pub(crate) fn sees_message_in(&self, user: UserId, first: Seq, last: Seq) -> bool {
        self.memberships(user).iter().any(|m| {
            let (first, last) = (m.first.max(first), m.last().min(last));
            first <= last && self.messages_in(first, last) > 0
        })
    }

    fn messages_in(&self, first: Seq, last: Seq) -> u64 {
        let last = last.min(self.head());
        self.number_at(last).saturating_sub(self.number_at(first.saturating_sub(1)))
    }

    /// The running number of a user's own messages at an entry.
    pub(crate) fn own_number_at(&self, user: UserId, seq: Seq) -> u64 {
        self.authored.get(&user).map_or(0, |own| own.partition_point(|at| *at <= seq) as u64)
    }

    /// How many messages of others lie in this range.
    pub(crate) fn messages_of_others_in(&self, user: UserId, first: Seq, last: Seq) -> u64 {
        let before = first.saturating_sub(1);
        let own = self.own_number_at(user, last).saturating_sub(self.own_number_at(user, before));
        self.messages_in(first, last).saturating_sub(own)
    }

    /// The last message up to an entry.
    pub(crate) fn last_message_at(&self, seq: Seq) -> Option<Seq> {
        let count = usize::try_from(self.number_at(seq)).ok()?;
        self.messages.get(count.checked_sub(1)?).copied()
    }

    pub(crate) fn by_client_id(&self, user: UserId, id: ClientId) -> Option<Seq> {
        self.client_ids.get(&(user, id)).copied()
    }

    pub(crate) fn is_deleted_at(&self, target: Seq, seq: Seq) -> bool {
        self.deletes.get(&target).is_some_and(|at| *at <= seq)
    }

    /// Whether the message, as somebody read it as of `head`, is as the log says.
    pub(crate) fn is_state_at(&mut self, seq: Seq, read: &MessageState, head: Seq) -> bool {
        let edits = self.edits.get(&seq).map_or(0, |edits| edits.partition_point(|at| *at <= head));
        read.revision as usize == edits && read.deleted == self.is_deleted_at(seq, head) && self.is_state_of(seq, read)
    }

    /// Whether the message, as somebody read it at some time, can be as the log says.
    pub(crate) fn is_state_of(&mut self, seq: Seq, read: &MessageState) -> bool {
        let Some(Content::Message(message)) = self.entry(seq).map(|entry| &entry.content) else { return false };
        let edits = self.edits.get(&seq).map_or(0, Vec::len);
        message.is_same_message(read)
            && read.revision as usize <= edits
            && if read.deleted {
                self.deletes.contains_key(&seq) && read.text == TextHash::of("")
            } else {
                self.is_text(seq, read.revision, read.text)
            }
    }

    /// Whether the text of an edit, as somebody read it at some time, can be as the log says; true for anything else.
    pub(crate) fn is_text_of(&mut self, content: &Content) -> bool {
        let Content::Edited { target, text, revision, .. } = content else { return true };
        let emptied = self.deletes.contains_key(target) && *text == TextHash::of("");
        emptied || self.is_text(*target, *revision, *text)
    }

    /// Whether this is the text of a revision; the first who asks says it.
    pub(crate) fn is_text(&mut self, seq: Seq, revision: u32, text: TextHash) -> bool {
        *self.texts.entry((seq, revision)).or_insert(text) == text
    }
}
