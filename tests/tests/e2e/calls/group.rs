//! More than two: they come and go, one of them is host, and who was removed is out.

use harness::calls::{audio, leg, status};
use harness::{Topology, World, on_every_topology};
use protocol::ErrorCode;
use protocol::calls::{CallStatus, Joined, ParticipantStatus, StartCall};
use serde_json::json;

use super::{epoch, group, present};

on_every_topology![
    they_come_and_go_up_to_the_limit_and_the_host_moves,
    who_was_removed_is_out_until_the_host_admits_them,
    who_joins_by_themselves_waits_for_the_host,
];

async fn they_come_and_go_up_to_the_limit_and_the_host_moves(topology: Topology) {
    let world = World::start(topology).await;
    let handles = ["ann", "bob", "carl", "dora", "eve"];
    let (conversation, [ann, bob, carl, ..], [mut a, mut b, mut c, mut d, mut e]) = group(&world, handles).await;
    let started = a.call(conversation).await;
    let call = started.call.id;
    assert_eq!((started.call.limit, started.call.participants.len()), (4, 5));
    for phone in [&mut b, &mut c, &mut d] {
        assert_eq!(phone.rings().await.id, call);
        phone.join(call).await;
    }
    e.sees(call, "four in it", |call| present(call) == 4).await;
    assert_eq!(e.try_join(call).await.unwrap_err(), ErrorCode::CallFull);
    assert_eq!(c.refused(call, "call.mute", json!({ "user": bob.id })).await, ErrorCode::Forbidden);
    a.leave(call, epoch(&started)).await;
    let moved = b.sees_user(call, ann.id, ParticipantStatus::Left).await;
    assert_eq!((moved.host, moved.status), (bob.id, CallStatus::Active), "who has been in it longest follows");
    e.join(call).await;
    c.sees(call, "four in it", |call| present(call) == 4 && call.host == bob.id).await;

    let muted = b.done(call, "call.mute", json!({ "user": carl.id })).await;
    let theirs = muted.participant(carl.id).unwrap();
    assert!(theirs.muted && !theirs.media.audio);
    let own = leg(&muted, carl.id).epoch;
    let unmuted = c.done(call, "call.media", json!({ "epoch": own, "media": { "audio": true, "hand": true } })).await;
    let theirs = unmuted.participant(carl.id).unwrap();
    assert!(!theirs.muted && theirs.media.audio && theirs.media.hand);

    b.done(call, "call.end", json!({})).await;
    for phone in [&mut a, &mut b, &mut c, &mut d, &mut e] {
        phone.sees_end(call, CallStatus::Ended).await;
    }
    world.end().await;
}

async fn who_was_removed_is_out_until_the_host_admits_them(topology: Topology) {
    let world = World::start(topology).await;
    let (conversation, [_, bob, carl], [mut a, mut b, mut c]) = group(&world, ["ann", "bob", "carl"]).await;
    let call = a.call(conversation).await.call.id;
    let theirs = epoch(&b.join(call).await);
    c.join(call).await;
    a.done(call, "call.remove", json!({ "user": bob.id })).await;
    b.sees_user(call, bob.id, ParticipantStatus::Removed).await;
    assert_eq!(b.refused(call, "call.ice", json!({ "epoch": theirs })).await, ErrorCode::NotInCall);
    assert!(b.come_back(call, theirs, 0).await.is_err());
    let waiting = b.join(call).await;
    assert_eq!((waiting.epoch, status(&waiting.call, bob.id)), (None, Some(ParticipantStatus::Waiting)));
    assert_eq!(c.refused(call, "call.admit", json!({ "user": bob.id })).await, ErrorCode::Forbidden);
    a.sees_user(call, bob.id, ParticipantStatus::Waiting).await;
    a.done(call, "call.admit", json!({ "user": bob.id })).await;
    assert_eq!(b.rings().await.id, call, "who is admitted is called once more");
    assert!(epoch(&b.join(call).await) > theirs);

    a.done(call, "call.remove", json!({ "user": carl.id })).await;
    a.done(call, "call.admit", json!({ "user": carl.id })).await;
    c.sees_user(call, carl.id, ParticipantStatus::Invited).await;
    c.join(call).await;
    a.sees(call, "all of them", |call| present(call) == 3).await;
    world.end().await;
}

async fn who_joins_by_themselves_waits_for_the_host(topology: Topology) {
    let world = World::start(topology).await;
    let (conversation, [_, bob, _], [mut a, mut b, mut c]) = group(&world, ["ann", "bob", "carl"]).await;
    let start = StartCall { waiting_room: true, ..audio() };
    let started: Joined = a.start(conversation, &start).await.unwrap();
    let call = started.call.id;
    assert!(started.call.waiting_room);
    assert!(c.join(call).await.epoch.is_some(), "who is called need not wait");
    b.done(call, "call.decline", json!({})).await;
    let waiting = b.join(call).await;
    assert_eq!((waiting.epoch, waiting.ice.servers.len()), (None, 0));
    assert_eq!(status(&waiting.call, bob.id), Some(ParticipantStatus::Waiting));
    a.sees_user(call, bob.id, ParticipantStatus::Waiting).await;
    a.done(call, "call.admit", json!({ "user": bob.id })).await;
    b.sees_user(call, bob.id, ParticipantStatus::Invited).await;
    assert!(b.join(call).await.epoch.is_some());
    a.sees(call, "all of them", |call| present(call) == 3).await;
    world.end().await;
}
