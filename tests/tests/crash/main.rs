//! Nothing is lost: the real binary under load, each of its processes killed again and again, and the history checker on all of it.
//!
//! Eight clients write to four conversations: sends, edits, deletes, joins, leaves, kicks, invitations, reads. Each process of each
//! topology is killed on the spot (SIGKILL) while they do, 20 times in all, and started again; clients reconnect, resume and resend
//! by themselves. At the end every client must be in step, and all that was acknowledged, delivered and read must fit one log.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test states what must be")]

mod crew;
mod steps;

use std::time::Duration;

use harness::topology::{CORE, EDGE};
use harness::{Topology, World, history};
use tokio::time::Instant;

use crew::Crew;

/// Writes a second, while the system is up, below which this was no load.
const WRITES_A_SECOND: f64 = 1_000.0;
/// How many writes are acknowledged between two kills.
const WRITES_BETWEEN_KILLS: u64 = 1_000;

/// How often each process is killed, per listed number.
fn kills(short: usize) -> usize {
    if std::env::var_os("SECURECONNECT_SOAK").is_some() { short * 10 } else { short }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_killed_under_load_loses_nothing() {
    under_load(Topology::OneProcess, &vec![CORE; kills(8)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_gateway_or_the_services_killed_under_load_lose_nothing() {
    let alternating = [CORE, EDGE].into_iter().cycle().take(kills(12));
    under_load(Topology::GatewayApart, &alternating.collect::<Vec<_>>()).await;
}

async fn under_load(topology: Topology, killed: &[&str]) {
    let mut world = World::start(topology).await;
    let crew = Crew::assemble(&world).await;
    let mut up = Duration::ZERO;
    for part in killed {
        let began = Instant::now();
        crew.writes(WRITES_BETWEEN_KILLS).await;
        up += began.elapsed();
        world.kill(part).await;
        world.restart(part).await;
    }
    let began = Instant::now();
    crew.writes(WRITES_BETWEEN_KILLS).await;
    up += began.elapsed();
    let writes = crew.written();
    let history = crew.dismiss().await;
    world.end().await;

    let rate = WRITES_BETWEEN_KILLS as f64 * (killed.len() + 1) as f64 / up.as_secs_f64();
    let stats = history::check(&history).unwrap_or_else(|violations| {
        let words: Vec<String> = violations.iter().take(20).map(ToString::to_string).collect();
        panic!("{} violations, the first:\n{}", violations.len(), words.join("\n"));
    });
    println!("{topology:?}: {writes} writes, {rate:.0} a second, {} kills, {stats:?}", killed.len());
    assert!(rate >= WRITES_A_SECOND, "{rate:.0} writes a second are no load");
}
