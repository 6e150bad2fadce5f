//! Calls outlive their server: each process of each topology is killed in mid-call, again and again.
//!
//! One call goes on through all of it, and its people come back to their legs after every kill. Beside it each kill finds a call
//! that rings, one whose callee has dropped, and one that ended a moment before; what these have to come to is looked at when the
//! last deadline is over.

use std::time::Duration;

use harness::calls::status;
use harness::world::Settings;
use harness::{Person, Phone, Topology, World, wait};
use protocol::ServiceName::Signaling;
use protocol::calls::{
    CALL_RECOVERED, CALL_RECOVERING, Call, CallFailure, CallRecord, CallStatus, LegRef, ParticipantStatus, SendSignal,
};
use protocol::{CallId, ConversationId, ErrorCode};
use tokio::time::Instant;

use crate::{ALONE, kills};

/// By then everyone is back in their call.
pub(super) const BACK_WITHIN: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_outlive_one_process() {
    outlive(Topology::OneProcess, kills(3)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_outlive_the_gateway_and_the_services() {
    outlive(Topology::GatewayApart, kills(4)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_outlive_each_of_five_processes() {
    outlive(Topology::FiveProcesses, kills(5)).await;
}

/// Kills the processes in turn, so many times in all.
async fn outlive(topology: Topology, kills: usize) {
    let _alone = ALONE.lock().await;
    let settings = Settings::default().set("signaling.ring_ms", 5_000).set("signaling.reconnect_ms", 8_000);
    let mut world = World::with(topology, settings).await;
    let mut talk = Talk::begin(&world, ["ann", "bob"]).await;
    let (mut left, mut took) = (Vec::new(), Vec::new());
    for (number, part) in topology.parts().iter().map(|part| part.name).cycle().take(kills).enumerate() {
        left.extend([rings(&world, number).await, drops(&world, number).await, ends(&world, number).await]);
        world.kill(part).await;
        world.restart(part).await;
        took.push(talk.goes_on(&world, part).await);
    }
    for trace in &left {
        trace.came_to_its_end().await;
    }
    wait::until("the one call that goes on", async || {
        (world.metrics(Signaling).await.sum("calls_active", &[]) == 1.0).then_some(())
    })
    .await;
    talk.ends().await;
    took.sort_unstable();
    println!("{topology:?}: {kills} kills in mid-call, all back after {took:?}");
    world.end().await;
}

/// A call that goes on through everything.
pub(super) struct Talk {
    people: [Person; 2],
    phones: [Phone; 2],
    conversation: ConversationId,
    call: CallId,
    epochs: [u64; 2],
}

impl Talk {
    pub(super) async fn begin(world: &World, handles: [&str; 2]) -> Self {
        let people = world.people(handles).await;
        let conversation = people[0].direct(&people[1]).await;
        let mut phones = [Phone::of(&people[0]).await, Phone::of(&people[1]).await];
        let started = phones[0].call(conversation).await;
        let call = started.call.id;
        let joined = phones[1].join(call).await;
        for phone in &mut phones {
            phone.sees_user(call, people[1].id, ParticipantStatus::Joined).await;
        }
        let epochs = [started.epoch.expect("a leg"), joined.epoch.expect("a leg")];
        Self { people, phones, conversation, call, epochs }
    }

    /// After a kill: both are awaited, come back to their legs and negotiate. Answers how long it took.
    async fn goes_on(&mut self, world: &World, killed: &str) -> Duration {
        let began = Instant::now();
        let sockets_live = killed != world.topology().gateway_part();
        for number in 0..2 {
            if !sockets_live {
                self.phones[number] = Phone::of(&self.people[number]).await;
            }
        }
        let restarted = killed == world.topology().part_of(Signaling);
        if sockets_live && !restarted {
            // Nothing that the call lives on is gone.
            self.negotiate().await;
            return began.elapsed();
        }
        if restarted {
            let other = self.people[1].id;
            let awaited = self.phones[0].sees_user(self.call, other, ParticipantStatus::Reconnecting).await;
            assert_eq!(awaited.participant(other).and_then(|bob| bob.epoch), Some(self.epochs[1]));
        }
        self.come_back(killed, restarted).await;
        let took = began.elapsed();
        assert!(took < BACK_WITHIN, "{took:?} after {killed}");
        if restarted {
            self.is_told(CALL_RECOVERED).await;
            assert!(world.metrics(Signaling).await.sum("calls_recovered_total", &[]) >= 1.0);
        }
        self.negotiate().await;
        took
    }

    /// Of two processes that could serve it one was killed. Where it was this call's, both are awaited by the other one, and come back: answers how
    /// long that took. Else nothing happens to it.
    pub(super) async fn is_followed(&mut self, killed: &str, since: Instant) -> Option<Duration> {
        let followed = wait::until("the call to be followed in, or time enough for that", async || {
            let call = self.phones[0].try_get(self.call).await.ok()?;
            (call.recovering || since.elapsed() > BACK_WITHIN).then_some(call.recovering)
        })
        .await;
        if followed {
            self.is_told(CALL_RECOVERING).await;
            self.come_back(killed, true).await;
            self.is_told(CALL_RECOVERED).await;
        }
        let took = since.elapsed();
        self.negotiate().await;
        followed.then_some(took)
    }

    /// Both come back to their legs, and to nothing else.
    async fn come_back(&mut self, killed: &str, renegotiate: bool) {
        for number in 0..2 {
            let joined = self.phones[number].come_back(self.call, self.epochs[number], 0).await;
            let joined = joined.unwrap_or_else(|code| panic!("after {killed}: {code:?}"));
            assert_eq!((joined.epoch, joined.renegotiate), (Some(self.epochs[number]), renegotiate));
        }
        for phone in &mut self.phones {
            phone.sees(self.call, "both are back", |call| all_back(call, &self.people)).await;
        }
    }

    /// Everyone is told something of the call, once.
    async fn is_told(&mut self, notice: &str) {
        let call = self.call.to_string();
        for phone in &mut self.phones {
            phone.socket.event_where(notice, |event| event.name == notice && event.body["call"] == call).await;
        }
    }

    /// A signal each way arrives.
    async fn negotiate(&mut self) {
        for (from, to) in [(0, 1), (1, 0)] {
            let leg = LegRef { user: self.people[to].id, epoch: self.epochs[to] };
            let candidates = vec![harness::calls::candidate(9)];
            let signal = SendSignal { epoch: self.epochs[from], to: leg, description: None, candidates };
            self.phones[from].signal(self.call, &signal).await.unwrap();
            let heard = self.phones[to].socket.event_where("a signal", |event| event.body["to"]["epoch"] == leg.epoch);
            assert_eq!(heard.await.body["from"]["user"], self.people[from].id.to_string());
        }
    }

    pub(super) async fn ends(mut self) {
        self.phones[0].leave(self.call, self.epochs[0]).await;
        self.phones[1].sees_end(self.call, CallStatus::Ended).await;
        let [ann, bob] = &self.people;
        let people = [ann.clone(), bob.clone()];
        Trace { people, conversation: self.conversation, call: self.call, late: None, end: |_, _| {} }
            .came_to_its_end()
            .await;
    }
}

/// Both are in, nobody else is, and nobody is called a second time.
fn all_back(call: &Call, people: &[Person; 2]) -> bool {
    assert_eq!(call.participants.len(), people.len(), "{call:?}");
    assert!(!call.participants.iter().any(|participant| participant.status.is_called()), "{call:?}");
    people.iter().all(|person| status(call, person.id) == Some(ParticipantStatus::Joined))
}

/// A call that a kill has met, and what must have become of it: the test of its record, and of the callee's missed calls.
pub(super) struct Trace {
    people: [Person; 2],
    conversation: ConversationId,
    call: CallId,
    /// The leg of the callee who was not back in time.
    late: Option<u64>,
    end: fn(&CallRecord, u64),
}

impl Trace {
    /// It is over, once.
    pub(super) async fn came_to_its_end(&self) {
        let [caller, callee] = &self.people;
        let records = wait::until("the record", async || {
            let records = caller.records(self.conversation).await;
            let records: Vec<_> = records.into_iter().filter(|record| record.call == self.call).collect();
            (!records.is_empty()).then_some(records)
        })
        .await;
        let [record] = records.as_slice() else { panic!("one record: {records:?}") };
        // Histories of processes that could not reach Redis for a moment come to the same a moment later.
        let calls = wait::until("the callee's history", async || {
            let calls = callee.calls().await;
            let listed: Vec<_> = calls.calls.iter().filter(|listed| listed.call == self.call).collect();
            (listed == [record]).then_some(calls)
        })
        .await;
        (self.end)(record, calls.missed);
        if let Some(epoch) = self.late {
            let back = Phone::of(callee).await.come_back(self.call, epoch, 0).await;
            assert_eq!(back.err(), Some(ErrorCode::CallExpired));
        }
    }
}

/// Nobody answers.
pub(super) async fn rings(world: &World, number: usize) -> Trace {
    let people = world.people([&*format!("carl{number}"), &*format!("dora{number}")]).await;
    let conversation = people[0].direct(&people[1]).await;
    let call = Phone::of(&people[0]).await.call(conversation).await.call.id;
    let end = |record: &CallRecord, missed| assert_eq!((record.status, missed), (CallStatus::Missed, 1));
    Trace { people, conversation, call, late: None, end }
}

/// The callee has dropped, and nobody comes back.
pub(super) async fn drops(world: &World, number: usize) -> Trace {
    let [caller, callee] = [format!("gina{number}"), format!("hugo{number}")];
    let Talk { people, phones, conversation, call, epochs } = Talk::begin(world, [&caller, &callee]).await;
    let [mut one, other] = phones;
    other.cut();
    one.sees_user(call, people[1].id, ParticipantStatus::Reconnecting).await;
    let end = |record: &CallRecord, missed| {
        assert_eq!((record.failure, missed), (Some(CallFailure::ConnectionLost), 0));
    };
    Trace { people, conversation, call, late: Some(epochs[1]), end }
}

/// It was over a moment ago.
pub(super) async fn ends(world: &World, number: usize) -> Trace {
    let [caller, callee] = [format!("eve{number}"), format!("fred{number}")];
    let Talk { people, mut phones, conversation, call, epochs } = Talk::begin(world, [&caller, &callee]).await;
    phones[1].leave(call, epochs[1]).await;
    let end = |record: &CallRecord, missed| assert_eq!((record.status, missed), (CallStatus::Ended, 0));
    Trace { people, conversation, call, late: None, end }
}
