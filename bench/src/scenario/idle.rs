//! Memory of an idle authenticated socket: the slope of the server's resident memory from 5,000 to 15,000 of them.
//!
//! Each socket is a user of its own in 20 conversations of 10, logged in, with session, limits and heartbeat. A slope leaves out
//! what the process needs anyway.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use indicatif::ProgressBar;
use tokio::net::TcpStream;

use super::progress;
use crate::bed::{Bed, Deliveries};
use crate::process::{self, Floor};
use crate::report::{Goal, Row};
use crate::stats::{Median, slope};
use harness::Population;

const STEPS: [usize; 5] = [5_000, 7_500, 10_000, 12_500, 15_000];
/// What an idle socket may cost, in bytes.
const BYTES_MAX: f64 = 8_000.0;

pub(super) async fn run(runs: usize) -> Result<Vec<Row>> {
    let people = STEPS[STEPS.len() - 1];
    let mut population = Population::of(people);
    population.twenty_conversations_of_ten(people);
    let bar = progress("idle sockets", (runs * people * 2) as u64);
    let (mut server, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        server.push(server_slope(&population, &bar).await?);
        floor.push(floor_slope(&bar).await?);
    }
    bar.finish();
    let (Some(server), Some(floor)) = (Median::of(&server), Median::of(&floor)) else { return Ok(Vec::new()) };
    Ok(vec![Row {
        what: "memory of an idle socket".to_owned(),
        unit: "bytes",
        server,
        floor,
        floor_of_events: None,
        client_cpu_seconds: None,
        goal: Goal::AtMost(BYTES_MAX),
    }])
}

async fn server_slope(population: &Population, bar: &ProgressBar) -> Result<f64> {
    let mut bed = Bed::start(population).await?;
    let pid = bed.pid();
    let deliveries = Arc::new(Deliveries::default());
    let mut members = Vec::new();
    let mut points = Vec::new();
    for step in STEPS {
        members.extend(bed.connect(members.len()..step, &deliveries, bar).await?);
        points.push((step as f64, settled_bytes(pid).await?));
    }
    Ok(slope(&points))
}

async fn floor_slope(bar: &ProgressBar) -> Result<f64> {
    let floor = Floor::start(&["idle"])?;
    let mut sockets = Vec::new();
    let mut points = Vec::new();
    for step in STEPS {
        while sockets.len() < step {
            sockets.push(TcpStream::connect(floor.address).await?);
            bar.inc(1);
        }
        points.push((step as f64, settled_bytes(floor.pid()).await?));
    }
    Ok(slope(&points))
}

/// Resident memory once it has stopped to change.
pub(super) async fn settled_bytes(pid: u32) -> Result<f64> {
    let mut last = process::resident_bytes(pid)?;
    let mut calm = 0;
    while calm < 4 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = process::resident_bytes(pid)?;
        calm = if now.abs_diff(last) < 64 * 1024 { calm + 1 } else { 0 };
        last = now;
    }
    Ok(last as f64)
}
