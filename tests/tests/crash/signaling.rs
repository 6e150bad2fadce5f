//! Two signaling processes share the calls, and either is killed in the middle of them: the other one goes on with those that it served.
//!
//! Each round finds calls at both, one that rings, one whose callee has dropped and one that is over, and people who call and hang up all the time.
//! When the killed one is back it has new calls again.

use std::time::Duration;

use futures_util::future::join_all;
use harness::world::Settings;
use harness::{Topology, World, wait};
use protocol::ServiceName::Signaling;
use tokio::time::Instant;

use super::bustle::Bustle;
use super::calls::{BACK_WITHIN, Talk, drops, ends, rings};
use super::{ALONE, kills};

/// Calls that are under way at a kill: so many that both processes serve some, but for one time in thirty thousand.
const TALKS: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_outlive_either_of_two_signaling_processes() {
    let _alone = ALONE.lock().await;
    let settings = Settings::default().set("signaling.ring_ms", 5_000).set("signaling.reconnect_ms", 5_000);
    let mut world = World::with(Topology::Doubled, settings).await;
    let mut bustle = Bustle::of_people_in(&world).await;
    let parts: Vec<&str> = Topology::Doubled.parts_of(Signaling).collect();
    let mut took = Vec::new();
    let rounds = async {
        for number in 0..kills(2) {
            took.extend(round(&mut world, parts[number % parts.len()], number).await);
        }
    };
    bustle.while_done(rounds).await;
    let calls = bustle.left_its_records().await;
    wait::until("no call to be left", async || {
        (world.metrics(Signaling).await.sum("calls_active", &[]) == 0.0).then_some(())
    })
    .await;
    took.sort_unstable();
    let (least, most) = (took[0], took[took.len() - 1]);
    println!(
        "{} kills, {calls} calls beside; {} calls were followed in, all back after {least:?} to {most:?}",
        kills(2),
        took.len()
    );
    world.end().await;
}

/// One kill; answers how long those whose process it was were away.
async fn round(world: &mut World, killed: &str, number: usize) -> Vec<Duration> {
    let mut talks = Vec::new();
    for talk in 0..TALKS {
        let [ann, bob] = [format!("ann{number}.{talk}"), format!("bob{number}.{talk}")];
        talks.push(Talk::begin(world, [&ann, &bob]).await);
    }
    let left = [rings(world, number).await, drops(world, number).await, ends(world, number).await];
    world.kill(killed).await;
    let since = Instant::now();
    let followed = join_all(talks.iter_mut().map(|talk| talk.is_followed(killed, since))).await;
    let took: Vec<Duration> = followed.into_iter().flatten().collect();
    assert!((1..TALKS).contains(&took.len()), "{} of {TALKS} were served by {killed}", took.len());
    assert!(took.iter().all(|took| *took < BACK_WITHIN), "{took:?} after {killed}");
    world.restart(killed).await;
    for talk in talks {
        talk.ends().await;
    }
    for trace in &left {
        trace.came_to_its_end().await;
    }
    took
}
