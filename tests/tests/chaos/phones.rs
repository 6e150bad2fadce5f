//! Pairs that call each other while things break: they ring, answer, decline, negotiate, are cut off and come back, take over and hang up.
//!
//! When all is put right every call is over for everybody, and what was done and told is held against the rules of calls.

use std::collections::BTreeSet;
use std::time::Duration;

use client::Config;
use harness::call_history::{CallHistory, CallStats, Known, Line, Outcome, check_calls};
use harness::calls::{leg, status};
use harness::faults::{Fault, Plan};
use harness::{Person, World, wait};
use protocol::calls::{Call, ParticipantStatus};
use protocol::{CallId, ConversationId, ErrorCode};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::PACE;

const PAIRS: u64 = 3;
/// The shortest that the settings allow, so that some places are lost.
pub(crate) const RECONNECT_MS: u64 = 5_000;
pub(crate) const RING_MS: u64 = 5_000;
/// For so long somebody waits to be told of what they asked for; then they go on with something else.
const TOLD_WITHIN: Duration = Duration::from_secs(6);
/// So long after all is put right, and every place is given up, everybody knows that it is over.
const OVER_WITHIN: Duration = Duration::from_secs(15);
const PAUSE_MS: std::ops::Range<u64> = 50..700;
/// A process that is killed and one that is emptied so shortly after each other are killed together.
const TOGETHER: Duration = Duration::from_secs(3);

pub(crate) struct Phones {
    pairs: Vec<Pair>,
    over: watch::Sender<bool>,
}

struct Pair {
    caller: Person,
    conversation: ConversationId,
    /// The caller's, the callee's, and another one of the callee's.
    lines: [Line; 3],
    talks: JoinHandle<()>,
}

impl Phones {
    pub(crate) async fn ring(world: &World, seed: u64) -> Self {
        let url = format!("http://{}", world.gateway());
        let (over, _) = watch::channel(false);
        let mut pairs = Vec::new();
        for number in 0..PAIRS {
            let people = world.people([&*format!("caller{number}"), &*format!("callee{number}")]).await;
            let conversation = people[0].direct(&people[1]).await;
            let line = |person: &Person, device: &str| {
                let mut config = Config::new(&url, person.access.clone());
                config.settings.reconnect_within_ms = PACE.reconnect_within_ms;
                Line::connect(person.id, format!("{}'s {device}", person.handle), config)
            };
            let lines = [line(&people[0], "phone"), line(&people[1], "phone"), line(&people[1], "tablet")];
            let random = StdRng::seed_from_u64(seed ^ (number + 100) << 32);
            let [caller, _] = people;
            let talks = tokio::spawn(call_again_and_again(lines.clone(), conversation, random, over.subscribe()));
            pairs.push(Pair { caller, conversation, lines, talks });
        }
        Self { pairs, over }
    }

    /// All is put right: every call comes to its end, and leaves its record. Then all of it is looked at.
    pub(crate) async fn hang_up(self, plan: &Plan) -> CallStats {
        self.over.send_replace(true);
        let (ring_ms, reconnect_ms) = (RING_MS, RECONNECT_MS);
        let mut history = CallHistory { ring_ms, reconnect_ms, ..CallHistory::default() };
        for Pair { caller, conversation, lines, talks } in self.pairs {
            wait::within("a call to be hung up", talks).await.unwrap();
            everybody_knows(&lines).await;
            let ids: BTreeSet<CallId> =
                lines.iter().flat_map(|line| line.known().borrow().calls.keys().copied().collect::<Vec<_>>()).collect();
            for id in ids {
                match wait::until("how a call ended", async || ended(&lines[0], id).await).await {
                    Some(call) => drop(history.finals.insert(id, call)),
                    None => {
                        assert!(loses_calls(plan), "{id} is not known any more");
                        history.lost.insert(id);
                    }
                }
            }
            let awaited: BTreeSet<CallId> =
                history.finals.values().filter(|call| call.conversation == conversation).map(|call| call.id).collect();
            let mut records = Vec::new();
            let all = wait::until("the record of each call", async || {
                records = caller.records(conversation).await;
                awaited.iter().all(|id| records.iter().any(|record| record.call == *id)).then_some(())
            });
            let _ = tokio::time::timeout(OVER_WITHIN, all).await;
            history.records.insert(conversation, records);
            for line in lines {
                history.devices.push(line.recorded());
                line.stop().await;
            }
        }
        check_calls(&history).unwrap_or_else(|violations| {
            let words: Vec<String> = violations.iter().take(10).map(ToString::to_string).collect();
            panic!("{} violations of calls, the first:\n{}", violations.len(), words.join("\n"));
        })
    }
}

