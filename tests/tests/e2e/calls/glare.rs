//! Both call each other at the same moment: that is one call, and both are in it.

use harness::calls::status;
use harness::{Topology, World, on_every_topology, wait};
use protocol::calls::{CallStatus, ParticipantStatus};

use super::{Pair, epoch, present};

on_every_topology![two_who_call_each_other_at_once_are_in_one_call];

const ROUNDS: usize = 25;

async fn two_who_call_each_other_at_once_are_in_one_call(topology: Topology) {
    let world = World::start(topology).await;
    let Pair { ann, bob, conversation, mut a, mut b } = Pair::of(&world).await;
    for round in 0..ROUNDS {
        let (one, other) = tokio::join!(a.call(conversation), b.call(conversation));
        assert_eq!(one.call.id, other.call.id, "round {round}");
        let call = one.call.id;
        assert_ne!(epoch(&one), epoch(&other));
        for phone in [&mut a, &mut b] {
            let told = phone.sees(call, "both in it", |call| present(call) == 2).await;
            assert_eq!(told.status, CallStatus::Active);
            assert_eq!(status(&told, ann.id), Some(ParticipantStatus::Joined));
        }
        if round % 2 == 0 {
            a.leave(call, epoch(&one)).await
        } else {
            b.leave(call, epoch(&other)).await
        };
        for phone in [&mut a, &mut b] {
            phone.sees_end(call, CallStatus::Ended).await;
        }
    }
    assert_eq!(bob.calls().await.calls.len(), ROUNDS);
    wait::until("a record of each", async || (ann.records(conversation).await.len() == ROUNDS).then_some(())).await;
    world.end().await;
}
