//! Processes on several machines: no data directory is shared, and all that goes between them goes by mutual TLS.

use harness::world::Settings;
use harness::{Phone, Topology, World, on_every_topology};
use protocol::calls::ParticipantStatus;

on_every_topology![what_goes_on_between_machines_is_what_goes_on_in_one];

async fn what_goes_on_between_machines_is_what_goes_on_in_one(topology: Topology) {
    let mut world = World::with(topology, Settings::default().between_machines()).await;
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
        world.crash(topology.gateway_part()).await;
        device.socket.closed().await;
        ann.say(conversation, "again").await;
        bob.device().await;
        assert_eq!(bob.history(conversation, serde_json::json!({ "limit": 1 })).await.messages[0].text, "again");
    }
    world.end().await;
}
