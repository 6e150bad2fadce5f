//! Fan-out of a 128-byte message to 1,000 and to 10,000 members: deliveries per CPU-second of the server.
//!
//! One at a time: the next message is sent when all have the last one; every delivery is a write of its own. In bursts: 64 are in
//! flight, so that a connection's queue goes out in one write. The server also commits each message and encodes its event; the
//! floor only copies.
//!
//! The goal is a share of the floor that copies frames around 128 bytes. The server's frames say more than the text (which log and
//! entry, who, when), and the kernel's part grows with the bytes; so a second floor copies frames of an event's size. It judges
//! nothing; it tells how much of the distance is the program, and how much is what it has to say.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use futures_util::future::try_join_all;
use protocol::chat::{MESSAGE_NEW, Message};
use protocol::frames::{From, ServerFrame};
use protocol::{ClientId, ConversationId, StreamId, Tag, UserId};
use serde_json::value::to_raw_value;

use super::progress;
use crate::bed::{Bed, Deliveries, Member};
use crate::process::{Floor, cpu_time};
use crate::report::{Goal, Row};
use crate::stats::Median;
use harness::Population;

/// What is asked: this share of the floor's deliveries per CPU-second.
const SHARE: f64 = 0.6;
/// Text of a message, in bytes.
const TEXT_BYTES: usize = 128;
/// The header of a WebSocket frame of 126 to 65,535 bytes.
const HEADER_BYTES: usize = 4;
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
            let (mut server, mut client_cpu) = (Vec::new(), Vec::new());
            let (mut floor, mut floor_of_events) = (Vec::new(), Vec::new());
            server_run(&mut bed, &connected[0], conversation, &deliveries, load).await?;
            for _ in 0..runs {
                let figure = server_run(&mut bed, &connected[0], conversation, &deliveries, load).await?;
                server.push(figure.per_cpu_second);
                client_cpu.push(figure.client_cpu_seconds);
                bar.inc(1);
                floor.push(floor_run(load, TEXT_BYTES + HEADER_BYTES)?);
                floor_of_events.push(floor_run(load, event_bytes()? + HEADER_BYTES)?);
                bar.inc(1);
            }
            if let (Some(server), Some(floor)) = (Median::of(&server), Median::of(&floor)) {
                let how = if load.at_once == 1 { "one at a time" } else { "bursts of 64" };
                rows.push(Row {
                    what: format!("fan-out to {members}, {how}"),
                    unit: "deliveries / CPU-s",
                    server,
                    floor,
                    floor_of_events: Median::of(&floor_of_events),
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
fn floor_run(load: Load, frame_bytes: usize) -> Result<f64> {
    let floor = Floor::start(&["fanout", &load.members.to_string()])?;
    let mut readers = Floor::start(&["readers", &floor.address.to_string(), &load.members.to_string()])?;
    let mut publisher = TcpStream::connect(floor.address)?;
    publisher.set_nodelay(true)?;
    publisher.read_exact(&mut [0])?;
    let before = cpu_time(floor.pid())?;
    let burst = vec![b'x'; frame_bytes * load.at_once];
    for round in 1..=load.messages / load.at_once {
        publisher.write_all(&burst)?;
        readers.ask(&(round * load.members * burst.len()).to_string())?;
    }
    Ok(rate(load, cpu_time(floor.pid())?.saturating_sub(before)))
}

/// How many bytes the event of a message has.
fn event_bytes() -> Result<usize> {
    let (conversation, seq, at) = (ConversationId::now(), 1_000, 1_700_000_000_000);
    let message = Message {
        conversation,
        seq,
        number: seq,
        by: UserId::now(),
        client_id: ClientId::now(),
        text: "x".repeat(TEXT_BYTES),
        reply_to: None,
        at,
        edited_at: None,
        revision: 0,
        deleted: false,
    };
    let frame = ServerFrame {
        name: Some(MESSAGE_NEW.into()),
        from: Some(From { stream: StreamId::conversation(conversation), seq, tag: Tag(1) }),
        at: Some(at),
        body: Some(&to_raw_value(&message)?),
        ..ServerFrame::default()
    };
    Ok(serde_json::to_vec(&frame)?.len())
}

fn rate(load: Load, cpu: Duration) -> f64 {
    (load.members * (load.messages / load.at_once) * load.at_once) as f64 / cpu.as_secs_f64().max(0.01)
}
