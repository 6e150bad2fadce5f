//! Nothing is lost: the real binary under load, each of its processes killed again and again, and the history checker on all of it.
//!
//! Eight clients write to four conversations: sends, edits, deletes, joins, leaves, kicks, invitations, reads. Each process of each
//! topology is killed on the spot (SIGKILL) while they do, 20 times in all, and started again; clients reconnect, resume and resend
//! by themselves. At the end every client must be in step, and all that was acknowledged, delivered and read must fit one log.

#![allow(clippy::print_stdout, reason = "the figures of a run stand beside its test")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test states what must be")]

mod bustle;
mod calls;
mod signaling;

use std::time::Duration;

use harness::{Crew, Topology, World, history};
use tokio::sync::Mutex;

/// Writes a second, while the system is up, below which this was no load.
const WRITES_A_SECOND: u64 = 1_000;
/// How many writes are acknowledged between two kills.
const WRITES_BETWEEN_KILLS: u64 = 1_000;

/// One run at a time: load is measured against the whole machine.
static ALONE: Mutex<()> = Mutex::const_new(());

/// How often each process is killed, per listed number.
fn kills(short: usize) -> usize {
    if std::env::var_os("SECURECONNECT_SOAK").is_some() { short * 10 } else { short }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_killed_under_load_loses_nothing() {
    under_load(Topology::OneProcess, kills(8)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_or_the_services_killed_under_load_lose_nothing() {
    under_load(Topology::GatewayApart, kills(12)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_of_five_processes_killed_under_load_loses_nothing() {
    under_load(Topology::FiveProcesses, kills(5)).await;
}

/// Kills the processes in turn, so many times in all.
async fn under_load(topology: Topology, kills: usize) {
    let _alone = ALONE.lock().await;
    let mut world = World::start(topology).await;
    let crew = Crew::assemble(&world).await;
    let mut rates = Vec::new();
    for part in topology.parts().iter().map(|part| part.name).cycle().take(kills) {
        rates.push(rate(crew.writes(WRITES_BETWEEN_KILLS).await));
        world.kill(part).await;
        world.restart(part).await;
    }
    rates.push(rate(crew.writes(WRITES_BETWEEN_KILLS).await));
    let writes = crew.written();
    let history = crew.dismiss().await;
    world.end().await;

    let stats = history::check(&history).unwrap_or_else(|violations| {
        let words: Vec<String> = violations.iter().take(20).map(ToString::to_string).collect();
        panic!("{} violations, the first:\n{}", violations.len(), words.join("\n"));
    });
    rates.sort_unstable();
    println!("{topology:?}: {writes} writes, {rates:?} a second, {kills} kills, {stats:?}");
    // Not all of them: a machine that does other work, too, has slow moments.
    assert!(rates[rates.len() * 3 / 4] >= WRITES_A_SECOND, "{rates:?} writes a second are no load");
}

/// Writes a second.
fn rate(took: Duration) -> u64 {
    WRITES_BETWEEN_KILLS * 1_000 / u64::try_from(took.as_millis()).unwrap().max(1)
}
