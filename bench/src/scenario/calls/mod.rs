//! 7,000 calls of two held by one server process: what they cost, and how soon their devices hear of each other.
//!
//! A run starts two servers: one on which everyone is idle, which is the floor of what a call costs, and one on which all calls are up
//! while everything else is measured. The floors of what happens in a call are programs, as in the other scenarios.

mod figure;
mod floors;
mod hold;
mod media;
mod phone;
mod ring;
mod signals;

use std::time::Duration;

use anyhow::Result;

use super::progress;
use crate::bed::Bed;
use crate::report::Row;
use figure::Figure;
use floors::{Commits, Relay};
use harness::Population;
use hold::Talk;
use ring::Household;

/// How many calls are up.
const CALLS: usize = 7_000;

/// How it is measured.
pub(crate) const METHOD: &str = "\
One server process holds 7,000 1-1 calls: 14,000 people, each with a socket and an address of its own, in one client process on the same machine.
Every run starts two servers on the same imported people, one where all are only connected and one where all are in calls.
Memory: the slope of resident memory over the number of people, from a third of them to all; the floor is the idle ones. CPU of coming in: the
server's, mean over 7,000 `call.start` and 7,000 `call.join`, 64 calls being set up at once (so a call costs twice that); the floor is what the durable
sends' floor takes for a send. Quiet: what the server uses while nobody says anything but heartbeats; the floor is the idle server.
Latencies run from the moment before the client library is given the command to the moment after it hands over the event, with all calls up. They are
percentiles within a run, and medians of those over the runs. A change is a `call.media`, 500 a run, one every 10 ms, each in another call, whether or not the last one has
arrived (the floor's commits wait for each other, so a pause of the disk delays one of them and several changes). Ring: 200 a run,
the callee logged in on three devices, until both of the others have the register. Answer to negotiated: 200 a run, `call.join`, then an offer and an
answer of 2 KiB, each until it is heard. The floor of what is committed before it is told is one commit over TCP (`synchronous=FULL`, answered); the
floor of what is relayed is a copy over TCP. Signals: 64 calls at once, 8 offers in flight in each.

What lies between (read from the code, not from a profile): a change is told after its commit. Beside the fsync, which the floor waits for as well, it goes from the socket's task to the
store's writer thread and back, to the hub's task, to the other one's socket and through the client library: five wakes, where the floor has three. On
two cores that do other work too each of them may wait for its turn; what part of the 99th percentiles that is was not measured apart. A signal is parsed,
checked line by line, numbered, kept for a leg that comes back, encoded as an event and answered, where the floor copies bytes.";

pub(crate) async fn run(runs: usize) -> Result<Vec<Row>> {
    let mut population = Population::of(2 * CALLS);
    for call in 0..CALLS {
        population.direct(2 * call, 2 * call + 1);
    }
    let bar = progress("calls", (runs * (4 * CALLS + 2 * ring::ROUNDS)) as u64);
    let mut measured = Vec::new();
    for _ in 0..runs {
        let mut bed = Bed::start(&population).await?;
        let idle = hold::idle(&mut bed, &bar).await?;
        drop(bed);
        let mut commits = Commits::start(signals::PAIRS).await?;
        let mut relay = Relay::start(signals::PAIRS).await?;
        let mut bed = Bed::start(&population).await?;
        let (mut talks, mut figures) = hold::talk(&mut bed, &idle, &mut commits, &bar).await?;
        figures.extend(media::run(&mut talks, &mut commits).await?);
        let mut household = Household::connect(&bed).await?;
        figures.extend(household.ring(&mut commits, &bar).await?);
        figures.extend(household.negotiate(&mut commits, &mut relay, &bar).await?);
        figures.push(signals::run(bed.pid(), &mut talks, &mut relay).await?);
        let phones = talks.into_iter().flat_map(|Talk { caller, callee, .. }| [caller, callee]);
        hold::stop(phones.chain(household.phones()).collect()).await;
        measured.push(figures);
    }
    bar.finish();
    Ok(figure::rows(&measured))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
