//! Sessions on virtual time, against a log that grows, a hub that may be late, and a client that reads and acknowledges as it likes.

mod outside;
mod runs;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use link::{Audience, Event, Head, Identity, Item, Page, Standing};
use proptest::prelude::*;
use protocol::frames::{ServerFrame, StreamPosition};
use protocol::limits::{DEAD_AFTER_MS, EXPIRY_NOTICE_MS, RESUME_WINDOW_MS};
use protocol::{CloseCode, Position, Seq, StreamId, Tag, UserId};

use super::*;
use crate::clock::Now;
use crate::codec::{Codec, Frames, Told};

const STREAMS: usize = 3;
const TOKEN: Token = Token { made_at: 0, expires_at: 1_000_000_000 };

fn stream(number: usize) -> StreamId {
    StreamId::user(UserId(uuid::Uuid::from_u128(number as u128 + 1)))
}

fn entry(stream: StreamId, seq: Seq) -> Event {
    Event {
        identity: Identity::Entry { stream, seq, tag: Tag(seq as u32) },
        audience: Audience::Stream(stream),
        name: Cow::Borrowed("test"),
        at: 0,
        body: Bytes::from(format!(r#"{{"text":"{}"}}"#, "x".repeat(100))),
        by_rights: false,
        effects: Arc::from([]),
    }
}

fn run(stream: StreamId, first: Seq, last: Seq) -> Vec<Event> {
    (first..=last).map(|seq| entry(stream, seq)).collect()
}

/// The entries that wait for the client, in the order in which it will hear them.
fn heard(session: &mut Session) -> Vec<Seq> {
    let mut seqs = Vec::new();
    while let Some(queued) = session.pop() {
        for text in queued.frames.texts() {
            let frame: ServerFrame<'_> = serde_json::from_str(text).unwrap();
            seqs.extend(frame.from.map(|from| from.seq));
        }
    }
    seqs
}

fn at(seq: Seq) -> Position {
    Position { seq, tag: Tag(seq as u32) }
}

fn settings(queue_bytes: usize) -> Settings {
    Settings { queue_bytes, slow_after_ms: 10_000, unacked_max: 20, budget: Budget::new(usize::MAX) }
}

fn frame(session: &Session) -> Frames {
    session.codec().pong()
}

fn fresh(settings: &Settings) -> Session {
    Session::new(settings, Codec::Json, stream(0), TOKEN, Now::default())
}

/// A welcomed session whose client knows nothing.
fn open(settings: &Settings, heads: [Seq; STREAMS]) -> Session {
    let mut session = fresh(settings);
    let welcome = frame(&session);
    let heads = heads.iter().enumerate();
    session.welcome(heads.map(|(n, seq)| Head { stream: stream(n), position: at(*seq) }).collect(), welcome);
    session.synced();
    session
}

/// The world around a session: logs, the hub's cursors, and the client.
struct World {
    settings: Settings,
    session: Session,
    log: [Seq; STREAMS],
    cursor: [Seq; STREAMS],
    client: HashMap<StreamId, Seq>,
    acknowledged: HashMap<StreamId, Seq>,
    /// A page that was read and not handed over yet.
    page: Option<(StreamId, Seq, Page)>,
    live: bool,
}

#[derive(Clone, Debug)]
enum Step {
    Commit(usize, u64),
    /// The hub hands over a run of at most so many entries.
    Deliver(usize, u64),
    ClientReads(usize),
    /// The client acknowledges all it has but so many entries.
    ClientAcknowledges(u64),
    Read,
    HandOver,
    Drop,
}

impl World {
    fn new(queue_bytes: usize) -> Self {
        let settings = settings(queue_bytes);
        let mut session = open(&settings, [0; STREAMS]);
        for number in 0..STREAMS {
            session.meet(stream(number), 0);
        }
        Self {
            settings,
            session,
            log: [0; STREAMS],
            cursor: [0; STREAMS],
            client: HashMap::new(),
            acknowledged: HashMap::new(),
            page: None,
            live: false,
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Commit(number, count) => self.log[*number] += count,
            Step::Deliver(number, count) => self.deliver(*number, *count),
            Step::ClientReads(count) => self.client_reads(*count),
            Step::ClientAcknowledges(but) => self.client_acknowledges(*but),
            Step::Read => self.read(),
            Step::HandOver => self.hand_over(),
            Step::Drop => self.drop_and_resume(),
        }
    }

    fn deliver(&mut self, number: usize, count: u64) {
        let (first, last) = (self.cursor[number] + 1, self.log[number].min(self.cursor[number] + count));
        if first <= last {
            self.cursor[number] = last;
            let run = run(stream(number), first, last);
            self.session.deliver(stream(number), first, &Told::all(&run));
        }
    }

    fn client_reads(&mut self, count: usize) {
        for _ in 0..count {
            let Some(queued) = self.session.pop() else { return };
            for text in queued.frames.texts() {
                let frame: ServerFrame<'_> = serde_json::from_str(text).unwrap();
                if frame.name.as_deref() == Some("live") {
                    self.live = true;
                }
                let Some(from) = frame.from else { continue };
                let known = self.client.entry(from.stream).or_default();
                assert!(from.seq <= *known + 1, "a gap: {} after {known} in {}", from.seq, from.stream);
                *known = from.seq.max(*known);
            }
        }
    }

    fn client_acknowledges(&mut self, but: u64) {
        for (stream, seq) in &self.client {
            let seq = seq.saturating_sub(but);
            if let Some(proven) = self.session.acknowledge(*stream, seq) {
                assert!(proven <= seq);
                self.acknowledged.insert(*stream, proven);
            }
        }
    }

    fn read(&mut self) {
        match self.session.next_job(&self.settings) {
            Some(Job::Registers | Job::MissedRegisters) => self.session.registers(Some(Vec::new())),
            Some(Job::Read { stream: id, after, .. }) => {
                let number = (0..STREAMS).find(|number| stream(*number) == id).unwrap();
                let last = self.log[number].min(after + 7);
                let items = (after + 1..=last).map(|seq| Item::Entry(entry(id, seq))).collect();
                let page = Page { items, head: at(self.log[number]), standing: Standing::Member };
                self.page = Some((id, after, page));
            }
            None => {}
        }
    }

    fn hand_over(&mut self) {
        let Some((id, after, page)) = self.page.take() else { return };
        self.session.page(id, after, &page);
        let number = (0..STREAMS).find(|number| stream(*number) == id).unwrap();
        self.session.meet(id, self.cursor[number]);
    }

    fn drop_and_resume(&mut self) {
        let socket = self.session.socket();
        assert!(self.session.park(socket, Now::default()));
        self.page = None;
        self.live = false;
        let welcome = frame(&self.session);
        assert!(self.session.resume(TOKEN, Now::default(), welcome).is_some());
    }

    /// Everything comes to rest: hints arrive, the client reads and acknowledges.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            for number in 0..STREAMS {
                self.deliver(number, 5);
            }
            self.read();
            self.hand_over();
            self.client_reads(5);
            self.client_acknowledges(0);
            let delivered = self.cursor == self.log && self.session.is_drained();
            if delivered && self.live && self.session.lagging().is_empty() {
                return;
            }
        }
        panic!("never in step: {:?}", self.session);
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..STREAMS, 1..5u64).prop_map(|(number, count)| Step::Commit(number, count)),
        6 => (0..STREAMS, 1..8u64).prop_map(|(number, count)| Step::Deliver(number, count)),
        3 => (1..8usize).prop_map(Step::ClientReads),
        2 => (0..4u64).prop_map(Step::ClientAcknowledges),
        3 => Just(Step::Read),
        3 => Just(Step::HandOver),
        1 => Just(Step::Drop),
    ];
    prop::collection::vec(step, 1..200)
}

