//! A call rings on all devices of everyone who is called, and what they are told is the register alone.

use harness::calls::status;
use harness::{Phone, Topology, World, on_every_topology};
use protocol::calls::{CallStatus, ParticipantStatus};
use serde_json::json;

use super::{Pair, epoch};

on_every_topology![
    a_call_rings_on_every_device_and_stops_on_all_when_one_answers,
    a_device_that_connects_during_a_call_learns_of_it_and_one_that_connects_later_learns_that_it_is_over,
    who_was_called_is_told_of_the_call_after_a_device_of_theirs_was_asleep,
];

async fn a_call_rings_on_every_device_and_stops_on_all_when_one_answers(topology: Topology) {
    let world = World::start(topology).await;
    let Pair { ann, bob, conversation, mut a, mut b } = Pair::of(&world).await;
    let mut second = Phone::of(&ann.login("tablet").await).await;
    let mut others = [Phone::of(&bob.login("tablet").await).await, Phone::of(&bob.login("watch").await).await];
    let started = a.call(conversation).await;
    let call = started.call.id;
    assert_eq!((started.call.status, started.call.by, started.call.host), (CallStatus::Initiated, ann.id, ann.id));
    assert_eq!(status(&started.call, bob.id), Some(ParticipantStatus::Invited));
    assert_eq!(b.rings().await.id, call);
    for other in &mut others {
        assert_eq!(other.rings().await.id, call);
    }
    for phone in std::iter::once(&mut b).chain(&mut others) {
        phone.on(call, "call.ring", json!({})).await.unwrap();
    }
    let ringing = a.sees_user(call, bob.id, ParticipantStatus::Ringing).await;
    assert_eq!(ringing.status, CallStatus::Ringing);
    let answered = b.join(call).await;
    assert_eq!(answered.call.status, CallStatus::Active);
    assert!(epoch(&answered) > epoch(&started));
    let [tablet, watch] = &mut others;
    for phone in [&mut a, &mut b, &mut second, tablet, watch] {
        let told = phone.sees_user(call, bob.id, ParticipantStatus::Joined).await;
        assert_eq!((told.status, told.participant(bob.id).unwrap().epoch), (CallStatus::Active, answered.epoch));
    }
    a.leave(call, epoch(&started)).await;
    for phone in [&mut a, &mut b, &mut second, tablet, watch] {
        phone.sees_end(call, CallStatus::Ended).await;
    }
    world.end().await;
}

async fn a_device_that_connects_during_a_call_learns_of_it_and_one_that_connects_later_learns_that_it_is_over(
    topology: Topology,
) {
    let world = World::start(topology).await;
    let Pair { bob, conversation, mut a, .. } = Pair::of(&world).await;
    let started = a.call(conversation).await;
    let call = started.call.id;
    let mut during = Phone::of(&bob.login("tablet").await).await;
    assert_eq!(during.rings().await.id, call);
    during.index("the call that goes on", |index| index.live == [call]).await;
    a.leave(call, epoch(&started)).await;
    during.sees_end(call, CallStatus::Cancelled).await;
    let mut later = Phone::of(&bob.login("watch").await).await;
    later.index("no call", |index| index.live.is_empty()).await;
    world.end().await;
}

async fn who_was_called_is_told_of_the_call_after_a_device_of_theirs_was_asleep(topology: Topology) {
    let world = World::start(topology).await;
    let Pair { bob, conversation, mut a, b, .. } = Pair::of(&world).await;
    let asleep = b.cut();
    let call = a.call(conversation).await.call.id;
    let mut awake = Phone::back(&bob, &asleep).await;
    assert!(awake.welcome.resumed);
    assert_eq!(awake.rings().await.id, call);
    awake.join(call).await;
    a.sees_user(call, bob.id, ParticipantStatus::Joined).await;
    world.end().await;
}
