//! The hub against logs in memory: hints get lost, members come and go, connections drop; everyone sees exactly what they may.

mod logs;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use link::{Change, ReadRequest, Reader, Service};
use proptest::prelude::*;
use protocol::frames::ServerFrame;
use protocol::{CloseCode, Seq, SessionId, StreamId};

use self::logs::{Logs, room, user};
use super::*;
use crate::clock::{self, Now};
use crate::codec::Codec;
use crate::identities::ConnectionIdentity;
use crate::session::{Budget, Job, Session, Token};

mod logins;

const TOKEN: Token = Token { made_at: 0, expires_at: u64::MAX };

/// One user's device: a connection, and what its client has seen of the conversation.
struct Device {
    conn: Arc<Conn>,
    seen: BTreeSet<Seq>,
    positions: BTreeMap<StreamId, Seq>,
    live: bool,
}

struct World {
    logs: Arc<Logs>,
    hub: Arc<Hub>,
    devices: Vec<Device>,
}

impl World {
    async fn new(users: usize, queue_bytes: usize) -> Self {
        Self::of(&Vec::from_iter(0..users), queue_bytes).await
    }

    /// A device for each of these users; those of one user share a login, as the tabs of a browser do.
    async fn of(owners: &[usize], queue_bytes: usize) -> Self {
        let logs = Logs::new();
        let budget = Budget::new(usize::MAX);
        let settings = Settings { queue_bytes, slow_after_ms: 1_000, unacked_max: 8, budget };
        let hub = Arc::new(Hub::new(Arc::clone(&logs) as Arc<dyn Service>, settings, 100));
        for _ in 0..2 {
            tokio::spawn(Arc::clone(&hub).fill_gaps());
        }
        let mut world = Self { logs, hub, devices: Vec::new() };
        for number in owners {
            let device = world.connect(*number).await;
            world.devices.push(device);
        }
        world
    }

    async fn connect(&self, number: usize) -> Device {
        let user = user(number);
        let hub = &self.hub;
        let session = Session::new(hub.settings(), Codec::Json, StreamId::user(user), TOKEN, Now::default());
        let conn = hub.register(user, SessionId(user.0), ConnectionIdentity::new(), session);
        let subscriptions = self.logs.subscriptions(user).await.unwrap();
        hub.epoch_is(subscriptions.epoch);
        let fresh = hub.subscribe(&conn, &subscriptions.heads);
        hub.fill_all(&fresh);
        let lagging = {
            let mut session = conn.session();
            let welcome = session.codec().pong();
            session.welcome(subscriptions.heads, welcome);
            session.synced();
            session.lagging()
        };
        lagging.into_iter().for_each(|stream| {
            hub.meet(&conn, stream);
        });
        Device { conn, seen: BTreeSet::new(), positions: BTreeMap::new(), live: false }
    }

    /// Does what a device's task and its client do, once.
    async fn turn(&mut self, number: usize) {
        let device = &mut self.devices[number];
        loop {
            let Some(queued) = device.conn.session().pop() else { break };
            queued.frames.texts().into_iter().for_each(|text| device.takes(text));
        }
        for (stream, seq) in &device.positions {
            device.conn.session().acknowledge(*stream, *seq);
        }
        let job = device.conn.session().next_job(self.hub.settings());
        match job {
            Some(Job::Registers | Job::MissedRegisters) => device.conn.session().registers(Some(Vec::new())),
            Some(Job::Read { stream, after, tag }) => {
                let reader = Reader::User(device.conn.user);
                let request = ReadRequest { stream, reader, after, tag, limit: 10 };
                let page = self.logs.read(request).await;
                self.hub.paged(&device.conn, stream, after, page);
            }
            None => {}
        }
    }

    fn drop_and_resume(&mut self, number: usize) {
        let device = &mut self.devices[number];
        let (conn, socket) = (&device.conn, device.conn.session().socket());
        assert!(self.hub.detach(conn, socket, Keep::Parked));
        let welcome = conn.session().codec().pong();
        assert!(self.hub.resume(conn, TOKEN, welcome).is_some());
        device.live = false;
        assert!(self.devices.iter().all(|device| device.conn.session().closing().is_none()));
    }

