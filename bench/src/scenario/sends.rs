//! Durable sends: acknowledged after fsync, per CPU-second of the server and per second, from 8 clients with 64 in flight each.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use protocol::chat::SendMessage;
use protocol::frames::ClientFrame;
use protocol::{ClientId, ConversationId};
use serde_json::value::to_raw_value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::progress;
use crate::bed::{Bed, Deliveries};
use crate::process::{Floor, cpu_time};
use crate::report::{Goal, Row};
use crate::stats::Median;
use harness::Population;

const CLIENTS: usize = 8;
/// How many sends of each client are in flight.
const DEPTH: usize = 64;
/// How many sends each client makes in one run.
const SENDS: usize = 5_000;
/// Text of a message, in bytes.
const TEXT_BYTES: usize = 128;
/// What is asked: this share of the floor's sends per CPU-second,
const SHARE: f64 = 0.4;
/// and this many a second, end to end.
const PER_SECOND: f64 = 20_000.0;

/// What one run took.
struct Run {
    cpu: Duration,
    wall: Duration,
}

impl Run {
    fn per_cpu_second(&self) -> f64 {
        (CLIENTS * SENDS) as f64 / self.cpu.as_secs_f64().max(0.01)
    }

    fn per_second(&self) -> f64 {
        (CLIENTS * SENDS) as f64 / self.wall.as_secs_f64()
    }
}

pub(super) async fn run(runs: usize) -> Result<Vec<Row>> {
    let bar = progress("durable sends", (CLIENTS + runs * 2) as u64);
    // Each client writes to a group of its own, whose other member is not connected.
    let mut population = Population::of(2 * CLIENTS);
    for client in 0..CLIENTS {
        population.group("diary", &[client, CLIENTS + client]);
    }
    let mut bed = Bed::start(&population).await?;
    let deliveries = Arc::new(Deliveries::default());
    let members = bed.connect(0..CLIENTS, &deliveries, &bar).await?;
    let mut writers = Vec::new();
    for member in &members {
        writers.push((member.client.clone(), member.conversation().await?));
    }
    let directory = tempfile::tempdir()?;
    let (mut server, mut floor, mut client_cpu) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..=runs {
        let client_before = cpu_time(std::process::id())?;
        let of_server = server_run(bed.pid(), &writers).await?;
        let client = cpu_time(std::process::id())?.saturating_sub(client_before);
        let of_floor = floor_run(&directory.path().join(number.to_string())).await?;
        bar.inc(2);
        // The first run fills caches.
        if number > 0 {
            server.push(of_server);
            floor.push(of_floor);
            client_cpu.push(client.as_secs_f64());
        }
    }
    bar.finish();
    let row = |what: &str, unit, figure: fn(&Run) -> f64, goal| -> Result<Row> {
        let median =
            |runs: &[Run]| Median::of(&runs.iter().map(figure).collect::<Vec<_>>()).context("at least one run");
        Ok(Row {
            what: what.to_owned(),
            unit,
            server: median(&server)?,
            floor: median(&floor)?,
            floor_of_events: None,
            client_cpu_seconds: Median::of(&client_cpu).map(|cpu| cpu.median),
            goal,
        })
    };
    Ok(vec![
        row("durable sends", "sends / CPU-s", Run::per_cpu_second, Goal::ShareOfFloor(SHARE))?,
        row("durable sends, end to end", "sends / s", Run::per_second, Goal::AtLeast(PER_SECOND))?,
    ])
}

async fn server_run(pid: u32, writers: &[(client::Client, ConversationId)]) -> Result<Run> {
    let text = "x".repeat(TEXT_BYTES);
    let (cpu, began) = (cpu_time(pid)?, Instant::now());
    try_join_all(writers.iter().map(|(client, conversation)| {
        let text = text.as_str();
        stream::iter(0..SENDS)
            .map(move |_| client.send_message(*conversation, text, None))
            .buffered(DEPTH)
            .try_for_each(|_| std::future::ready(Ok(())))
    }))
    .await?;
    Ok(Run { cpu: cpu_time(pid)?.saturating_sub(cpu), wall: began.elapsed() })
}

async fn floor_run(directory: &Path) -> Result<Run> {
    std::fs::create_dir(directory)?;
    let floor = Floor::start(&["sends", &directory.display().to_string()])?;
    let sockets = try_join_all((0..CLIENTS).map(|_| TcpStream::connect(floor.address))).await?;
    let (cpu, began) = (cpu_time(floor.pid())?, Instant::now());
    try_join_all(sockets.into_iter().map(floor_client)).await?;
    Ok(Run { cpu: cpu_time(floor.pid())?.saturating_sub(cpu), wall: began.elapsed() })
}

/// Keeps as many sends in flight as a client of the server does.
async fn floor_client(socket: TcpStream) -> Result<()> {
    socket.set_nodelay(true)?;
    let (answers, mut requests) = socket.into_split();
    let mut answers = BufReader::new(answers);
    let conversation = ConversationId::now();
    let (mut sent, mut answered) = (0, 0);
    let mut line = Vec::new();
    while answered < SENDS {
        let mut out = Vec::new();
        while sent < SENDS && sent - answered < DEPTH {
            out.extend(frame(sent as u64, conversation)?);
            sent += 1;
        }
        requests.write_all(&out).await?;
        // One answer is awaited; what came with it is taken too, so that requests leave in groups as a socket's would.
        loop {
            line.clear();
            answers.read_until(b'\n', &mut line).await?;
            answered += 1;
            if !answers.buffer().contains(&b'\n') {
                break;
            }
        }
    }
    Ok(())
}

pub(super) fn frame(id: u64, conversation: ConversationId) -> Result<Vec<u8>> {
    let body = to_raw_value(&SendMessage { client_id: ClientId::now(), text: "x".repeat(TEXT_BYTES), reply_to: None })?;
    let frame = ClientFrame {
        id: Some(id),
        name: "messages.send".into(),
        to: Some(conversation.to_string().into()),
        key: None,
        traceparent: None,
        body: Some(&body),
    };
    let mut bytes = serde_json::to_vec(&frame)?;
    bytes.push(b'\n');
    Ok(bytes)
}
