//! An entry's turn: who comes hears it first, everyone subscribed hears it, who goes hears it last.

use std::borrow::Borrow;
use std::sync::Arc;

use link::{Audience, Change, Effect, Event, Identity};
use protocol::{Position, Seq, StreamId};

use super::Hub;
use super::stream::{Arrival, Shard, Stream};
use crate::codec::{Told, fit_block};
use crate::session::Kind;

impl Hub {
    /// Something happened, say hints, in this order.
    ///
    /// Entries that follow one another in one stream are handed to each connection as one block: a burst costs it one wake and
    /// one write. An entry that changes an audience, or that not all of it may see, stands alone.
    pub(crate) fn hints(&self, events: &[Arc<Event>]) {
        let mut rest = events;
        while let Some(first) = rest.first() {
            let (run, after) = rest.split_at(run_of(rest));
            rest = after;
            match &first.identity {
                Identity::Entry { stream, .. } => self.entries(*stream, run),
                Identity::Register { .. } => self.tell(first, Kind::Register),
                Identity::Ephemeral { until } => self.tell(first, Kind::Ephemeral(*until)),
            }
        }
    }

    fn entries(&self, id: StreamId, mut run: &[Arc<Event>]) {
        let mut elsewhere = Vec::new();
        let mut shard = self.shard(id);
        let Some(stream) = shard.streams.get_mut(&id) else {
            return;
        };
        while let Some(event) = run.first() {
            let seq = event.position().map_or(0, |(_, at)| at.seq);
            let taken = match stream.arrival(seq) {
                Arrival::Old => 1,
                Arrival::Next => {
                    let taken = fit_block(&run[..in_sequence(run, seq)]);
                    self.advance(id, stream, &run[..taken], &mut elsewhere);
                    self.catch_up(id, stream, &mut elsewhere);
                    taken
                }
                Arrival::Early => {
                    stream.wait(seq, Arc::clone(event));
                    self.fill_soon(id, stream);
                    1
                }
            };
            run = &run[taken..];
        }
        release(&mut shard, id);
        drop(shard);
        self.apply(&elsewhere);
    }

    /// Delivers what waited and has its turn now.
    pub(super) fn catch_up(&self, id: StreamId, stream: &mut Stream, elsewhere: &mut Vec<Effect>) {
        while let Some(event) = stream.take_next() {
            self.advance(id, stream, &[event], elsewhere);
        }
    }