    /// All hints that were lost are found out; everyone reads to the end, and stays there for a while.
    async fn settle(&mut self) {
        self.hub.refresh(false).await;
        let mut quiet = 0;
        for _ in 0..5_000 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            for number in 0..self.devices.len() {
                self.turn(number).await;
            }
            let in_step = |device: &Device| device.live && device.conn.session().lagging().is_empty();
            quiet = if self.devices.iter().all(in_step) { quiet + 1 } else { 0 };
            if quiet > 30 {
                return;
            }
        }
        panic!("never in step");
    }
}

impl Device {
    fn takes(&mut self, text: &str) {
        let frame: ServerFrame<'_> = serde_json::from_str(text).unwrap();
        self.live |= frame.name.as_deref() == Some("live");
        let Some(from) = frame.from else { return };
        let known = self.positions.entry(from.stream).or_insert(from.seq - 1);
        assert!(from.seq <= *known + 1 || from.stream == room(), "a gap before {}", from.seq);
        if from.seq > *known && from.stream == room() && frame.name.as_deref() == Some("test") {
            self.seen.insert(from.seq);
        }
        *known = from.seq.max(*known);
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// So many entries, whose hints come together.
    Say(usize),
    /// Says something about an entry so far back.
    SayOf(Seq),
    ComeOrGo(usize),
    Turn(usize),
    Drop(usize),
    Fill,
}

fn steps() -> impl Strategy<Value = Vec<(Step, bool, bool)>> {
    let step = prop_oneof![
        4 => (1..6usize).prop_map(Step::Say),
        3 => (0..12u64).prop_map(Step::SayOf),
        4 => (0..3usize).prop_map(Step::ComeOrGo),
        4 => (0..4usize).prop_map(Step::Turn),
        1 => (0..4usize).prop_map(Step::Drop),
        2 => Just(Step::Fill),
    ];
    prop::collection::vec((step, any::<bool>(), any::<bool>()), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn everyone_sees_exactly_the_entries_of_their_memberships_whatever_hints_are_lost(
        steps in steps(), queue_bytes in prop_oneof![Just(600usize), Just(100_000usize)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            // The first user has two tabs open.
            let mut world = World::of(&[0, 1, 2, 0], queue_bytes).await;
            for (step, first_arrives, second_arrives) in steps {
                let told = match step {
                    Step::Say(count) => (0..count).map(|_| world.logs.append(room(), Vec::new())).collect(),
                    Step::SayOf(back) => {
                        let target = world.logs.head(room()).seq.saturating_sub(back);
                        vec![world.logs.append_about(target)]
                    }
                    Step::ComeOrGo(number) => {
                        let leaves = world.logs.is_member(user(number));
                        world.logs.change(user(number), if leaves { Change::Left } else { Change::Joined })
                    }
                    Step::Turn(number) => {
                        world.turn(number).await;
                        Vec::new()
                    }
                    Step::Drop(number) => {
                        world.drop_and_resume(number);
                        Vec::new()
                    }
                    Step::Fill => {
                        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                        Vec::new()
                    }
                };
                let arrives = [first_arrives, second_arrives].into_iter().cycle();
                let hints: Vec<_> = told.into_iter().zip(arrives).filter_map(|(hint, arrives)| arrives.then_some(hint)).collect();
                world.hub.hints(&hints);
            }
            world.settle().await;
            let head = world.logs.head(room()).seq;
            for (number, device) in world.devices.iter().enumerate() {
                let spans = world.logs.memberships.lock().get(&device.conn.user).cloned().unwrap_or_default();
                let mut expected = BTreeSet::new();
                for (from, to) in spans {
                    // What a device has not heard of before is history to it when it ended without any hint; all else is heard whole.
                    let span = from..=to.unwrap_or(head);
                    let unheard = to.is_some() && device.seen.first().is_none_or(|first| *span.end() < *first);
                    expected.extend(span.filter(|seq| !unheard && world.logs.sees(device.conn.user, *seq)));
                }
                assert_eq!(device.seen, expected, "device {number} of {:?}", world.logs.memberships.lock());
            }
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_hint_that_comes_too_early_waits_until_the_gap_was_read() {
    let mut world = World::new(1, 100_000).await;
    world.settle().await;
    let own = StreamId::user(user(0));
    let _lost = world.logs.append(own, Vec::new());
    let early = world.logs.append(own, Vec::new());
    world.hub.hints(&[early]);
    assert!(world.devices[0].conn.session().is_drained());
    world.settle().await;
    assert_eq!(world.devices[0].positions[&own], 2);
}

#[tokio::test(start_paused = true)]
async fn the_last_hint_may_be_lost_too_the_restated_number_tells() {
    let mut world = World::new(1, 100_000).await;
    tokio::spawn(Arc::clone(&world.hub).watch());
    world.settle().await;
    let own = StreamId::user(user(0));
    // More than the channel holds: the reader can't have seen them all.
    for _ in 0..20 {
        let event = world.logs.append(own, Vec::new());
        world.logs.publisher.publish((*event).clone());
    }
    for _ in 0..40 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        world.turn(0).await;
    }
    assert_eq!(world.devices[0].positions[&own], 20);
}

#[tokio::test(start_paused = true)]
async fn a_hint_that_was_missed_may_have_been_of_a_register_so_they_are_read_again() {
    let mut world = World::new(1, 100_000).await;
    world.settle().await;
    world.turn(0).await;
    let job = |world: &World| world.devices[0].conn.session().next_job(world.hub.settings());
    assert_eq!(job(&world), None);
    world.hub.refresh(false).await;
    assert_eq!(job(&world), Some(Job::MissedRegisters));
    world.hub.refresh(false).await;
    let conn = &world.devices[0].conn;
    conn.session().registers(Some(Vec::new()));
    assert_eq!(job(&world), Some(Job::Registers), "what was missed while they were read is not in what was read");
}

#[tokio::test(start_paused = true)]
async fn who_is_kicked_hears_the_kick_last_and_nothing_between_kick_and_return() {
    let mut world = World::new(2, 100_000).await;
    let mut tell = Vec::new();
    tell.extend(world.logs.change(user(0), Change::Joined));
    tell.extend(world.logs.change(user(1), Change::Joined));
    tell.extend(world.logs.change(user(1), Change::Left));
    tell.push(world.logs.append(room(), Vec::new()));
    tell.extend(world.logs.change(user(1), Change::Joined));
    for hint in &tell {
        world.hub.hints(std::slice::from_ref(hint));
    }
    world.settle().await;
    assert_eq!(world.devices[1].seen, BTreeSet::from([2, 3, 5]));
    assert_eq!(world.devices[0].seen, BTreeSet::from([1, 2, 3, 4, 5]));
}

/// The hub begins to follow the conversation behind an entry by which somebody came, and their own log tells them of it late.
#[tokio::test(start_paused = true)]
async fn who_left_and_comes_back_hears_all_memberships_though_their_own_log_is_late() {
    let mut world = World::new(2, 100_000).await;
    let come_and_go = [Change::Joined, Change::Left].map(|change| world.logs.change(user(0), change));
    world.hub.hints(&come_and_go.concat());
    world.settle().await;
    assert!(world.hub.followed().iter().all(|(stream, _)| *stream != room()), "nobody is left to hear it");

    let _lost = [world.logs.change(user(0), Change::Joined), vec![world.logs.append(room(), Vec::new())]];
    world.hub.hints(&world.logs.change(user(1), Change::Joined));
    for change in [Change::Left, Change::Joined] {
        let told = world.logs.change(user(0), change);
        world.hub.hints(&told[..1]);
    }
    world.settle().await;
    assert_eq!(world.devices[0].seen, (1..=7).collect());
}

#[tokio::test(start_paused = true)]
async fn what_not_everybody_may_see_is_read_by_each_with_their_own_rights_and_in_its_place() {
    let mut world = World::new(2, 100_000).await;
    let mut tell = Vec::new();
    tell.extend(world.logs.change(user(0), Change::Joined));
    tell.push(world.logs.append(room(), Vec::new()));
    tell.extend(world.logs.change(user(1), Change::Joined));
    world.hub.hints(&tell);
    world.settle().await;
    let about = [world.logs.append_about(2), world.logs.append(room(), Vec::new()), world.logs.append_about(3)];
    assert_eq!(about.each_ref().map(|event| event.by_rights), [true, false, false]);
    world.hub.hints(&about);
    for device in &world.devices {
        assert!(device.conn.session().is_drained(), "nothing is pushed past what is to be read first");
        assert_eq!(device.conn.session().reads_from(room()), Some(4));
    }
    world.settle().await;
    assert_eq!(world.devices[0].seen, BTreeSet::from([1, 2, 3, 4, 5, 6]));
    assert_eq!(world.devices[1].seen, BTreeSet::from([3, 5, 6]));
    assert_eq!(world.devices[1].positions[&room()], 6, "what is withheld counts as heard");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_was_rolled_back_makes_its_hearers_sync_anew() {
    let mut world = World::new(1, 100_000).await;
    world.settle().await;
    let own = StreamId::user(user(0));
    let event = world.logs.append(own, Vec::new());
    world.hub.hints(&[event]);
    world.logs.logs.lock().clear();
    world.hub.refresh(true).await;
    let close = world.devices[0].conn.session().closing().unwrap();
    assert_eq!(close.code, CloseCode::Resync);
}

#[tokio::test(start_paused = true)]
async fn of_a_connection_that_goes_nothing_stays_behind() {
    let world = World::of(&[0, 0], 100_000).await;
    for device in &world.devices {
        world.hub.remove(&device.conn);
    }
    // Its gap is still queued; the worker finds that nobody hears the stream any more.
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    assert!(world.hub.followed().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_parked_connection_is_forgotten_after_its_window_and_a_revoked_one_at_once() {
    let world = World::new(2, 100_000).await;
    let [parked, revoked] = [0, 1].map(|number: usize| Arc::clone(&world.devices[number].conn));
    world.hub.detach(&parked, 0, Keep::Parked);
    let mut later = clock::now();
    world.hub.sweep(later);
    assert!(!parked.session().gone);
    later.steady += protocol::limits::RESUME_WINDOW_MS;
    world.hub.sweep(later);
    assert!(parked.session().gone);
    world.hub.revoke(revoked.user, link::Revoked::Session(revoked.login));
    assert_eq!(revoked.session().closing().map(|close| close.code), Some(CloseCode::HeartbeatMissed));
    assert!(revoked.session().gone);
}

#[tokio::test(start_paused = true)]
async fn a_publisher_that_falls_silent_without_an_error_is_watched_again() {
    let mut world = World::new(1, 100_000).await;
    world.logs.silent.store(true, Ordering::Relaxed);
    tokio::spawn(Arc::clone(&world.hub).watch());
    world.settle().await;
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    assert!(world.hub.is_watching());
    let event = world.logs.append(StreamId::user(user(0)), Vec::new());
    world.logs.publisher.publish((*event).clone());
    world.settle().await;
    assert_eq!(world.devices[0].positions[&StreamId::user(user(0))], 1);
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_ends_while_another_resumes_leaves_the_resumed_one_whole_or_the_session_gone() {
    for _ in 0..300 {
        let world = World::new(1, 100_000).await;
        let (hub, conn) = (&world.hub, &world.devices[0].conn);
        let welcome = conn.session().codec().pong();
        let resumed = std::thread::scope(|scope| {
            scope.spawn(|| hub.detach(conn, 0, Keep::Nothing));
            hub.resume(conn, TOKEN, welcome).is_some()
        });
        assert_eq!(conn.session().gone, !resumed);
        assert_eq!(conn.session().streams.is_empty(), !resumed);
        assert_eq!(hub.parked.load(Ordering::Relaxed), 0);
    }
}
