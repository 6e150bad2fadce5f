//! However processes are joined, what goes on between them is what goes on in one.

use std::net::SocketAddr;

use harness::calls::status;
use harness::world::Settings;
use harness::{Phone, Topology, World, on_every_topology, wait};
use protocol::ServiceName::{Gateway, Signaling};
use protocol::calls::{CallStatus, ParticipantStatus};

on_every_topology![
    what_goes_on_between_machines_is_what_goes_on_in_one,
    what_goes_on_by_ports_is_what_goes_on_in_one,
    an_instance_that_nobody_runs_is_passed_over,
];

async fn what_goes_on_between_machines_is_what_goes_on_in_one(topology: Topology) {
    // No data directory is shared, and all goes by mutual TLS.
    goes_on(topology, Settings::default().between_machines()).await;
}

async fn what_goes_on_by_ports_is_what_goes_on_in_one(topology: Topology) {
    goes_on(topology, Settings::default().by_ports()).await;
}

#[tokio::test]
async fn what_goes_on_between_two_nodes_is_what_goes_on_in_one() {
    goes_on(Topology::TwoNodes, Settings::default()).await;
}

#[tokio::test]
async fn what_goes_on_between_two_of_each_is_what_goes_on_in_one() {
    goes_on(Topology::Doubled, Settings::default().by_cables()).await;
}

/// A message, a call, and a gateway that crashes.
async fn goes_on(topology: Topology, settings: Settings) {
    let mut world = World::with(topology, settings).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let mut device = bob.device().await;
    ann.say(conversation, "hello").await;
    device.hears("hello").await;
    drop(device);

    let mut phones = [Phone::of(&ann).await, Phone::of(&bob).await];
    let call = phones[0].call(conversation).await.call.id;
    phones[1].join(call).await;
    phones[0].sees_user(call, bob.id, ParticipantStatus::Joined).await;
    drop(phones);

    if topology != Topology::OneProcess {
        // The connection comes back, and what was said meanwhile is not lost.
        let mut device = bob.device().await;
        world.crash(world.part_at(bob.gateway)).await;
        device.socket.closed().await;
        ann.say(conversation, "again").await;
        bob.device().await;
        assert_eq!(bob.history(conversation, serde_json::json!({ "limit": 1 })).await.messages[0].text, "again");
    }
    world.end().await;
}

async fn an_instance_that_nobody_runs_is_passed_over(topology: Topology) {
    if topology.has_machines() {
        // There every list names several.
        return;
    }
    let mut world = World::with(topology, Settings::default().by_ports()).await;
    // The list that every node could have: signaling where it is, also if that is here, and where nobody is.
    let there = world.link(Signaling).expect("signaling's port");
    let nobody = SocketAddr::new(world.host().into(), 1);
    let part = topology.gateway_part();
    assert_eq!(world.terminate(part).await.code(), Some(0));
    let both = format!(r#"["{there}", "{nobody}"]"#);
    *world.settings() = world.settings().clone().set("link.peers.signaling", both);
    world.spawn(part).await;
    let dependency = format!("video-service@{nobody}");
    wait::until("the gateway to serve, and to know who is not there", async || {
        let ready = harness::rest::try_send(world.rest().request("GET", "/readyz")).await.ok()?;
        let report: serde_json::Value = serde_json::from_slice(&ready.body).ok()?;
        let dependencies = &report["dependencies"];
        let known = dependencies["video-service"]["state"] == "up" && dependencies[&dependency]["state"] == "down";
        (ready.status == 200 && known).then_some(())
    })
    .await;
    let open = world.metrics(Gateway).await.sum("circuit_breaker_state", &[("dependency", &dependency)]);
    assert_eq!(open, 2.0);

    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let mut phones = [Phone::of(&ann).await, Phone::of(&bob).await];
    // Each call has another key: half of them would go where nobody is.
    for _ in 0..8 {
        let started = phones[0].call(conversation).await;
        let call = started.call.id;
        phones[1].join(call).await;
        phones[0].sees(call, "the other", |call| status(call, bob.id) == Some(ParticipantStatus::Joined)).await;
        phones[0].leave(call, started.epoch.expect("a leg")).await;
        phones[1].sees_end(call, CallStatus::Ended).await;
    }
    world.end().await;
}
