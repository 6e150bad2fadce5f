//! A chat without faults, in memory and on virtual time: what it records must be accepted.

use std::collections::{BTreeMap, HashMap};

use protocol::chat::{ConversationKind, Leaving, ListMessages, MemberRole, ReadMarker};
use protocol::{ClientId, ConversationId, ErrorCode, Position, Seq, StreamId, Tag, UserId};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use crate::history::content::{Content, LogEntry, MessageState, TextHash};
use crate::history::fact::{
    Device, Fact, ListFact, MarkAsked, MarkerFact, Operation, Outcome, PageFact, Seen, SummaryFact, Time, Verb,
};
use crate::history::{History, log::Log};

pub(crate) fn user(number: usize) -> UserId {
    UserId(Uuid::from_u128(0xA0 + number as u128))
}

pub(crate) fn conversation(number: usize) -> ConversationId {
    ConversationId(Uuid::from_u128(0xC0 + number as u128))
}

pub(crate) struct Model {
    rng: StdRng,
    now: Time,
    pub(crate) logs: BTreeMap<ConversationId, Vec<LogEntry>>,
    devices: Vec<Device>,
    /// When each fact became known to its device.
    times: Vec<Vec<Time>>,
    heard: HashMap<(usize, ConversationId), Seq>,
    markers: HashMap<(UserId, ConversationId), ReadMarker>,
    ids: u128,
}

impl Model {
    /// Users 0 to n-1, each with one device.
    pub(crate) fn new(seed: u64, users: usize) -> Self {
        let device =
            |number| Device { user: user(number), name: format!("device {number}"), facts: Vec::new(), in_step: false };
        Self {
            rng: StdRng::seed_from_u64(seed),
            now: 1_000,
            logs: BTreeMap::new(),
            devices: (0..users).map(device).collect(),
            times: vec![Vec::new(); users],
            heard: HashMap::new(),
            markers: HashMap::new(),
            ids: 1,
        }
    }

    fn record(&mut self, device: usize, at: Time, fact: Fact) {
        self.times[device].push(at);
        self.devices[device].facts.push(fact);
    }

    fn append(&mut self, at: ConversationId, content: Content) -> Position {
        let log = self.logs.entry(at).or_default();
        let position = Position { seq: log.len() as Seq + 1, tag: Tag(self.rng.random()) };
        log.push(LogEntry { position, at: self.now, content });
        position
    }

    /// Asked for a while ago, answered in a while: operations overlap.
    fn span(&mut self) -> (Time, Time) {
        self.now += self.rng.random_range(1..10);
        let began = self.now - self.rng.random_range(0..30);
        let ended = self.now + self.rng.random_range(0..30);
        (began, ended)
    }

    fn id(&mut self) -> ClientId {
        self.ids += 1;
        ClientId(Uuid::from_u128(self.ids))
    }

    /// Does it if the rules allow it, and records the answer.
    pub(crate) fn did(&mut self, device: usize, at: ConversationId, verb: Verb, contents: Vec<Content>) -> Position {
        let (began, ended) = self.span();
        let mut position = self.head(at);
        for content in contents {
            if let Content::Joined { user, .. } = &content {
                let marker = self.log(at, |log| marker(log, *user, log.head()));
                self.markers.insert((*user, at), ReadMarker { seq: position.seq + 1, ..marker });
            }
            position = self.append(at, content);
        }
        let outcome = if self.rng.random_range(0..10) == 0 { Outcome::Unknown } else { Outcome::Done(position) };
        self.record(device, ended, Fact::Did(Operation { began, ended, conversation: at, verb, outcome }));
        position
    }

    fn refused(&mut self, device: usize, at: ConversationId, verb: Verb, code: ErrorCode) {
        let (began, ended) = self.span();
        let outcome = Outcome::Refused(code);
        self.record(device, ended, Fact::Did(Operation { began, ended, conversation: at, verb, outcome }));
    }

    pub(crate) fn create(&mut self, device: usize, at: ConversationId, kind: ConversationKind, others: &[usize]) {
        let by = user(device);
        let mut contents = vec![Content::Created { kind, title: None, by }];
        let role = if kind == ConversationKind::Direct { MemberRole::Member } else { MemberRole::Owner };
        contents.push(Content::Joined { user: by, role, by });
        let joined = |other: &usize| Content::Joined { user: user(*other), role: MemberRole::Member, by };
        contents.extend(others.iter().map(joined));
        self.did(device, at, Verb::Create, contents);
    }

    pub(crate) fn send(&mut self, device: usize, at: ConversationId, text: &str) -> Seq {
        let by = user(device);
        let client_id = self.id();
        let text = TextHash::of(text);
        let verb = Verb::Send { client_id, text, reply_to: None };
        if !self.is_member(by, at) {
            self.refused(device, at, verb, ErrorCode::NotFound);
            return 0;
        }
        let number = self.log(at, |log| log.number_at(Seq::MAX)) + 1;
        let at_ms = self.now;
        let message =
            MessageState { number, by, client_id, reply_to: None, at: at_ms, revision: 0, deleted: false, text };
        let caught_up = self.unread(by, at) == 0;
        let position = self.did(device, at, verb, vec![Content::Message(message)]);
        if caught_up {
            let marker = self.log(at, |log| marker(log, by, position.seq));
            self.markers.insert((by, at), marker);
        }
        position.seq
    }