    /// Delivers the entries after the cursor: one, or several plain ones. Effects on other streams are handed back: their shards
    /// can't be locked here.
    pub(super) fn advance<E: Borrow<Event>>(
        &self,
        id: StreamId,
        stream: &mut Stream,
        run: &[E],
        elsewhere: &mut Vec<Effect>,
    ) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            return;
        };
        let (Some((_, start)), Some((_, position))) = (first.borrow().position(), last.borrow().position()) else {
            return;
        };
        let effects = &first.borrow().effects;
        for effect in effects.iter() {
            if effect.stream != id {
                elsewhere.push(*effect);
            } else if effect.change == Change::Joined {
                for conn in self.users.of(effect.user) {
                    conn.with(|session| session.joined(id, start.seq));
                    stream.subscribe(id, &conn);
                }
            }
        }
        if first.borrow().by_rights {
            for conn in &stream.subscribers {
                conn.with(|session| session.pass_over(id, start.seq));
            }
        } else {
            let entries = Told::all(run);
            for conn in &stream.subscribers {
                conn.with(|session| session.deliver(id, start.seq, &entries));
            }
        }
        for effect in effects.iter() {
            if effect.stream == id && effect.change == Change::Left {
                for conn in self.users.of(effect.user) {
                    conn.with(|session| {
                        session.left(id, start.seq);
                        true
                    });
                    stream.unsubscribe(id, &conn);
                }
            }
        }
        stream.cursor = position;
        stream.newest = stream.newest.max(position.seq);
    }

    /// Effects that a user's log tells of other streams.
    pub(super) fn apply(&self, effects: &[Effect]) {
        for effect in effects {
            let mut shard = self.shard(effect.stream);
            match shard.streams.get_mut(&effect.stream) {
                Some(stream) => {
                    if effect.change == Change::Joined {
                        self.rejoin(stream, effect);
                    }
                    if effect.at.seq > stream.cursor.seq {
                        stream.newest = stream.newest.max(effect.at.seq);
                        self.fill_soon(effect.stream, stream);
                    }
                }
                None if effect.change == Change::Joined => self.follow_joined(&mut shard, effect),
                None => {}
            }
        }
    }

    /// Somebody came into a stream that is followed here. Its own log tells that too, unless it was not followed yet at that entry;
    /// and whether they are still there only the log knows.
    fn rejoin(&self, stream: &mut Stream, effect: &Effect) {
        for conn in self.users.of(effect.user) {
            if stream.subscribe(effect.stream, &conn) {
                conn.with(|session| {
                    session.note_unproven(effect.stream, effect.at.seq);
                    true
                });
            }
        }
    }

    /// Somebody here came into a stream that nobody here heard.
    fn follow_joined(&self, shard: &mut Shard, effect: &Effect) {
        let conns = self.users.of(effect.user);
        if conns.is_empty() {
            return;
        }
        let mut stream = Stream::at(effect.at);
        for conn in &conns {
            conn.with(|session| session.joined(effect.stream, effect.at.seq));
            if stream.subscribe(effect.stream, conn) {
                conn.with(|session| {
                    session.note(effect.stream, effect.at.seq);
                    true
                });
            }
        }
        // What came after that entry was not heard here: read on from it.
        self.fill_soon(effect.stream, &mut stream);
        shard.streams.insert(effect.stream, stream);
    }

    fn tell(&self, event: &Arc<Event>, kind: Kind) {
        let told = Told::one(event);
        match &event.audience {
            Audience::Users(users) => {
                for user in users.iter() {
                    self.users.each_of(*user, |conn| conn.with(|session| session.tell(&told, kind)));
                }
            }
            Audience::Stream(id) => {
                if let Some(stream) = self.shard(*id).streams.get(id) {
                    for conn in &stream.subscribers {
                        conn.with(|session| session.tell(&told, kind));
                    }
                }
            }
        }
    }

    /// The log's head is known to be here.
    pub(crate) fn head(&self, id: StreamId, head: Position) {
        let mut shard = self.shard(id);
        let Some(stream) = shard.streams.get_mut(&id) else {
            return;
        };
        if head.seq > stream.cursor.seq {
            stream.newest = stream.newest.max(head.seq);
            self.fill_soon(id, stream);
        } else if head.seq == stream.cursor.seq && head.tag != stream.cursor.tag {
            drop(shard);
            self.lose(id);
        }
    }
}

/// How many of these events can be handed on together: entries of one stream that change no audience and are for all of it.
fn run_of(events: &[Arc<Event>]) -> usize {
    let is_plain = |event: &Event| event.effects.is_empty() && !event.by_rights;
    let plain = |event: &Event| event.position().filter(|_| is_plain(event)).map(|(stream, _)| stream);
    let stream = events.first().and_then(|event| plain(event));
    let same = events.iter().take_while(|event| stream.is_some() && plain(event) == stream);
    same.count().max(1)
}

/// How many of these entries, the first of which is `first`, leave no gap.
fn in_sequence(run: &[Arc<Event>], first: Seq) -> usize {
    let follows = |(event, seq): &(&Arc<Event>, Seq)| event.position().is_some_and(|(_, at)| at.seq == *seq);
    run.iter().zip(first..).take_while(follows).count()
}

/// A stream that nobody hears any more is not followed.
pub(super) fn release(shard: &mut Shard, id: StreamId) {
    let unheard = |stream: &Stream| stream.subscribers.is_empty() && !stream.filling;
    if shard.streams.get(&id).is_some_and(unheard) {
        shard.streams.remove(&id);
    }
}
