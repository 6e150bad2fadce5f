//! Logs in memory, and who may see what of the one conversation among them: what stands where the chat service stands.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use link::{
    Audience, Call, Change, Effect, Event, Head, Hints, Identity, Item, Page, Publisher, ReadRequest, Reader, Refusal,
    Reply, Service, Standing, Subscriptions,
};
use parking_lot::Mutex;
use protocol::{ConversationId, Epoch, ErrorCode, Position, Seq, ServiceName, StreamId, Tag, UserId};
use uuid::Uuid;

pub(super) fn user(number: usize) -> UserId {
    UserId(Uuid::from_u128(number as u128 + 1))
}

pub(super) fn room() -> StreamId {
    StreamId::conversation(ConversationId(Uuid::from_u128(77)))
}

/// A membership: from which entry on, and to which one.
pub(super) type Span = (Seq, Option<Seq>);

/// The logs, and who may see what of the one conversation.
pub(super) struct Logs {
    pub(super) publisher: Publisher,
    pub(super) logs: Mutex<HashMap<StreamId, Vec<Arc<Event>>>>,
    pub(super) memberships: Mutex<HashMap<UserId, Vec<Span>>>,
    /// Which entry of the conversation one must see to see this one.
    about: Mutex<HashMap<Seq, Seq>>,
    /// The next one who watches hears nothing, and no error either.
    pub(super) silent: AtomicBool,
}

impl Logs {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            publisher: Publisher::new(4),
            logs: Mutex::default(),
            memberships: Mutex::default(),
            about: Mutex::default(),
            silent: AtomicBool::new(false),
        })
    }

    pub(super) fn append(&self, stream: StreamId, effects: Vec<Effect>) -> Arc<Event> {
        self.append_for(stream, effects, false)
    }

    /// An entry of the conversation that only they see who see entry `target`.
    pub(super) fn append_about(&self, target: Seq) -> Arc<Event> {
        let present = |(from, to): &Span| to.is_none() && *from > target;
        let by_rights = self.memberships.lock().values().filter_map(|spans| spans.last()).any(present);
        let event = self.append_for(room(), Vec::new(), by_rights);
        self.about.lock().insert(event.position().map_or(0, |(_, at)| at.seq), target);
        event
    }

    fn append_for(&self, stream: StreamId, effects: Vec<Effect>, by_rights: bool) -> Arc<Event> {
        let mut logs = self.logs.lock();
        let log = logs.entry(stream).or_default();
        let seq = log.len() as Seq + 1;
        let event = Arc::new(Event {
            identity: Identity::Entry { stream, seq, tag: Tag(seq as u32) },
            audience: Audience::Stream(stream),
            name: Cow::Borrowed("test"),
            at: 0,
            body: Bytes::from_static(b"{}"),
            by_rights,
            effects: effects.into(),
        });
        log.push(Arc::clone(&event));
        event
    }

    pub(super) fn head(&self, stream: StreamId) -> Position {
        let seq = self.logs.lock().get(&stream).map_or(0, |log| log.len() as Seq);
        Position { seq, tag: Tag(seq as u32) }
    }

    pub(super) fn is_member(&self, user: UserId) -> bool {
        let memberships = self.memberships.lock();
        memberships.get(&user).and_then(|spans| spans.last()).is_some_and(|(_, to)| to.is_none())
    }

    /// Whether the user was a member, and sees what the entry is about.
    pub(super) fn sees(&self, user: UserId, seq: Seq) -> bool {
        let target = self.about.lock().get(&seq).copied();
        self.was_in(user, seq) && target.is_none_or(|target| self.was_in(user, target))
    }

    fn was_in(&self, user: UserId, seq: Seq) -> bool {
        let memberships = self.memberships.lock();
        let spans = memberships.get(&user).map_or(&[] as &[_], Vec::as_slice);
        spans.iter().any(|(from, to)| *from <= seq && to.is_none_or(|to| seq <= to))
    }

    /// Somebody comes or goes: an entry of the conversation and one of their own log.
    pub(super) fn change(&self, user: UserId, change: Change) -> Vec<Arc<Event>> {
        let seq = self.head(room()).seq + 1;
        let effect = Effect { stream: room(), user, change, at: Position { seq, tag: Tag(seq as u32) } };
        let mut memberships = self.memberships.lock();
        let spans = memberships.entry(user).or_default();
        match change {
            Change::Joined => spans.push((seq, None)),
            Change::Left => spans.last_mut().unwrap().1 = Some(seq),
        }
        vec![self.append(room(), vec![effect]), self.append(StreamId::user(user), vec![effect])]
    }
}

#[async_trait::async_trait]
impl Service for Logs {
    fn name(&self) -> ServiceName {
        ServiceName::Chat
    }

    async fn execute(&self, _call: Call) -> Reply {
        Refusal::of(ErrorCode::Unsupported).into()
    }

    async fn watch(&self) -> Result<Hints, Refusal> {
        if self.silent.swap(false, Ordering::Relaxed) {
            return Ok(Box::pin(futures_util::stream::pending()));
        }
        Ok(self.publisher.watch())
    }

    async fn subscriptions(&self, user: UserId) -> Result<Subscriptions, Refusal> {
        let mut streams = vec![StreamId::user(user)];
        streams.extend(self.is_member(user).then(room));
        let heads = self.heads(streams.clone()).await?;
        let of =
            |stream| heads.iter().find(|head| head.stream == stream).map_or(Position::default(), |head| head.position);
        let heads = streams.into_iter().map(|stream| Head { stream, position: of(stream) }).collect();
        Ok(Subscriptions { epoch: Epoch(Uuid::nil()), heads })
    }

    async fn heads(&self, streams: Vec<StreamId>) -> Result<Vec<Head>, Refusal> {
        let known = streams.into_iter().map(|stream| Head { stream, position: self.head(stream) });
        Ok(known.filter(|head| head.position.seq > 0).collect())
    }

    async fn read(&self, request: ReadRequest) -> Result<Page, Refusal> {
        let mut head = self.head(request.stream);
        let last = head.seq.min(request.after + 3);
        let mut items = Vec::new();
        let logs = self.logs.lock();
        for seq in request.after + 1..=last {
            let visible = match request.reader {
                Reader::User(user) if request.stream == room() => self.sees(user, seq),
                Reader::User(_) | Reader::System => true,
            };
            let event = &logs[&request.stream][seq as usize - 1];
            items.push(match visible {
                true => Item::Entry((**event).clone()),
                false => Item::Withheld { first: seq, last: Position { seq, tag: Tag(seq as u32) } },
            });
        }
        let mut standing = Standing::Member;
        if let Reader::User(user) = request.reader
            && request.stream == room()
            && !self.is_member(user)
        {
            // Who is gone sees the log end where they left.
            let memberships = self.memberships.lock();
            let end = memberships.get(&user).and_then(|spans| spans.last()).and_then(|(_, to)| *to).unwrap_or(0);
            head = Position { seq: end, tag: Tag(end as u32) };
            items.retain(|item| match item {
                Item::Entry(_) => true,
                Item::Withheld { last, .. } => last.seq <= end,
            });
            if last >= end {
                standing = Standing::Gone;
            }
        }
        Ok(Page { items, head, standing })
    }
}