    pub(crate) fn edit(&mut self, device: usize, at: ConversationId, target: Seq, text: &str) {
        let Some(message) = self.message(at, target).filter(|m| m.by == user(device) && !m.deleted) else { return };
        let client_id = self.id();
        let text = TextHash::of(text);
        let verb = Verb::Edit { client_id, target, text };
        if !self.is_member(message.by, at) {
            return self.refused(device, at, verb, ErrorCode::NotFound);
        }
        let revision = message.revision + 1;
        let edited = Content::Edited { target, text, revision, by: message.by, client_id };
        self.did(device, at, verb, vec![edited]);
        self.change(at, target, |message| {
            message.revision = revision;
            message.text = text;
        });
    }

    pub(crate) fn delete(&mut self, device: usize, at: ConversationId, target: Seq) {
        let by = user(device);
        let allowed = self.message(at, target).is_some_and(|m| m.by == by) && self.is_member(by, at);
        if !allowed {
            return;
        }
        let deleted = self.message(at, target).is_some_and(|m| m.deleted);
        let contents = if deleted { Vec::new() } else { vec![Content::Deleted { target, by }] };
        self.did(device, at, Verb::Delete { target }, contents);
        let empty = TextHash::of("");
        self.change(at, target, |message| {
            message.deleted = true;
            message.text = empty;
        });
        for entry in self.logs.get_mut(&at).unwrap() {
            if let Content::Edited { target: of, text, .. } = &mut entry.content
                && *of == target
            {
                *text = empty;
            }
        }
    }

    pub(crate) fn remove(&mut self, device: usize, at: ConversationId, whom: usize, how: Leaving) {
        let (by, user) = (user(device), user(whom));
        let verb = match how {
            Leaving::Left => Verb::Leave,
            Leaving::Kicked => Verb::Kick { user },
            Leaving::Banned => Verb::Ban { user },
        };
        self.did(device, at, verb, vec![Content::Left { user, how, by }]);
    }

    pub(crate) fn join(&mut self, device: usize, at: ConversationId) {
        let by = user(device);
        let role = MemberRole::Member;
        let contents = match self.is_member(by, at) {
            true => Vec::new(),
            false => vec![Content::Joined { user: by, role, by }],
        };
        self.did(device, at, Verb::Join, contents);
    }

    pub(crate) fn invite(&mut self, device: usize, at: ConversationId, whom: usize) {
        let (by, user) = (user(device), user(whom));
        let joined = Content::Joined { user, role: MemberRole::Member, by };
        self.did(device, at, Verb::Invite { users: vec![user] }, vec![joined]);
    }

    pub(crate) fn mark(&mut self, device: usize, at: ConversationId) {
        let by = user(device);
        let (began, ended) = self.span();
        let head = self.head(at).seq;
        let known = self.markers[&(by, at)];
        let asked = self.rng.random_range(known.seq..=head);
        self.record(device, began, Fact::Marks(MarkAsked { began, conversation: at, seq: asked }));
        let marker = self.log(at, |log| marker(log, by, asked));
        self.markers.insert((by, at), marker);
        let unread = self.unread(by, at);
        let asked = Some(asked);
        let fact = MarkerFact { began, ended, conversation: at, asked, marker, unread: Some(unread) };
        self.record(device, ended, Fact::Marker(fact));
    }

    pub(crate) fn page(&mut self, device: usize, at: ConversationId, request: ListMessages) {
        let (began, ended) = self.span();
        let reader = user(device);
        let head = self.head(at);
        let visible: Vec<_> = self.logs[&at]
            .iter()
            .filter_map(|entry| match &entry.content {
                Content::Message(message) => Some((entry.position.seq, message.clone())),
                _ => None,
            })
            .filter(|(seq, _)| self.log(at, |log| log.may_see(reader, *seq)))
            .collect();
        let limit = request.limit.unwrap_or(50) as usize;
        let (first, last) = match request {
            ListMessages { after: Some(after), .. } => {
                let first = visible.partition_point(|(seq, _)| *seq <= after);
                (first, (first + limit).min(visible.len()))
            }
            ListMessages { before, .. } => {
                let last = before.map_or(visible.len(), |before| visible.partition_point(|(seq, _)| *seq < before));
                (last.saturating_sub(limit), last)
            }
        };
        let fact = PageFact {
            began,
            ended,
            conversation: at,
            request,
            more_before: first > 0,
            more_after: last < visible.len(),
            messages: visible[first..last].to_vec(),
            head,
        };
        self.record(device, ended, Fact::Page(fact));
    }