/// Whoever holds the calls, and the Redis that holds them too, may have been gone at once: then nobody knows them any more.
fn loses_calls(plan: &Plan) -> bool {
    let empties = |fault: &Fault| {
        matches!(fault, Fault::RedisKilled | Fault::RedisFlushed | Fault::RedisFailedOver | Fault::RedisHandedOver)
    };
    let killed = plan.steps.iter().filter(|step| step.fault == Fault::Killed("signaling"));
    killed.into_iter().any(|killed| {
        let others = plan.steps.iter().filter(|step| empties(&step.fault));
        others.into_iter().any(|other| other.begins <= killed.ends + TOGETHER && killed.begins <= other.ends + TOGETHER)
    })
}

/// Nobody is shown a call that is over, neither as one that rings nor as one that they are in.
async fn everybody_knows(lines: &[Line]) {
    for line in lines {
        let mut known = line.known();
        let none = |known: &Known| !known.calls.keys().any(|call| known.goes_on(*call));
        let knows = tokio::time::timeout(OVER_WITHIN, known.wait_for(none)).await;
        let (known, name) = (line.known().borrow().calls.clone(), line.recorded().name);
        let live = || known.values().filter(|call| !call.status.is_over()).collect::<Vec<_>>();
        assert!(knows.is_ok(), "{name} is still shown {:?}", live());
    }
}

/// How a call ended, once it has; nothing where nobody knows it.
async fn ended(line: &Line, id: CallId) -> Option<Option<Call>> {
    match line.get(id).await {
        Outcome::Stands { call, .. } => call.status.is_over().then_some(Some(*call)),
        Outcome::Refused(ErrorCode::NotFound) => Some(None),
        _ => None,
    }
}

async fn call_again_and_again(
    lines: [Line; 3],
    conversation: ConversationId,
    mut random: StdRng,
    over: watch::Receiver<bool>,
) {
    while !*over.borrow() {
        one_call(&lines, conversation, &mut random).await;
        pause(&mut random).await;
    }
    for line in &lines {
        hang_up(line).await;
    }
}

async fn one_call([caller, callee, tablet]: &[Line; 3], conversation: ConversationId, random: &mut StdRng) {
    let Outcome::Stands { call, epoch: Some(_) } = caller.start(conversation).await else { return };
    let id = call.id;
    let told = told(callee, id, |call, line| status(call, line.user()).is_some_and(ParticipantStatus::is_called));
    if !told.await {
        return hang_up(caller).await;
    }
    match random.random_range(0..20) {
        0 => hang_up(caller).await,
        1 => drop(callee.decline(id).await),
        // It rings to its end.
        2 => {}
        _ => {
            callee.join(id).await;
            for _ in 0..random.random_range(1..5) {
                pause(random).await;
                talk([caller, callee, tablet], id, random).await;
            }
            let all = [caller, callee, tablet];
            let first = random.random_range(0..2);
            hang_up(all[first]).await;
            hang_up(all[2]).await;
        }
    }
    let over = |call: &Call, _: &Line| call.status.is_over();
    if !self::told(caller, id, over).await {
        caller.get(id).await;
    }
}

/// Something that happens in a call.
async fn talk([caller, callee, tablet]: [&Line; 3], id: CallId, random: &mut StdRng) {
    match random.random_range(0..6) {
        0 => caller.breaks().await,
        1 => callee.breaks().await,
        2 => drop(tablet.join(id).await),
        _ => {
            let Some(call) = caller.known().borrow().calls.get(&id).cloned() else { return };
            let is_in = |line: &Line| status(&call, line.user()).is_some_and(ParticipantStatus::is_in);
            for (from, to) in [(caller, callee), (callee, caller)] {
                let held = from.known().borrow().leg;
                if let Some((_, epoch)) = held.filter(|(held, _)| *held == id && is_in(to)) {
                    from.signal(id, epoch, leg(&call, to.user())).await;
                }
            }
        }
    }
}

async fn hang_up(line: &Line) {
    let held = line.known().borrow().leg;
    if let Some((call, epoch)) = held {
        line.leave(call, epoch).await;
    }
}

/// Whether a device is told of something in a call, in time.
async fn told(line: &Line, id: CallId, what: impl Fn(&Call, &Line) -> bool) -> bool {
    let mut known = line.known();
    let told = known.wait_for(|known| known.calls.get(&id).is_some_and(|call| what(call, line)));
    tokio::time::timeout(TOLD_WITHIN, told).await.is_ok()
}

async fn pause(random: &mut StdRng) {
    wait::for_the_moment(tokio::time::Instant::now() + Duration::from_millis(random.random_range(PAUSE_MS))).await;
}
