//! A process that is asked to end sends its clients away in time, finishes and goes.

use std::collections::BTreeSet;
use std::time::Duration;

use harness::topology::CORE;
use harness::{Rest, Topology, World, on_every_topology};
use protocol::CloseCode;
use serde_json::json;
use tokio::time::Instant;

on_every_topology![
    a_drained_gateway_spreads_its_clients_and_ends_in_time,
    what_was_acknowledged_before_the_drain_is_there_after_it,
    a_second_signal_does_not_wait,
];

/// Longer than any drain may take.
const DEADLINE: Duration = Duration::from_secs(15);

async fn a_drained_gateway_spreads_its_clients_and_ends_in_time(topology: Topology) {
    let mut world = World::start(topology).await;
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
    world.signal(CORE, libc::SIGTERM);
    world.signal_again(CORE, libc::SIGTERM);
    world.exited(CORE).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}
