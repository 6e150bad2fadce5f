//! Redis is gone and comes back during calls: talk goes on, new calls ring, and what ended stays ended.

use harness::{Phone, Topology, World};
use protocol::calls::{CallStatus, ParticipantStatus};
use rig::wait;
use serde_json::json;

use super::{Pair, Talk, epoch};

#[tokio::test]
async fn calls_go_on_while_redis_is_dead_and_are_there_when_it_is_back_empty() {
    let mut world = World::start(Topology::FiveProcesses).await;
    let mut pair = Pair::of(&world).await;
    let talk = pair.talk().await;
    world.redis().unwrap().kill().await;
    // A device comes back to its leg, another call rings and is answered, and is over.
    pair.b.cut();
    pair.b = Phone::of(&pair.bob).await;
    let back = wait::until("the leg to be back", async || pair.b.come_back(talk.call, talk.b, 0).await.ok()).await;
    assert_eq!(back.epoch, Some(talk.b));
    let [carl, dora] = world.people(["carl", "dora"]).await;
    let conversation = carl.direct(&dora).await;
    let (mut c, mut d) = (Phone::of(&carl).await, Phone::of(&dora).await);
    let other = epoch(&c.call(conversation).await);
    let ringing = d.rings().await;
    d.join(ringing.id).await;
    c.leave(ringing.id, other).await;
    d.sees_end(ringing.id, CallStatus::Ended).await;

    world.redis().unwrap().restart().await;
    let Talk { call, a, .. } = talk;
    wait::until("Redis to know the call", async || {
        let redis = world.redis()?;
        let live = redis.ask(&["ZCARD", "secureconnect:live:{calls}"]).await;
        (live == ":1").then_some(())
    })
    .await;
    let present = pair.b.get(call).await;
    assert_eq!(present.participant(pair.bob.id).unwrap().status, ParticipantStatus::Joined);
    pair.a.leave(call, a).await;
    pair.b.sees_end(call, CallStatus::Ended).await;
    wait::until("its record", async || (carl.records(conversation).await.len() == 1).then_some(())).await;
    world.end().await;
}

#[tokio::test]
async fn a_frozen_redis_is_as_harmless_as_a_dead_one() {
    let mut world = World::start(Topology::FiveProcesses).await;
    let mut pair = Pair::of(&world).await;
    let talk = pair.talk().await;
    world.redis().unwrap().freeze();
    let left = wait::until("the call to be over", async || {
        pair.a.on(talk.call, "call.leave", json!({ "epoch": talk.a })).await.ok()
    })
    .await;
    assert_eq!(left["status"], "ended");
    pair.b.sees_end(talk.call, CallStatus::Ended).await;
    world.redis().unwrap().thaw();
    let again = pair.talk().await;
    assert_ne!(again.call, talk.call);
    assert_eq!(pair.b.get(talk.call).await.status, CallStatus::Ended, "nothing revives it");
    world.end().await;
}
