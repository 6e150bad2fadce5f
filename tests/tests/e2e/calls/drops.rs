//! Sockets drop: the place is kept for a while, the device comes back to it, or another one takes it over.

use harness::calls::{microphone, status};
use harness::world::Settings;
use harness::{Phone, Topology, World, on_every_topology};
use protocol::ErrorCode;
use protocol::calls::{CallFailure, CallStatus, ParticipantStatus};
use serde_json::json;

use super::{Pair, Talk, epoch, group, present};

on_every_topology![
    a_device_comes_back_to_its_leg_on_the_connection_that_it_had,
    a_device_comes_back_to_its_leg_on_another_connection,
    who_comes_back_too_late_has_lost_their_place,
    another_device_takes_over_and_the_first_is_fenced_off,
    a_kept_place_is_given_up_by_who_calls_elsewhere,
];

async fn a_device_comes_back_to_its_leg_on_the_connection_that_it_had(topology: Topology) {
    let world = World::start(topology).await;
    let Pair { bob, conversation, mut a, b, .. } = Pair::of(&world).await;
    let mut b = b;
    let call = a.call(conversation).await.call.id;
    let own = epoch(&b.join(call).await);
    // Several times: a report of the drop and the return pass each other in every order.
    for _ in 0..3 {
        let last = b.cut();
        let dropped = a.sees_user(call, bob.id, ParticipantStatus::Reconnecting).await;
        let theirs = dropped.participant(bob.id).unwrap();
        assert_eq!((theirs.epoch, dropped.status), (Some(own), CallStatus::Active));
        assert!(theirs.until.is_some());
        b = Phone::back(&bob, &last).await;
        assert!(b.welcome.resumed);
        assert_eq!(b.come_back(call, own, 0).await.unwrap().epoch, Some(own));
        a.sees_user(call, bob.id, ParticipantStatus::Joined).await;
        assert_eq!(status(&b.get(call).await, bob.id), Some(ParticipantStatus::Joined), "and it stays");
    }
    world.end().await;
}

async fn a_device_comes_back_to_its_leg_on_another_connection(topology: Topology) {
    let world = World::start(topology).await;
    let mut pair = Pair::of(&world).await;
    let Talk { call, b, .. } = pair.talk().await;
    pair.b.cut();
    // It is back before anyone has noticed, or after: both are a return.
    let mut again = Phone::of(&pair.bob).await;
    assert_eq!(again.come_back(call, b, 0).await.unwrap().epoch, Some(b));
    let body = json!({ "epoch": b, "media": microphone() });
    again.done(call, "call.media", body).await;
    again.cut();
    pair.a.sees_user(call, pair.bob.id, ParticipantStatus::Reconnecting).await;
    let mut third = Phone::of(&pair.bob).await;
    third.come_back(call, b, 0).await.unwrap();
    pair.a.sees_user(call, pair.bob.id, ParticipantStatus::Joined).await;
    world.end().await;
}

async fn who_comes_back_too_late_has_lost_their_place(topology: Topology) {
    let settings = Settings::default().set("signaling.reconnect_ms", 5_000);
    let world = World::with(topology, settings).await;
    let (conversation, people, [mut a, mut b, mut c]) = group(&world, ["ann", "bob", "carl"]).await;
    let mut pair = {
        let [ann, bob] = world.people(["dora", "eve"]).await;
        let conversation = ann.direct(&bob).await;
        let (a, b) = (Phone::of(&ann).await, Phone::of(&bob).await);
        Pair { ann, bob, conversation, a, b }
    };
    let call = a.call(conversation).await.call.id;
    b.join(call).await;
    let lost = epoch(&c.join(call).await);
    let direct = pair.talk().await;
    c.cut();
    pair.b.cut();
    // In the group the others go on.
    let given_up = a.sees_user(call, people[2].id, ParticipantStatus::Left).await;
    assert_eq!((given_up.status, present(&given_up)), (CallStatus::Active, 2));
    let mut late = Phone::of(&people[2]).await;
    assert_eq!(late.come_back(call, lost, 0).await.unwrap_err(), ErrorCode::CallExpired);
    assert!(epoch(&late.join(call).await) > lost, "but may join again");
    // Between two it is over.
    let failed = pair.a.sees_end(direct.call, CallStatus::Failed).await;
    assert_eq!(failed.failure, Some(CallFailure::ConnectionLost));
    let mut late = Phone::of(&pair.bob).await;
    assert_eq!(late.come_back(direct.call, direct.b, 0).await.unwrap_err(), ErrorCode::CallExpired);
    world.end().await;
}

async fn another_device_takes_over_and_the_first_is_fenced_off(topology: Topology) {
    let world = World::start(topology).await;
    let mut pair = Pair::of(&world).await;
    let Talk { call, a, b: old } = pair.talk().await;
    let mut second = Phone::of(&pair.bob.login("tablet").await).await;
    let new = epoch(&second.join(call).await);
    assert!(new > old);
    let taken = |told: &protocol::calls::Call| told.participant(pair.bob.id).is_some_and(|bob| bob.epoch == Some(new));
    for phone in [&mut pair.a, &mut pair.b] {
        phone.sees(call, "the new leg", taken).await;
    }
    let to = json!({ "user": pair.ann.id, "epoch": a });
    let commands = [
        ("call.media", json!({ "epoch": old, "media": {} })),
        ("call.leave", json!({ "epoch": old })),
        ("call.ice", json!({ "epoch": old })),
        ("call.quality", json!({ "epoch": old, "peers": [] })),
        ("call.signal", json!({ "epoch": old, "to": to, "candidates": [harness::calls::candidate(1)] })),
        ("call.join", json!({ "epoch": old })),
    ];
    for (command, body) in commands {
        assert_eq!(pair.b.refused(call, command, body).await, ErrorCode::CallTakenOver, "{command}");
    }
    // The end of the first one's socket is nobody's loss, either.
    pair.b.cut();
    second.done(call, "call.media", json!({ "epoch": new, "media": { "hand": true } })).await;
    let now = pair.a.sees(call, "a hand", |call| call.participant(pair.bob.id).is_some_and(|bob| bob.media.hand)).await;
    assert_eq!(status(&now, pair.bob.id), Some(ParticipantStatus::Joined));
    world.end().await;
}

async fn a_kept_place_is_given_up_by_who_calls_elsewhere(topology: Topology) {
    let world = World::start(topology).await;
    let mut pair = Pair::of(&world).await;
    let carl = world.person("carl").await;
    let elsewhere = carl.direct(&pair.bob).await;
    let Talk { call, .. } = pair.talk().await;
    assert_eq!(pair.b.start(elsewhere, &harness::calls::audio()).await.unwrap_err(), ErrorCode::InAnotherCall);
    pair.b.cut();
    pair.a.sees_user(call, pair.bob.id, ParticipantStatus::Reconnecting).await;
    let mut again = Phone::of(&pair.bob).await;
    let other = again.call(elsewhere).await.call;
    assert_eq!(other.status, CallStatus::Initiated);
    pair.a.sees_end(call, CallStatus::Ended).await;
    world.end().await;
}
