//! The load of one run: everybody writes at once, then one writes and waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use client::core::Event;
use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::cost::{Cost, RedisCost};
use super::logouts;
use crate::bed::{Bed, Deliveries, Member};
use crate::process::cpu_time;

/// How many are in the group, all connected.
pub(super) const MEMBERS: usize = 8;
/// How many messages each sends.
const SENDS: usize = 2_000;
/// How many sends of each are in flight.
const DEPTH: usize = 16;
/// Messages that are sent before anything is measured.
const WARM_UP: usize = 200;
/// Messages that are sent one at a time.
const SINGLES: usize = 1_000;
/// Text of a message, in bytes.
const TEXT_BYTES: usize = 128;

pub(super) async fn run(bed: &mut Bed) -> Result<Cost> {
    let hidden = indicatif::ProgressBar::hidden();
    let deliveries = Arc::new(Deliveries::default());
    let members = bed.connect(0..MEMBERS, &deliveries, &hidden).await?;
    write(&members, WARM_UP, &deliveries).await?;

    let (cpu_before, redis_before) = (cpu(bed)?, redis(bed).await?);
    let began = Instant::now();
    write(&members, SENDS, &deliveries).await?;
    let wall = began.elapsed();
    let (cpu_after, redis_after) = (cpu(bed)?, redis(bed).await?);

    let redis = redis_before.zip(redis_after).map(|(before, after)| RedisCost {
        cpu: after.cpu.saturating_sub(before.cpu),
        commands: after.commands - before.commands,
        bytes: after.bytes - before.bytes,
    });
    let cpu = cpu_after.saturating_sub(cpu_before);
    let latencies_ms = singles(bed, &members).await?;
    let logouts_ms = logouts::run(bed).await?;
    Ok(Cost { messages: MEMBERS * SENDS, cpu, wall, redis, latencies_ms, logouts_ms })
}

/// Everybody sends so many, and everybody has heard them all.
async fn write(members: &[Member], sends: usize, deliveries: &Arc<Deliveries>) -> Result<()> {
    let text = "x".repeat(TEXT_BYTES);
    let total = deliveries.total() + (members.len() * members.len() * sends) as u64;
    try_join_all(members.iter().map(|member| {
        let text = text.as_str();
        async move {
            let conversation = member.conversation().await?;
            let client = &member.client;
            stream::iter(0..sends)
                .map(|_| client.send_message(conversation, text, None))
                .buffered(DEPTH)
                .try_for_each(|_| std::future::ready(Ok(())))
                .await?;
            Ok::<_, anyhow::Error>(())
        }
    }))
    .await?;
    deliveries.wait_for_total(total).await;
    Ok(())
}

/// One at a time, to the event at somebody else's.
async fn singles(bed: &Bed, members: &[Member]) -> Result<Vec<f64>> {
    let mut listening = bed.open(1..2, &indicatif::ProgressBar::hidden()).await?;
    let (_listener, events) = listening.first_mut().context("a listener")?;
    let writer = members.first().context("a writer")?;
    let conversation = writer.conversation().await?;
    let text = "x".repeat(TEXT_BYTES);
    let mut latencies = Vec::with_capacity(SINGLES);
    for _ in 0..SINGLES {
        let began = Instant::now();
        let (sent, heard) = tokio::join!(writer.client.send_message(conversation, &text, None), async {
            loop {
                match events.recv().await {
                    Some(Event::Entry(entry)) if entry.name == protocol::chat::MESSAGE_NEW => {
                        return Ok(began.elapsed());
                    }
                    Some(_) => {}
                    None => anyhow::bail!("the listener ended"),
                }
            }
        });
        sent?;
        latencies.push(heard?.as_secs_f64() * 1_000.0);
    }
    Ok(latencies)
}

fn cpu(bed: &mut Bed) -> Result<Duration> {
    bed.pids().into_iter().map(cpu_time).sum()
}

async fn redis(bed: &mut Bed) -> Result<Option<RedisCost>> {
    let Some(server) = bed.redis() else { return Ok(None) };
    let cpu = cpu_time(server.pid())?;
    let stats = server.ask(&["INFO", "stats"]).await;
    let number = |name: &str| -> Result<f64> {
        let line = stats.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        Ok(line.with_context(|| format!("no {name} in INFO stats"))?.trim().parse()?)
    };
    let bytes = number("total_net_input_bytes")? + number("total_net_output_bytes")?;
    Ok(Some(RedisCost { cpu, commands: number("total_commands_processed")?, bytes }))
}
