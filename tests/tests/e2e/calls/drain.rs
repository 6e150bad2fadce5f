//! A process that ends in order in mid-call takes no call with it: everyone comes back to their leg.

use harness::{Phone, Topology, World, on_every_topology};
use protocol::CloseCode;
use protocol::ServiceName::Signaling;
use protocol::calls::{CallStatus, ParticipantStatus};

use super::{Pair, Talk, present};

on_every_topology![a_drained_server_finds_its_calls_again];

async fn a_drained_server_finds_its_calls_again(topology: Topology) {
    let mut world = World::start(topology).await;
    let mut pair = Pair::of(&world).await;
    let Talk { call, a, b } = pair.talk().await;
    for part in topology.parts().iter().rev() {
        assert_eq!(world.terminate(part.name).await.code(), Some(0), "{}", part.name);
    }
    for phone in [&mut pair.a, &mut pair.b] {
        assert_eq!(phone.socket.closed().await.code, CloseCode::Reconnect.number());
    }
    for part in topology.parts() {
        world.restart(part.name).await;
    }
    assert_eq!(world.metrics(Signaling).await.sum("calls_active", &[]), 1.0);
    let (mut one, mut other) = (Phone::of(&pair.ann).await, Phone::of(&pair.bob).await);
    one.sees_user(call, pair.bob.id, ParticipantStatus::Reconnecting).await;
    assert!(one.come_back(call, a, 0).await.unwrap().renegotiate, "what was negotiated is told anew");
    assert!(other.come_back(call, b, 0).await.unwrap().renegotiate);
    one.sees(call, "both are back", |call| present(call) == 2).await;
    one.leave(call, a).await;
    other.sees_end(call, CallStatus::Ended).await;
    world.end().await;
}
