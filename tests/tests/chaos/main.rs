//! Nothing that breaks for a while leaves a trace: five processes and a Redis under load, a cable on each way between them, and faults by seed.
//!
//! While they go on, the crew writes, visitors come and go, pairs call each other, and logins are logged out. When all is put right, everything must be as if nothing had
//! been: everybody in step and one log behind all that was seen, presence as it is, no call that lives on, nobody in who was logged out, Redis in use.
//! `SECURECONNECT_CHAOS_SEED` runs one seed again.

#![allow(clippy::print_stdout, reason = "the figures of a run stand beside its test")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test states what must be")]

mod callers;
mod figures;
mod gateway;
mod logins;
mod phones;
mod planted;
mod rolling;
mod visitors;

use std::time::Duration;

use harness::crew::Pace;
use harness::faults::{self, Fault, Plan, Shared};
use harness::world::Settings;
use harness::{Crew, Topology, World, history, wait};
use protocol::ServiceName::{self, Auth, Chat, Gateway, Signaling};
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use logins::Logins;
use phones::Phones;
use visitors::Visitors;

/// So long after the last fault everything serves and Redis is in use everywhere.
const NORMAL_WITHIN: Duration = Duration::from_secs(10);
/// So long after nobody writes any more everybody is in step.
const IN_STEP_WITHIN: Duration = Duration::from_secs(5);
/// What a service holds of a killed one it holds for so long: the lease of devices.
const LEASE: Duration = Duration::from_secs(15);
/// What is still written after the faults.
const WRITES_AFTERWARDS: u64 = 200;
/// Some load, and clients that don't wait long before they come back: else hardly anything would be under way when the next fault comes.
const PACE: Pace = Pace { hands: 4, reconnect_within_ms: 1_000 };
/// The services that use Redis.
const SHARING: [ServiceName; 4] = [Auth, Chat, Signaling, Gateway];

/// One run at a time: they wait for each other's load otherwise.
static ALONE: Mutex<()> = Mutex::const_new(());

/// Whether the counts are those of `make chaos`.
fn soaks() -> bool {
    std::env::var_os("SECURECONNECT_SOAK").is_some()
}

/// Which seeds, and how many faults of each.
fn runs() -> Vec<(u64, usize)> {
    match std::env::var("SECURECONNECT_CHAOS_SEED") {
        Ok(seed) => vec![(seed.parse().expect("a seed"), if soaks() { 25 } else { 8 })],
        Err(_) if soaks() => (1..=10).map(|seed| (seed, 25)).collect(),
        // One of each kind of Redis, with a failover in the other.
        Err(_) => vec![(1, 8), (2, 4)],
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_for_a_while_leaves_no_trace() {
    let _alone = ALONE.lock().await;
    for (seed, faults) in runs() {
        // Every other one with a Redis that fails over.
        let shared = if seed % 2 == 0 { Shared::Watched } else { Shared::Alone };
        leaves_no_trace(&Plan::of(seed, Topology::FiveProcesses, shared, faults)).await;
    }
}

async fn leaves_no_trace(plan: &Plan) {
    let _shown = ShownWhenItFails(plan);
    let mut world = started_with(plan.shared).await;
    let mut crew = Crew::assemble_with(&world, PACE).await;
    let visitors = Visitors::come(&world, &mut crew, plan.seed).await;
    world.person(logins::HANDLE).await;
    let phones = Phones::ring(&world, plan.seed).await;
    crew.writes(WRITES_AFTERWARDS).await;

    let (over, is_over) = watch::channel(false);
    let logins = Logins::come_and_go(format!("http://{}", world.gateway()), is_over);
    let breaking = async {
        let healed = faults::perform(plan, &mut world).await;
        over.send_replace(true);
        healed
    };
    let (healed, logins) = tokio::join!(breaking, logins);
    world.ready().await;
    let ready = healed.elapsed();
    is_normal(&world).await;
    let normal = healed.elapsed();
    assert!(normal <= NORMAL_WITHIN, "ready after {ready:?}, normal after {normal:?}");

    let present = visitors.are_seen_as_they_are(still_held(plan).saturating_sub(normal)).await;
    let ended = logins.stay_out(&world).await;
    let calls = phones.hang_up(plan).await;
    crew.writes(WRITES_AFTERWARDS).await;
    let writes = crew.written();
    crew.rest().await;
    let idle = Instant::now();
    let history = crew.dismiss().await;
    let in_step = idle.elapsed();
    assert!(in_step <= IN_STEP_WITHIN, "in step after {in_step:?}");
    world.end().await;
    let stats = history::must_be_right(&history);
    println!(
        "seed {} ({:?}): {} faults, {writes} writes, ready after {ready:?}, normal {normal:?}, presence {present:?}, \
         in step {in_step:?}, {ended}, {stats:?}, {calls:?}",
        plan.seed,
        plan.shared,
        plan.steps.len()
    );
}

/// For how long after a plan's end devices may count as there that a killed process held: until then nobody can know better.
fn still_held(plan: &Plan) -> Duration {
    let holds = [Topology::FiveProcesses.gateway_part(), Topology::FiveProcesses.chat_part()].map(Fault::Killed);
    let killed = plan.steps.iter().filter(|step| holds.contains(&step.fault));
    let until = killed.map(|step| step.ends + LEASE).max().unwrap_or_default();
    until.saturating_sub(plan.ends())
}

/// Five processes and a Redis, with a cable on each way.
async fn started() -> World {
    started_with(Shared::Alone).await
}

async fn started_with(shared: Shared) -> World {
    // Who has left is gone in less than the time in which presence must be right.
    let settings = Settings::default().by_cables().set("chat.presence_grace_ms", 1_000);
    let settings =
        settings.set("signaling.ring_ms", phones::RING_MS).set("signaling.reconnect_ms", phones::RECONNECT_MS);
    let settings = match shared {
        Shared::Alone => settings,
        Shared::Watched => settings.by_sentinels(),
    };
    World::with(Topology::FiveProcesses, settings).await
}

/// Awaits that every service uses Redis and lives on nothing else.
async fn is_normal(world: &World) {
    for service in SHARING {
        wait::until(&format!("{} to use Redis", service.as_str()), async || {
            let metrics = world.metrics(service).await;
            let (up, degraded) = (metrics.sum("redis_up", &[]), metrics.sum("redis_degraded_mode", &[]));
            (up == 1.0 && degraded == 0.0).then_some(())
        })
        .await;
    }
}

/// Tells what was done when the test fails.
struct ShownWhenItFails<'a>(&'a Plan);

impl Drop for ShownWhenItFails<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("SECURECONNECT_CHAOS_SEED={} runs this again. {}", self.0.seed, self.0);
        }
    }
}
