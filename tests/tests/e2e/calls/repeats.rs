//! A start whose answer was lost is repeated: that is one call and one leg.

use harness::calls::audio;
use harness::{Phone, Topology, World, on_every_topology};
use protocol::calls::{CallStatus, ParticipantStatus};

use super::{Pair, epoch, present};

on_every_topology![a_start_that_is_repeated_is_one_call_and_one_leg];

async fn a_start_that_is_repeated_is_one_call_and_one_leg(topology: Topology) {
    let world = World::start(topology).await;
    let Pair { ann, bob, conversation, mut a, mut b } = Pair::of(&world).await;
    let start = audio();
    let first = a.start(conversation, &start).await.unwrap();
    let again = a.start(conversation, &start).await.unwrap();
    assert_eq!((again.call.id, again.epoch), (first.call.id, first.epoch));
    let call = first.call.id;

    // Both at once, as a client does that lost patience.
    let to = conversation.to_string();
    let ids =
        [a.socket.start("call.start", Some(&to), &start).await, a.socket.start("call.start", Some(&to), &start).await];
    for id in ids {
        let answer = a.socket.reply(id).await.unwrap();
        assert_eq!(answer["call"]["id"], call.to_string());
        assert_eq!(answer["epoch"], epoch(&first));
    }

    // After the socket dropped, on a new one.
    a.cut();
    let mut back = Phone::of(&ann).await;
    let repeated = back.start(conversation, &start).await.unwrap();
    assert_eq!((repeated.call.id, repeated.epoch), (call, first.epoch));
    b.join(call).await;
    let both = back.sees(call, "both in it", |call| present(call) == 2).await;
    assert_eq!(both.participants.len(), 2);

    // A login of its own that repeats it is another device: it takes over.
    let mut other = Phone::of(&ann.login("tablet").await).await;
    let theirs = other.start(conversation, &start).await.unwrap();
    assert_eq!(theirs.call.id, call);
    assert!(epoch(&theirs) > epoch(&first));

    other.leave(call, epoch(&theirs)).await;
    b.sees_end(call, CallStatus::Ended).await;
    let over = back.start(conversation, &start).await.unwrap();
    assert_eq!((over.call.id, over.call.status, over.epoch), (call, CallStatus::Ended, None));
    assert_eq!(bob.calls().await.calls.len(), 1);
    let bobs = over.call.participant(bob.id).unwrap().status;
    assert_eq!(bobs, ParticipantStatus::Left);
    world.end().await;
}
