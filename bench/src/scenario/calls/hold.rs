//! What 14,000 people cost: as sockets that are idle, and in 7,000 calls of two.
//!
//! Two servers on the same population, one after the other: on the first everyone only connects, on the second everyone connects and
//! is in a call. Memory is the slope over the number of people, so that what the process needs anyway is left out. Then nothing happens
//! for ten seconds: heartbeats are all that costs anything, unless calls do.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use indicatif::ProgressBar;
use protocol::ConversationId;
use protocol::StreamKind;

use super::floors::Commits;
use super::phone::{Phone, Place, callee};
use super::{CALLS, Figure};
use crate::bed::Bed;
use crate::process::cpu_time;
use crate::report::Goal;
use crate::scenario::idle::settled_bytes;
use crate::stats::slope;

/// At how many calls memory is looked at.
const STEPS: [usize; 5] = [CALLS / 3, CALLS / 2, CALLS * 2 / 3, CALLS * 5 / 6, CALLS];
/// How many calls are set up at once.
const STARTING: usize = 64;
/// How long nothing happens.
const QUIET: Duration = Duration::from_secs(10);

/// What a participant may cost, socket included, in bytes.
const BYTES_MAX: f64 = 20_000.0;
/// The server's CPU time that someone's coming in may take, in milliseconds.
const JOIN_MS_MAX: f64 = 0.4;

/// Two people in a call.
pub(super) struct Talk {
    pub(super) caller: Phone,
    pub(super) callee: Phone,
    pub(super) caller_at: Place,
    pub(super) callee_at: Place,
}

/// The floor: the same people, idle.
pub(super) struct Idle {
    bytes: f64,
    quiet: Duration,
}

/// Connects everyone, two by two as [`talk`] does, and lets them be.
pub(super) async fn idle(bed: &mut Bed, bar: &ProgressBar) -> Result<Idle> {
    let pid = bed.pid();
    let (mut phones, mut points) = (Vec::new(), Vec::new());
    for step in STEPS {
        phones.extend(bed.open(phones.len()..2 * step, bar).await?.into_iter().map(Phone::new));
        points.push((phones.len() as f64, settled_bytes(pid).await?));
    }
    let quiet = quiet(pid).await?;
    stop(phones).await;
    Ok(Idle { bytes: slope(&points), quiet })
}

/// Connects everyone and has them call each other.
pub(super) async fn talk(
    bed: &mut Bed,
    idle: &Idle,
    commits: &mut Commits,
    bar: &ProgressBar,
) -> Result<(Vec<Talk>, Vec<Figure>)> {
    let pid = bed.pid();
    let (mut talks, mut points) = (Vec::with_capacity(CALLS), Vec::new());
    let (mut server, mut client) = (Duration::ZERO, Duration::ZERO);
    for step in STEPS {
        let phones = bed.open(2 * talks.len()..2 * step, bar).await?;
        let pairs = in_pairs(phones.into_iter().map(Phone::new).collect()).await?;
        let (server_before, client_before) = (cpu_time(pid)?, cpu_time(std::process::id())?);
        let started: Vec<Talk> = stream::iter(pairs).map(Pair::call).buffer_unordered(STARTING).try_collect().await?;
        server += cpu_time(pid)?.saturating_sub(server_before);
        client += cpu_time(std::process::id())?.saturating_sub(client_before);
        talks.extend(started);
        points.push((2.0 * talks.len() as f64, settled_bytes(pid).await?));
    }
    let quiet = quiet(pid).await?;
    ensure!(bed.calls_active().await == CALLS, "not all calls are up");
    let figures = vec![
        Figure {
            what: "memory of a participant, socket included",
            unit: "bytes",
            server: slope(&points),
            floor: idle.bytes,
            client_cpu: None,
            goal: Goal::AtMost(BYTES_MAX),
        },
        Figure {
            what: "CPU of coming in (start or join)",
            unit: "ms of CPU",
            server: server.as_secs_f64() * 1_000.0 / (2 * CALLS) as f64,
            floor: commits.cpu_seconds_each(100).await? * 1_000.0,
            client_cpu: Some(client.as_secs_f64()),
            goal: Goal::AtMost(JOIN_MS_MAX),
        },
        Figure {
            what: "CPU in 10 quiet seconds, 14,000 people",
            unit: "ms of CPU",
            server: quiet.as_secs_f64() * 1_000.0,
            floor: idle.quiet.as_secs_f64() * 1_000.0,
            client_cpu: None,
            goal: Goal::None,
        },
    ];
    Ok((talks, figures))
}

/// Ends everyone's client, so that the next server finds as many files free as this one did.
pub(super) async fn stop(phones: Vec<Phone>) {
    stream::iter(phones).for_each_concurrent(STARTING, |phone| phone.client.stop()).await;
}

struct Pair {
    caller: Phone,
    callee: Phone,
    conversation: ConversationId,
}

/// Everyone with whom they share a conversation. It is known without a question to the server, which would be measured too.
async fn in_pairs(phones: Vec<Phone>) -> Result<Vec<Pair>> {
    let mut pairs = Vec::with_capacity(phones.len() / 2);
    let mut phones = phones.into_iter();
    while let (Some(caller), Some(callee)) = (phones.next(), phones.next()) {
        let (_, positions) = caller.client.positions().await.context("a client has stopped")?;
        let stream = positions.iter().find(|known| known.stream.kind == StreamKind::Conversation);
        let conversation = ConversationId(stream.context("a conversation")?.stream.id);
        pairs.push(Pair { caller, callee, conversation });
    }
    Ok(pairs)
}

impl Pair {
    async fn call(self) -> Result<Talk> {
        let Self { caller, callee: other, conversation } = self;
        let started = caller.start(conversation).await?;
        let joined = other.join(started.call.id).await?;
        let caller_at = Place::of(&started, started.call.by)?;
        let callee_at = Place::of(&joined, callee(&joined.call)?)?;
        Ok(Talk { caller, callee: other, caller_at, callee_at })
    }
}

async fn quiet(pid: u32) -> Result<Duration> {
    let (before, began) = (cpu_time(pid)?, Instant::now());
    tokio::time::sleep(QUIET).await;
    let cpu = cpu_time(pid)?.saturating_sub(before);
    // A busy machine may wake us late.
    Ok(cpu.mul_f64(QUIET.as_secs_f64() / began.elapsed().as_secs_f64()))
}
