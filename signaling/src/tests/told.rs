//! Redis is gone, and processes tell each other over the link what happens.

use protocol::calls::{Call, CallStatus, Joined, ParticipantStatus};
use rig::RedisServer;
use serde_json::json;

use super::cut_off::{comes_back, in_redis, kill};
use super::world::World;

#[tokio::test]
async fn what_one_process_does_without_redis_the_other_one_knows_before_anybody_is_answered() {
    let mut server = RedisServer::start().await;
    let world = World::on_redis(&server, 1).await;
    let other = world.joined(2).await;
    kill(&mut server, &[&world, &other]).await;
    let (conversation, [ann, bob]) = world.group();
    let call = world.start(conversation, ann).await.call.id;
    assert_eq!(other.status(call, bob).await, Some(ParticipantStatus::Invited));
    assert_eq!(other.desk.registers(bob.user).await.unwrap().len(), 2, "the call and the list of calls");
    // A device answers there, and what it does is known here.
    let joined: Joined = bob.ask(&other, "call.join", call, json!({})).await.unwrap();
    assert_eq!(world.status(call, bob).await, Some(ParticipantStatus::Joined));
    let end = json!({ "epoch": joined.epoch });
    let over: Call = bob.ask(&other, "call.leave", call, end).await.unwrap();
    let over: Call = match over.status.is_over() {
        true => over,
        false => ann.ask(&world, "call.end", call, json!({})).await.unwrap(),
    };
    assert!(over.status.is_over());
    for process in [&world, &other] {
        assert!(process.desk.live.get(call).is_none());
        assert_eq!(process.desk.store.history(bob.user, None, 10).await.unwrap().records.len(), 1);
    }
    // Whoever of them is there when Redis is back writes it there.
    server.restart().await;
    comes_back(&other).await;
    assert_eq!(in_redis(&other, call).await, Some(over.status));
}

#[tokio::test]
async fn what_could_not_be_told_is_told_later_and_both_come_to_the_same() {
    let mut server = RedisServer::start().await;
    let world = World::on_redis(&server, 1).await;
    let other = world.joined(2).await;
    let (conversation, [ann, bob, carl]) = world.group();
    kill(&mut server, &[&world, &other]).await;
    let call = world.talk(conversation, ann, &[bob, carl]).await;
    world.cut_off(&other, true);
    world.advance(10);
    let _: Call = ann.ask(&world, "call.remove", call, json!({ "user": bob.user })).await.unwrap();
    world.advance(10);
    let _: Joined = bob.on_another_device().ask(&other, "call.join", call, json!({})).await.unwrap();
    let newer: Joined = carl.on_another_device().ask(&other, "call.join", call, json!({})).await.unwrap();
    assert_eq!(world.status(call, bob).await, Some(ParticipantStatus::Removed));
    assert_eq!(other.status(call, bob).await, Some(ParticipantStatus::Joined));
    world.cut_off(&other, false);
    for _ in 0..2 {
        for process in [&world, &other] {
            process.shared_calls().tell_others_again().await.unwrap();
        }
    }
    let [here, there] = [&world, &other].map(|process| process.desk.live.get(call).unwrap());
    assert_eq!(here, there);
    assert_eq!(here.parts[&bob.user].status, ParticipantStatus::Removed);
    assert_eq!(here.parts[&carl.user].leg.map(|leg| leg.epoch), newer.epoch);

    server.restart().await;
    comes_back(&world).await;
    comes_back(&other).await;
    assert_eq!(in_redis(&world, call).await, Some(CallStatus::Active));
}

#[tokio::test]
async fn who_has_lost_redis_alone_reaches_it_by_the_others() {
    let mut alone = RedisServer::start().await;
    let server = RedisServer::start().await;
    let world = World::on_redis(&alone, 1).await;
    // Two servers stand for one that only one of them still reaches.
    let other = World::on_redis(&server, 2).await;
    world.join_to(&other);
    kill(&mut alone, &[&world]).await;
    let (conversation, [ann]) = world.group();
    let call = world.start(conversation, ann).await.call.id;
    assert_eq!(in_redis(&other, call).await, Some(CallStatus::Initiated));
    assert!(other.desk.live.get(call).is_some());
}
