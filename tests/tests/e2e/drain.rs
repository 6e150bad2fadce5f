//! A process that is asked to end sends its clients away in time, finishes and goes.

use std::collections::BTreeSet;
use std::time::Duration;

use harness::socket::Opening;
use harness::world::Settings;
use harness::{Rest, Socket, Topology, World, on_every_topology};
use protocol::CloseCode;
use protocol::frames::EVENT_LIVE;
use serde_json::json;
use tokio::time::Instant;

on_every_topology![
    a_drained_gateway_spreads_its_clients_and_ends_in_time,
    what_was_acknowledged_before_the_drain_is_there_after_it,
    a_second_signal_does_not_wait,
    a_reader_that_stopped_holds_up_no_drain,
    a_second_signal_does_not_wait_for_a_reader_that_stopped,
    a_socket_that_says_nothing_holds_up_no_drain,
];

/// Longer than any drain may take.
const DEADLINE: Duration = Duration::from_secs(15);

async fn a_drained_gateway_spreads_its_clients_and_ends_in_time(topology: Topology) {
    let mut world = World::start(topology).await;
    world.clients_use(topology.gateway_part());
    let ann = world.person("ann").await;
    let mut devices = vec![ann.device().await];
    for n in 0..19 {
        devices.push(ann.login(&format!("device {n}")).await.device().await);
    }
    let began = Instant::now();
    world.signal(topology.gateway_part(), libc::SIGTERM);
    let mut delays = BTreeSet::new();
    for device in &mut devices {
        let closed = device.socket.closed().await;
        assert_eq!(closed.code, CloseCode::Reconnect.number(), "{closed:?}");
        delays.insert(closed.reason.parse::<u64>().expect("milliseconds in the reason"));
    }
    assert!(delays.len() > 5, "spread over time: {delays:?}");
    let status = world.exited(topology.gateway_part()).await;
    assert_eq!(status.code(), Some(0));
    assert!(began.elapsed() < DEADLINE, "{:?}", began.elapsed());
    let gone = harness::rest::try_send(Rest::to(world.gateway()).request("GET", "/v1/me")).await;
    assert!(gone.is_err());
}

async fn what_was_acknowledged_before_the_drain_is_there_after_it(topology: Topology) {
    let mut world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let mut device = ann.device().await;
    let to = conversation.to_string();
    for n in 0..50 {
        let body = json!({ "client_id": uuid::Uuid::new_v4(), "text": n.to_string() });
        device.socket.start("messages.send", Some(&to), &body).await;
    }
    let last = device.say(conversation, "last").await;
    for part in topology.parts().iter().rev() {
        assert_eq!(world.terminate(part.name).await.code(), Some(0), "{}", part.name);
    }
    for part in topology.parts() {
        world.restart(part.name).await;
    }
    let page = bob.history(conversation, json!({ "limit": 100 })).await;
    assert_eq!(page.messages.len(), 51);
    assert_eq!(page.messages.last().unwrap().seq, last.position.seq);
    world.end().await;
}

async fn a_second_signal_does_not_wait(topology: Topology) {
    let mut world = World::start(topology).await;
    let ann = world.person("ann").await;
    let _device = ann.device().await;
    let began = Instant::now();
    world.signal(topology.chat_part(), libc::SIGTERM);
    world.signal_again(topology.chat_part(), libc::SIGTERM);
    world.exited(topology.chat_part()).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

/// The kernel's receive buffer of the reader that stops: the smallest there is.
const SMALL_BUFFER: u32 = 4_096;
/// More of [`LONG`] than the kernel's buffers hold, less than the server's queue does.
const MESSAGES: usize = 400;
/// A drain that would wait for the reader would take as long as this.
const LONG_DRAIN: Duration = Duration::from_secs(60);

/// A world whose drain may take long, with one socket that has stopped reading while its queue is full.
async fn with_a_reader_that_stopped(topology: Topology) -> (World, harness::people::Device, Socket) {
    let settings = Settings::default()
        .set("drain.drain_ms", LONG_DRAIN.as_millis())
        .set("gateway.slow_after_ms", LONG_DRAIN.as_millis())
        .set("gateway.queue_bytes", 64 << 20);
    let mut world = World::with(topology, settings).await;
    world.clients_use(topology.gateway_part());
    let [ann, slow] = world.people(["ann", "slow"]).await;
    let conversation = ann.direct(&slow).await;
    let opening = Opening { receive_buffer: Some(SMALL_BUFFER), ..Opening::default() };
    let mut stalled = Socket::open(world.gateway(), opening).await.expect("an upgrade");
    stalled.hello(&slow.access).await;
    stalled.sync(Vec::new()).await;
    stalled.event(EVENT_LIVE).await;
    let mut device = ann.device().await;
    for _ in 0..MESSAGES {
        device.say(conversation, &"🐌".repeat(3_900)).await;
    }
    (world, device, stalled)
}

async fn a_reader_that_stopped_holds_up_no_drain(topology: Topology) {
    let (mut world, mut device, stalled) = with_a_reader_that_stopped(topology).await;
    let began = Instant::now();
    world.signal(topology.gateway_part(), libc::SIGTERM);
    assert_eq!(device.socket.closed().await.code, CloseCode::Reconnect.number());
    let status = world.exited(topology.gateway_part()).await;
    assert_eq!(status.code(), Some(0));
    assert!(began.elapsed() < DEADLINE, "{:?}", began.elapsed());
    stalled.cut();
}

async fn a_second_signal_does_not_wait_for_a_reader_that_stopped(topology: Topology) {
    let (mut world, mut device, stalled) = with_a_reader_that_stopped(topology).await;
    world.signal(topology.gateway_part(), libc::SIGTERM);
    // It drains, and the reader holds it.
    device.socket.closed().await;
    let forced = Instant::now();
    world.signal_again(topology.gateway_part(), libc::SIGTERM);
    world.exited(topology.gateway_part()).await;
    assert!(forced.elapsed() < Duration::from_secs(3), "{:?}", forced.elapsed());
    stalled.cut();
}

async fn a_socket_that_says_nothing_holds_up_no_drain(topology: Topology) {
    let mut world = World::start(topology).await;
    let mut silent = Socket::open(world.gateway(), Opening::default()).await.expect("an upgrade");
    let began = Instant::now();
    world.signal(topology.gateway_part(), libc::SIGTERM);
    assert_eq!(silent.closed().await.code, CloseCode::Unavailable.number());
    assert_eq!(world.exited(topology.gateway_part()).await.code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(8), "a hello may take ten seconds: {:?}", began.elapsed());
}
