//! One reader that stops reading delays nobody, and gets everything in the end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test states what must be")]

use std::collections::BTreeMap;
use std::time::Duration;

use harness::socket::Opening;
use harness::world::Settings;
use harness::{Event, Incoming, Socket, Topology, World, on_every_topology, wait};
use protocol::chat::MESSAGE_NEW;
use protocol::frames::EVENT_LIVE;
use protocol::{CloseCode, ServiceName};
use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

on_every_topology![a_reader_that_stops_delays_nobody_and_resumes_without_loss];

/// More than the kernel's buffers and the server's queue hold together.
const MESSAGES: usize = 400;
/// The kernel's receive buffer of the reader that stops: the smallest there is.
const SMALL_BUFFER: u32 = 4_096;
/// Far longer than a delivery takes, far shorter than the time after which a silent reader is given up.
const PROMPT: Duration = Duration::from_secs(2);

async fn a_reader_that_stops_delays_nobody_and_resumes_without_loss(topology: Topology) {
    let settings = Settings::default().set("gateway.slow_after_ms", 2_000);
    let world = World::with(topology, settings).await;
    let [ann, bob, slow] = world.people(["ann", "bob", "slow"]).await;
    let group = ann.group("stalled", &[&bob, &slow]).await;
    let opening = Opening { receive_buffer: Some(SMALL_BUFFER), ..Opening::default() };
    let mut stalled = Socket::open(world.gateway(), opening).await.expect("an upgrade");
    let welcome = stalled.hello(&slow.access).await;
    stalled.sync(Vec::new()).await;
    stalled.event(EVENT_LIVE).await;

    let (mut a, mut b) = (ann.device().await, bob.device().await);
    let mut slowest = Duration::ZERO;
    for n in 0..MESSAGES {
        let began = Instant::now();
        a.say(group, &text(n)).await;
        b.hears(&text(n)).await;
        slowest = slowest.max(began.elapsed());
    }
    assert!(slowest < PROMPT, "others waited {slowest:?}");

    wait::until("the server to give up the reader that stopped", async || {
        let metrics = world.metrics(ServiceName::Gateway).await;
        (metrics.sum("websocket_connections", &[]) <= 2.0).then_some(())
    })
    .await;
    a.say(group, "after").await;
    b.hears("after").await;

    let mut heard = BTreeMap::new();
    let closed = read_all(&mut stalled, &mut heard).await;
    assert!([CloseCode::Slow.number(), 1006].contains(&closed), "{closed}");
    assert!(heard.len() < MESSAGES, "it was really behind");

    let mut again = Socket::open(world.gateway(), Opening::default()).await.expect("an upgrade");
    let welcome = again.hello_again(&slow.access, &welcome).await;
    assert!(welcome.resumed);
    while heard.len() <= MESSAGES {
        let event = again.event(MESSAGE_NEW).await;
        note(&mut heard, &event);
    }
    let texts: Vec<String> = heard.into_values().collect();
    let expected: Vec<String> = (0..MESSAGES).map(text).chain(["after".to_owned()]).collect();
    assert!(texts == expected, "a message is missing or out of order");
    a.done(group, "messages.send", json!({ "client_id": Uuid::new_v4(), "text": "live" })).await;
    again.event_where("the next message", |event| event.body["text"] == "live").await;
    world.end().await;
}

/// A message of about 16 kB.
fn text(n: usize) -> String {
    format!("{n:08} {}", "🐌".repeat(3_900))
}

/// Reads what the kernel still holds, until the end.
async fn read_all(socket: &mut Socket, heard: &mut BTreeMap<u64, String>) -> u16 {
    loop {
        match socket.next().await {
            Incoming::Closed(closed) => return closed.code,
            Incoming::Event(event) if event.name == MESSAGE_NEW => note(heard, &event),
            Incoming::Event(_) | Incoming::Reply(..) | Incoming::Pong => {}
        }
    }
}

/// Entries come in order; one that was not acknowledged may come again after a resume.
fn note(heard: &mut BTreeMap<u64, String>, event: &Event) {
    let seq = event.from.unwrap().seq;
    let last = heard.keys().last().copied();
    assert!(last.is_none_or(|last| seq <= last + 1), "{seq} after {last:?}");
    heard.insert(seq, event.body["text"].as_str().unwrap().to_owned());
}