proptest! {
    #[test]
    fn every_entry_reaches_the_client_once_and_in_order_however_slow_or_often_gone_it_is(
        steps in steps(), queue_bytes in 500usize..5_000,
    ) {
        let mut world = World::new(queue_bytes);
        for step in &steps {
            world.step(step);
        }
        world.settle();
        for number in 0..STREAMS {
            let seen = world.client.get(&stream(number)).copied().unwrap_or(0);
            prop_assert_eq!(seen, world.log[number]);
        }
        prop_assert_eq!(world.settings.budget.used(), 0);
    }

    #[test]
    fn no_queue_holds_more_than_its_bound_of_events(
        runs in prop::collection::vec(1u64..40, 1..100), queue_bytes in 1_000usize..10_000,
    ) {
        let settings = settings(queue_bytes);
        let mut session = open(&settings, [0; STREAMS]);
        session.meet(stream(0), 0);
        let mut last = 0;
        for count in runs {
            let (first, end) = (last + 1, last + count);
            session.deliver(stream(0), first, &Told::all(&run(stream(0), first, end)));
            prop_assert!(settings.budget.used() <= queue_bytes);
            last = end;
        }
    }
}

#[test]
fn nothing_comes_before_the_welcome_and_what_happened_meanwhile_is_read() {
    let settings = settings(10_000);
    let mut session = fresh(&settings);
    session.deliver(stream(1), 5, &Told::one(&entry(stream(1), 5)));
    assert!(session.is_drained());
    let welcome = frame(&session);
    session.welcome(vec![Head { stream: stream(0), position: at(2) }], welcome);
    session.deliver(stream(0), 3, &Told::one(&entry(stream(0), 3)));
    assert!(session.pop().is_some() && session.is_drained());
    session.synced();
    assert_eq!(session.reads_from(stream(0)), Some(3));
    assert_eq!(session.reads_from(stream(1)), Some(5));
}