    pub(crate) fn summary(&mut self, device: usize, at: ConversationId) {
        let (began, ended) = self.span();
        let reader = user(device);
        let head = self.head(at);
        let read = self.markers[&(reader, at)];
        let last = self.log(at, |log| log.last_message_at(head.seq).filter(|seq| log.may_see(reader, *seq)));
        let fact = SummaryFact {
            began,
            ended,
            conversation: at,
            head,
            role: self.log(at, |log| log.role_at(reader, head.seq).unwrap()),
            members: self.log(at, |log| log.members_at(head.seq)),
            read,
            own_number: self.log(at, |log| log.own_number_at(reader, head.seq)),
            unread: self.unread(reader, at),
            last_message: last.map(|seq| (seq, self.message(at, seq).unwrap())),
        };
        self.record(device, ended, Fact::Summary(fact));
    }

    pub(crate) fn list(&mut self, device: usize) {
        let (began, ended) = self.span();
        let all: Vec<_> = self.logs.keys().copied().collect();
        let conversations = all.into_iter().filter(|at| self.is_member(user(device), *at)).collect();
        self.record(device, ended, Fact::List(ListFact { began, ended, conversations }));
    }

    /// The device hears at most so many entries of a conversation.
    pub(crate) fn hear(&mut self, device: usize, at: ConversationId, most: usize) {
        let listener = user(device);
        let stream = StreamId::conversation(at);
        for _ in 0..most {
            self.now += 1;
            let next = self.heard.get(&(device, at)).map(|heard| heard + 1);
            let head = self.head(at).seq;
            let seq = self.log(at, |log| {
                let memberships = log.memberships(listener);
                match next {
                    None => memberships.first().map(|membership| membership.joined),
                    Some(next) if memberships.iter().any(|m| m.joined <= next && next <= m.last()) => Some(next),
                    Some(next) => memberships.iter().map(|m| m.joined).find(|joined| *joined > next),
                }
            });
            let Some(seq) = seq.filter(|seq| *seq <= head) else { return };
            // Of a synced membership, what lies between is told as withheld.
            let between = next.filter(|next| *next < seq && self.rng.random());
            if let Some(first) = between
                && !self.log(at, |log| (first..seq).any(|seq| log.may_see(listener, seq)))
            {
                let last = self.logs[&at][seq as usize - 2].position;
                self.heard.insert((device, at), last.seq);
                let seen = Seen::Withheld { stream, first, last };
                self.record(device, self.now, Fact::Heard { at: self.now, seen });
            }
            let LogEntry { position, content, .. } = self.logs[&at][seq as usize - 1].clone();
            self.heard.insert((device, at), seq);
            let seen = match self.log(at, |log| log.may_see(listener, seq)) {
                true => Seen::Entry { stream, position, content: Some(content), body: TextHash::of("") },
                // An edit of a message from before their time.
                false => Seen::Withheld { stream, first: seq, last: position },
            };
            self.record(device, self.now, Fact::Heard { at: self.now, seen });
        }
    }

    /// Everybody hears everything; what was recorded is put in the order in which it became known.
    pub(crate) fn finish(mut self) -> History {
        self.now += 1_000;
        let all: Vec<_> = self.logs.keys().copied().collect();
        for device in 0..self.devices.len() {
            for at in &all {
                self.hear(device, *at, usize::MAX);
            }
            self.devices[device].in_step = true;
        }
        for (device, times) in self.devices.iter_mut().zip(&self.times) {
            let mut facts: Vec<_> = times.iter().copied().zip(std::mem::take(&mut device.facts)).collect();
            facts.sort_by_key(|(at, _)| *at);
            device.facts = facts.into_iter().map(|(_, fact)| fact).collect();
        }
        History { devices: self.devices, logs: self.logs, ..History::default() }
    }

    pub(crate) fn head(&self, at: ConversationId) -> Position {
        self.logs.get(&at).and_then(|log| log.last()).map_or(Position::default(), |entry| entry.position)
    }

    fn unread(&self, user: UserId, at: ConversationId) -> u64 {
        let read = self.markers[&(user, at)].seq;
        self.log(at, |log| log.messages_of_others_in(user, read + 1, log.head()))
    }

    pub(crate) fn is_member(&self, user: UserId, at: ConversationId) -> bool {
        self.log(at, |log| log.is_member_at(user, log.head()))
    }

    pub(crate) fn message(&self, at: ConversationId, seq: Seq) -> Option<MessageState> {
        match &self.logs.get(&at)?.get(usize::try_from(seq.checked_sub(1)?).ok()?)?.content {
            Content::Message(message) => Some(message.clone()),
            _ => None,
        }
    }

    fn change(&mut self, at: ConversationId, seq: Seq, change: impl FnOnce(&mut MessageState)) {
        if let Content::Message(message) = &mut self.logs.get_mut(&at).unwrap()[seq as usize - 1].content {
            change(message);
        }
    }

    /// Asks the log as it stands.
    fn log<T>(&self, at: ConversationId, ask: impl FnOnce(&Log<'_>) -> T) -> T {
        let history = History::default();
        let entries = self.logs.get(&at).map_or(&[][..], Vec::as_slice);
        ask(&Log::build(at, entries, &history, &mut Vec::new()))
    }
}

/// A user's marker at an entry.
fn marker(log: &Log<'_>, user: UserId, seq: Seq) -> ReadMarker {
    ReadMarker { seq, number: log.number_at(seq), own_number: log.own_number_at(user, seq) }
}
