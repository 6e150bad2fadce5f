//! Fan-out of a 128-byte message to 1,000 and to 10,000 members: deliveries per CPU-second of the server.
//!
//! One at a time: the next message is sent when all have the last one; every delivery is a write of its own. In bursts: 64 are in
//! flight, so that a connection's queue goes out in one write. The server also commits each message and encodes its event; the
//! floor only copies.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use futures_util::future::try_join_all;
use protocol::ConversationId;

use super::progress;
use crate::bed::{Bed, Deliveries, Member};
use crate::population::Population;
use crate::process::{Floor, cpu_time};
use crate::report::{Goal, Row};
use crate::stats::Median;

/// What is asked: this share of the floor's deliveries per CPU-second.
const SHARE: f64 = 0.6;
/// Text of a message, in bytes.
const TEXT_BYTES: usize = 128;
/// A WebSocket frame of 128 bytes: two bytes of header, two of length.
const FRAME_BYTES: usize = TEXT_BYTES + 4;
/// How many messages are in flight in a burst.
const BURST: usize = 64;

/// How many messages a run sends, for how many members, how many at once.
#[derive(Clone, Copy)]
struct Load {
    members: usize,
    messages: usize,
    at_once: usize,
}

const LOADS: [[Load; 2]; 2] = [
    [Load { members: 1_000, messages: 200, at_once: 1 }, Load { members: 1_000, messages: 20 * BURST, at_once: BURST }],
    [Load { members: 10_000, messages: 40, at_once: 1 }, Load { members: 10_000, messages: 4 * BURST, at_once: BURST }],
];

/// Deliveries per CPU-second of the server, and the client's CPU-seconds.
struct Figure {
    per_cpu_second: f64,
    client_cpu_seconds: f64,
}

pub(super) async fn run(runs: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for loads in LOADS {
        let members = loads[0].members;
        let bar = progress(&format!("fan-out to {members}"), (members + runs * loads.len() * 2) as u64);
        let mut population = Population::of(members);
        population.group("everyone", &(0..members).collect::<Vec<_>>());
        let mut bed = Bed::start(&population).await?;
        let deliveries = Arc::new(Deliveries::default());
        let connected = bed.connect(0..members, &deliveries, &bar).await?;
        let conversation = connected[0].conversation().await?;
        for load in loads {
            let (mut server, mut floor, mut client_cpu) = (Vec::new(), Vec::new(), Vec::new());
            server_run(&mut bed, &connected[0], conversation, &deliveries, load).await?;
            for _ in 0..runs {
                let figure = server_run(&mut bed, &connected[0], conversation, &deliveries, load).await?;
                server.push(figure.per_cpu_second);
                client_cpu.push(figure.client_cpu_seconds);
                bar.inc(1);
                floor.push(floor_run(load)?);
                bar.inc(1);
            }
            if let (Some(server), Some(floor)) = (Median::of(&server), Median::of(&floor)) {
                let how = if load.at_once == 1 { "one at a time" } else { "bursts of 64" };
                rows.push(Row {
                    what: format!("fan-out to {members}, {how}"),
                    unit: "deliveries / CPU-s",
                    server,
                    floor,
                    client_cpu_seconds: Median::of(&client_cpu).map(|cpu| cpu.median),
                    goal: Goal::ShareOfFloor(SHARE),
                });
            }
        }
        bar.finish();
    }
    Ok(rows)
}

async fn server_run(
    bed: &mut Bed,
    sender: &Member,
    conversation: ConversationId,
    deliveries: &Deliveries,
    load: Load,
) -> Result<Figure> {
    let text = "x".repeat(TEXT_BYTES);
    let pid = bed.pid();
    let (server_before, client_before) = (cpu_time(pid)?, cpu_time(std::process::id())?);
    for _ in 0..load.messages / load.at_once {
        let goal = deliveries.total() + (load.members * load.at_once) as u64;
        try_join_all((0..load.at_once).map(|_| sender.client.send_message(conversation, text.as_str(), None))).await?;
        deliveries.wait_for_total(goal).await;
    }
    let server = cpu_time(pid)?.saturating_sub(server_before);
    let client = cpu_time(std::process::id())?.saturating_sub(client_before);
    Ok(Figure { per_cpu_second: rate(load, server), client_cpu_seconds: client.as_secs_f64() })
}

/// Blocking is fine: nothing else of this process has work while the floor is measured.
fn floor_run(load: Load) -> Result<f64> {
    let floor = Floor::start(&["fanout", &load.members.to_string()])?;
    let mut readers = Floor::start(&["readers", &floor.address.to_string(), &load.members.to_string()])?;
    let mut publisher = TcpStream::connect(floor.address)?;
    publisher.set_nodelay(true)?;
    publisher.read_exact(&mut [0])?;
    let before = cpu_time(floor.pid())?;
    let burst = vec![b'x'; FRAME_BYTES * load.at_once];
    for round in 1..=load.messages / load.at_once {
        publisher.write_all(&burst)?;
        readers.ask(&(round * load.members * burst.len()).to_string())?;
    }
    Ok(rate(load, cpu_time(floor.pid())?.saturating_sub(before)))
}

fn rate(load: Load, cpu: Duration) -> f64 {
    (load.members * (load.messages / load.at_once) * load.at_once) as f64 / cpu.as_secs_f64().max(0.01)
}