/// In step with the first stream after entry `seq`, with nothing in its queue.
#[test]
fn a_client_that_names_a_position_of_another_log_hears_it_at_once() {
    let settings = settings(10_000);
    let mut session = fresh(&settings);
    let welcome = frame(&session);
    let heads = vec![
        Head { stream: stream(0), position: at(4) },
        Head { stream: stream(1), position: at(9) },
        Head { stream: stream(3), position: at(2) },
    ];
    session.welcome(heads, welcome);
    let forked = Position { seq: 4, tag: Tag(77) };
    let named = session.name(&[
        StreamPosition { stream: stream(0), position: forked },
        StreamPosition { stream: stream(1), position: at(6) },
        StreamPosition { stream: stream(2), position: at(1) },
        StreamPosition { stream: stream(3), position: at(1_000) },
    ]);
    assert_eq!(named.reset, [stream(0), stream(3)]);
    assert_eq!(named.unknown.len(), 1);
    let started = session.synced();
    let started: Vec<_> = started.iter().map(|start| (start.stream, start.position)).collect();
    assert_eq!(started, [(stream(0), at(4)), (stream(3), at(2))]);
    assert_eq!(session.reads_from(stream(1)), Some(7));
}

#[test]
fn silence_expiry_and_stalling_close_in_their_own_words() {
    let settings = settings(10_000);
    let closed_at = |steady: u64, wall: u64, stalled: bool| {
        let mut session = open(&settings, [0; STREAMS]);
        session.stalls(Now::default(), stalled);
        session.tick(&settings, Now { steady, wall });
        session.closing().map(|close| close.code)
    };
    assert_eq!(closed_at(DEAD_AFTER_MS - 1, 0, false), None);
    assert_eq!(closed_at(DEAD_AFTER_MS, 0, false), Some(CloseCode::HeartbeatMissed));
    assert_eq!(closed_at(1, TOKEN.expires_at, false), Some(CloseCode::TokenExpired));
    assert_eq!(closed_at(10_000, 0, true), Some(CloseCode::Slow));
}

#[test]
fn expiry_is_told_once_and_again_for_a_renewed_token() {
    let settings = settings(10_000);
    let mut session = open(&settings, [0; STREAMS]);
    while session.pop().is_some() {}
    let near = |token: Token| Now { steady: 1, wall: token.expires_at - EXPIRY_NOTICE_MS };
    session.tick(&settings, near(TOKEN));
    session.tick(&settings, near(TOKEN));
    assert!(session.pop().unwrap().frames.texts()[0].contains("token.expiring"));
    assert!(session.is_drained());
    let renewed = Token { made_at: 1, expires_at: 2 * TOKEN.expires_at };
    session.renew(renewed);
    session.tick(&settings, near(TOKEN));
    assert!(session.is_drained());
    session.tick(&settings, near(renewed));
    assert!(!session.is_drained());
}

#[test]
fn a_parked_session_waits_two_minutes_and_a_half_synced_one_not_at_all() {
    let settings = settings(10_000);
    let now = Now { steady: 5, wall: 5 };
    let mut session = open(&settings, [0; STREAMS]);
    assert!(session.park(0, now));
    assert!(!session.is_over(Now { steady: 4 + RESUME_WINDOW_MS, wall: 0 }));
    assert!(session.is_over(Now { steady: 5 + RESUME_WINDOW_MS, wall: 0 }));
    let mut syncing = fresh(&settings);
    assert!(syncing.park(0, now));
    assert!(syncing.is_over(now));
}

#[test]
fn an_older_socket_can_not_park_the_session_that_another_took_over() {
    let settings = settings(10_000);
    let mut session = open(&settings, [0; STREAMS]);
    let welcome = frame(&session);
    assert_eq!(session.resume(TOKEN, Now::default(), welcome), Some(1));
    assert!(!session.park(0, Now::default()));
    assert!(session.park(1, Now::default()));
}

#[test]
fn a_withheld_range_that_was_not_acknowledged_is_read_again_from_its_first_entry() {
    let settings = settings(10_000);
    let mut session = open(&settings, [0; STREAMS]);
    session.next_job(&settings);
    session.registers(Some(Vec::new()));
    let Some(Job::Read { stream: id, after, .. }) = session.next_job(&settings) else { panic!("no read") };
    let items = vec![Item::Withheld { first: 1, last: at(5) }, Item::Entry(entry(id, 6))];
    session.page(id, after, &Page { items, head: at(6), standing: Standing::Member });
    session.park(0, Now::default());
    assert_eq!(session.reads_from(id), Some(1));
}

#[test]
fn a_socket_that_is_asked_to_close_hears_nothing_more_and_its_client_reads_that_at_the_resume() {
    let settings = settings(10_000);
    let mut session = open(&settings, [0; STREAMS]);
    session.meet(stream(0), 0);
    session.deliver(stream(0), 1, &Told::one(&entry(stream(0), 1)));
    session.acknowledge(stream(0), 1);
    assert!(session.close_with(Close { code: CloseCode::Reconnect, after_ms: Some(1) }));
    while session.pop().is_some() {}
    assert!(!session.deliver(stream(0), 2, &Told::one(&entry(stream(0), 2))));
    assert!(session.is_drained());
    session.park(0, Now::default());
    let welcome = frame(&session);
    session.resume(TOKEN, Now::default(), welcome);
    assert_eq!(session.reads_from(stream(0)), Some(2));
}

#[test]
fn a_socket_that_is_asked_to_close_and_takes_nothing_goes_after_five_seconds() {
    let settings = settings(10_000);
    let mut session = open(&settings, [0; STREAMS]);
    let at = |steady| Now { steady, wall: 0 };
    session.close_with(Close { code: CloseCode::Reconnect, after_ms: Some(1) });
    assert!(!session.tick(&settings, at(7)));
    assert!(!session.is_late(at(5_006)));
    assert!(session.tick(&settings, at(5_007)), "its task is woken to go");
    assert!(session.is_late(at(5_007)));
    let welcome = frame(&session);
    session.park(0, at(5_007));
    session.resume(TOKEN, at(5_008), welcome).unwrap();
    assert!(!session.is_late(at(60_000)), "the socket that resumes was not asked");
}

#[test]
fn who_names_no_position_to_the_end_is_closed_and_unknown_streams_are_looked_at_only_so_often() {
    let settings = settings(10_000);
    let mut session = fresh(&settings);
    let welcome = frame(&session);
    session.welcome(Vec::new(), welcome);
    let invented = |part: usize| -> Vec<_> {
        (0..500).map(|n| StreamPosition { stream: stream(part * 500 + n), position: at(1) }).collect()
    };
    let looked: usize = (0..100).map(|part| session.name(&invented(part)).unknown.len()).sum();
    assert_eq!(looked, 10_000);
    let named = session.name(&invented(100));
    assert_eq!((named.unknown.len(), named.reset.len()), (0, 500));
    session.heard(Now { steady: 59_000, wall: 0 });
    session.tick(&settings, Now { steady: 59_999, wall: 0 });
    assert!(session.closing().is_none());
    session.tick(&settings, Now { steady: 60_000, wall: 0 });
    assert_eq!(session.closing().map(|close| close.code), Some(CloseCode::Slow));
}

fn register(bytes: usize) -> Event {
    let identity = Identity::Register { key: Arc::from("presence"), version: 1 };
    Event { identity, body: Bytes::from(format!("\"{}\"", "x".repeat(bytes))), ..entry(stream(0), 1) }
}

#[test]
fn a_register_that_found_no_room_while_all_are_read_makes_them_be_read_again() {
    let settings = settings(1_000);
    let mut session = open(&settings, [0; STREAMS]);
    assert_eq!(session.next_job(&settings), Some(Job::Registers));
    session.tell(&Told::one(&register(2_000)), Kind::Register);
    session.registers(Some(vec![session.codec().event(&register(10))]));
    assert_eq!(session.next_job(&settings), Some(Job::Registers));
    session.registers(Some(Vec::new()));
    assert_ne!(session.next_job(&settings), Some(Job::Registers));
}

#[test]
fn registers_that_were_read_are_queued_as_far_as_they_fit_and_the_rest_as_the_client_takes() {
    let settings = settings(1_000);
    let mut session = open(&settings, [0; STREAMS]);
    while session.pop().is_some() {}
    session.next_job(&settings);
    let values: Vec<_> = (0..20).map(|_| session.codec().event(&register(100))).collect();
    let bytes: usize = values.iter().map(|value| value.len()).sum();
    session.registers(Some(values));
    assert!(settings.budget.used() > bytes, "what waits for room is of the budget, too");
    let (mut told, mut used) = (0, settings.budget.used());
    while session.pop().is_some() {
        told += 1;
        assert!(session.outbox.bytes() <= 1_000);
        session.next_job(&settings);
        assert!(settings.budget.used() < used);
        used = settings.budget.used();
    }
    assert_eq!((told, used), (20, 0));
}

#[test]
fn values_that_are_not_told_any_more_leave_the_budget() {
    let settings = settings(1_000);
    let told_some = || {
        let mut session = open(&settings, [0; STREAMS]);
        while session.pop().is_some() {}
        session.next_job(&settings);
        let value = session.codec().event(&register(100));
        session.registers(Some(vec![value; 20]));
        session
    };
    let mut parked = told_some();
    parked.park(0, Now::default());
    assert_eq!(settings.budget.used(), 0);
    drop(told_some());
    assert_eq!(settings.budget.used(), 0);
}
