//! Redis is killed, frozen, emptied during calls: they go on, and what was held is written back.

use std::sync::Arc;

use protocol::calls::{Call, CallStatus, Joined, ParticipantStatus};
use protocol::{CallId, ErrorCode};
use rig::{RedisServer, wait};
use runtime::redis::Standing;
use serde_json::json;

use super::world::{Person, World};
use crate::config::Config;
use crate::machine::Input;
use crate::store::{CallStore, OutputKey};
use crate::work::{apply_deadlines, perform_some, share};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Redis is killed, and everyone has noticed.
pub(super) async fn kill(server: &mut RedisServer, worlds: &[&World]) {
    server.kill().await;
    for world in worlds {
        let mut standing = world.shared().redis().watch();
        wait::within("Redis to be gone", standing.wait_for(|standing| !standing.is_up())).await.unwrap();
    }
}

/// Redis is back, and emptied; a process has written back what it held.
pub(super) async fn comes_back(world: &World) {
    stands(world, Standing::is_up).await;
    for call in world.shared_calls().write_back().await.unwrap() {
        world.desk.came_back(call).await;
    }
}

async fn stands(world: &World, as_wanted: impl Fn(Standing) -> bool) {
    let mut standing = world.shared().redis().watch();
    wait::within("Redis", standing.wait_for(|standing| as_wanted(*standing))).await.unwrap();
}

/// What Redis holds of a call.
pub(super) async fn in_redis(world: &World, call: CallId) -> Option<CallStatus> {
    world.shared().load(call).await.unwrap().map(|call| call.status)
}

async fn perform_all(world: &World) {
    while perform_some(&world.desk).await.unwrap() > 0 {}
}

async fn leave(world: &World, call: CallId, person: Person) -> Result<Call, ErrorCode> {
    let epoch = world.desk.load(call).await.unwrap().parts[&person.user].leg.map_or(1, |leg| leg.epoch);
    person.ask(world, "call.leave", call, json!({ "epoch": epoch })).await
}

#[tokio::test]
async fn a_call_goes_on_without_redis_and_is_written_back() {
    let mut server = RedisServer::start().await;
    let world = World::on_redis(&server, 1).await;
    let (conversation, [ann, bob, carl]) = world.group();
    let call = world.talk(conversation, ann, &[bob]).await;
    let version = world.desk.load(call).await.unwrap().version;
    kill(&mut server, &[&world]).await;
    let joined: Joined = carl.ask(&world, "call.join", call, json!({})).await.unwrap();
    assert!(joined.epoch > Some(version), "versions grow on");
    // Others start a call of their own, and a third one is over before Redis is back.
    let (elsewhere, [dora, emil]) = world.group();
    let theirs = world.talk(elsewhere, dora, &[emil]).await;
    let (third, [fred]) = world.group();
    let over = world.start(third, fred).await.call.id;
    leave(&world, over, fred).await.unwrap();
    assert_eq!(world.desk.store.history(fred.user, None, 10).await.unwrap().records.len(), 1);

    server.restart().await;
    comes_back(&world).await;
    assert_eq!(in_redis(&world, call).await, Some(CallStatus::Active));
    assert_eq!(in_redis(&world, theirs).await, Some(CallStatus::Active));
    assert_eq!(in_redis(&world, over).await, Some(CallStatus::Cancelled));
    assert_eq!(world.status(call, carl).await, Some(ParticipantStatus::Joined));
    assert_eq!(world.shared().history(fred.user, None, 10).await.unwrap().records.len(), 1);
    leave(&world, call, carl).await.unwrap();
    perform_all(&world).await;
    let (records, _) = world.chat.records();
    assert_eq!(records.iter().map(|record| record.call).collect::<Vec<_>>(), [over]);
}

#[tokio::test]
async fn deadlines_fire_without_redis_once_and_by_whoever_serves_the_call() {
    let mut server = RedisServer::start().await;
    let world = World::on_redis(&server, 1).await;
    let other = world.beside(2).await;
    let (conversation, [ann, bob]) = world.group();
    let call = world.start(conversation, ann).await.call.id;
    other.desk.heard((*world.desk.load(call).await.unwrap()).clone());
    kill(&mut server, &[&world, &other]).await;
    world.advance(Config::default().ring_ms);
    for desk in [&other.desk, &world.desk] {
        apply_deadlines(desk).await.unwrap();
    }
    assert_eq!(other.status(call, bob).await, Some(ParticipantStatus::Invited), "it is not its to decide");
    assert_eq!(world.status(call, bob).await, Some(ParticipantStatus::Missed));
    perform_all(&world).await;
    perform_all(&other).await;
    assert_eq!(world.chat.records().1, 1);

    server.restart().await;
    // Whoever knows only the older version comes first.
    comes_back(&other).await;
    comes_back(&world).await;
    assert_eq!(in_redis(&world, call).await, Some(CallStatus::Missed));
    comes_back(&other).await;
    assert!(other.desk.live.get(call).is_none(), "it hears what became of it");
    perform_all(&world).await;
    assert_eq!(world.chat.records().0.len(), 1, "told twice under one name");
    assert_eq!(world.shared().missed(bob.user).await, Ok(1));
}

#[tokio::test]
async fn a_frozen_redis_delays_nobody_for_long_and_ended_calls_stay_ended() {
    let mut server = RedisServer::start().await;
    let world = World::on_redis_with(&server, 1, runtime::redis::ANSWER_WITHIN).await;
    let (conversation, [ann, bob]) = world.group();
    let call = world.talk(conversation, ann, &[bob]).await;
    perform_all(&world).await;
    server.freeze();
    // A change that was under way then may have been made: its sender repeats it.
    let ended = wait::until("the end of the call", async || match leave(&world, call, ann).await {
        Err(ErrorCode::OutcomeUnknown | ErrorCode::Timeout) => None,
        answer => Some(answer),
    })
    .await;
    ended.unwrap();
    let ended = wait::until("the other one to leave", async || match leave(&world, call, bob).await {
        Err(ErrorCode::OutcomeUnknown | ErrorCode::Timeout) => None,
        answer => Some(answer),
    })
    .await;
    assert_eq!(ended.unwrap().status, CallStatus::Ended);
    perform_all(&world).await;
    server.thaw();
    wait::until("everything to be written back", async || {
        stands(&world, Standing::is_up).await;
        let changed = world.shared_calls().write_back().await.ok()?;
        for call in changed {
            world.desk.came_back(call).await;
        }
        Some(())
    })
    .await;
    assert!(world.shared().load(call).await.unwrap().unwrap().status.is_over(), "nothing revives it");
    assert!(world.desk.live.get(call).is_none());
    perform_all(&world).await;
    assert_eq!(world.chat.records().0.len(), 1);
}

#[tokio::test]
async fn a_call_that_began_after_the_end_of_another_one_stays_when_redis_still_knows_the_other_as_live() {
    let mut server = RedisServer::start().await;
    let world = World::on_redis_with(&server, 1, runtime::redis::ANSWER_WITHIN).await;
    let (conversation, [ann, bob]) = world.group();
    let before = world.talk(conversation, ann, &[bob]).await;
    server.freeze();
    stands(&world, |standing| !standing.is_up()).await;
    for person in [ann, bob] {
        leave(&world, before, person).await.unwrap();
    }
    let next = world.start(conversation, ann).await.call.id;
    assert_ne!(next, before);
    server.thaw();
    comes_back(&world).await;
    assert!(in_redis(&world, before).await.unwrap().is_over());
    assert_eq!(in_redis(&world, next).await, Some(CallStatus::Initiated));
    let joined: Joined = bob.ask(&world, "call.join", next, json!({})).await.unwrap();
    assert!(joined.epoch.is_some());
}

#[tokio::test]
async fn an_emptied_redis_is_told_of_a_call_as_soon_as_somebody_asks_for_it() {
    let server = RedisServer::start().await;
    let world = World::on_redis(&server, 1).await;
    let (conversation, [ann, bob]) = world.group();
    let call = world.start(conversation, ann).await.call.id;
    server.flush().await;
    let again = world.start(conversation, ann.on_another_device()).await;
    assert_eq!(again.call.id, call, "there is no second call beside the one that goes on");
    server.flush().await;
    let joined: Joined = bob.ask(&world, "call.join", call, json!({})).await.unwrap();
    assert!(joined.epoch.is_some());
    assert_eq!(in_redis(&world, call).await, Some(CallStatus::Active));
}

#[tokio::test]
async fn by_itself_the_service_notices_that_redis_is_gone_and_back_and_emptied() {
    let mut server = RedisServer::start().await;
    let world = World::on_redis(&server, 1).await;
    let works = tokio::spawn(share(Arc::clone(&world.desk), world.shared_calls(), Vec::new(), world.shutdown.clone()));
    let (conversation, [ann, bob]) = world.group();
    let call = world.talk(conversation, ann, &[bob]).await;
    server.kill().await;
    let (elsewhere, [carl, dora]) = world.group();
    let theirs = world.talk(elsewhere, carl, &[dora]).await;
    server.restart().await;
    let known = async |wanted: [CallId; 2]| {
        wait::until("Redis to know the calls", async || {
            let states = wanted.map(|call| world.shared().redis().key(&format!("call.{call}"), "calls"));
            let mut there = 0;
            for key in &states {
                there += usize::from(server.ask(&["EXISTS", key]).await == ":1");
            }
            (there == 2).then_some(())
        })
        .await;
    };
    known([call, theirs]).await;
    server.flush().await;
    known([call, theirs]).await;
    for (call, person) in [(call, bob), (theirs, dora)] {
        assert_eq!(world.status(call, person).await, Some(ParticipantStatus::Joined));
    }
    world.shutdown.advance(runtime::lifecycle::Phase::Stop);
    wait::within("the end", works).await.unwrap();
}

#[tokio::test]
async fn of_two_processes_that_did_not_see_each_other_the_removal_and_the_newer_leg_count() {
    let mut server = RedisServer::start().await;
    let world = World::on_redis(&server, 1).await;
    let other = world.beside(2).await;
    let (conversation, [ann, bob, carl]) = world.group();
    let call = world.talk(conversation, ann, &[bob, carl]).await;
    other.desk.heard((*world.desk.load(call).await.unwrap()).clone());
    kill(&mut server, &[&world, &other]).await;
    world.advance(10);
    let removed: Call = ann.ask(&world, "call.remove", call, json!({ "user": bob.user })).await.unwrap();
    assert_eq!(removed.id, call);
    world.advance(10);
    let taken: Joined = bob.on_another_device().ask(&other, "call.join", call, json!({})).await.unwrap();
    assert!(taken.epoch.is_some());
    let newer: Joined = carl.on_another_device().ask(&other, "call.join", call, json!({})).await.unwrap();
    server.restart().await;
    comes_back(&other).await;
    comes_back(&world).await;
    comes_back(&other).await;
    for world in [&world, &other] {
        let state = world.desk.load(call).await.unwrap();
        assert_eq!(state.parts[&bob.user].status, ParticipantStatus::Removed);
        assert_eq!(state.parts[&carl.user].leg.map(|leg| leg.epoch), newer.epoch);
    }
}

#[tokio::test]
async fn of_two_calls_in_one_conversation_one_gives_way() {
    let mut server = RedisServer::start().await;
    let world = World::on_redis(&server, 1).await;
    let other = world.beside(2).await;
    let (conversation, [ann, bob]) = world.group();
    kill(&mut server, &[&world, &other]).await;
    let (one, two) = (world.start(conversation, ann).await.call.id, other.start(conversation, bob).await.call.id);
    assert_ne!(one, two);
    server.restart().await;
    comes_back(&world).await;
    comes_back(&other).await;
    assert_eq!(world.desk.store.live_in(conversation).await, Ok(Some(one)));
    assert_eq!(in_redis(&world, two).await, Some(CallStatus::Failed));
    assert!(other.desk.live.get(two).is_none());
    let joined: Joined = bob.ask(&other, "call.join", one, json!({})).await.unwrap();
    assert!(joined.epoch.is_some());
}

#[tokio::test]
async fn a_process_that_dies_while_redis_is_gone_finds_its_calls_again() {
    let mut server = RedisServer::start().await;
    let world = World::on_redis(&server, 1).await;
    let (conversation, [ann, bob]) = world.group();
    let before = world.start(conversation, ann).await.call.id;
    kill(&mut server, &[&world]).await;
    let _: Joined = bob.ask(&world, "call.join", before, json!({})).await.unwrap();
    let world = world.restart_on_redis().await;
    assert_eq!(world.shared_calls().find_again().await, Ok(vec![before]));
    world.desk.change(before, Input::Restarted).await.unwrap();
    assert_eq!(world.status(before, bob).await, Some(ParticipantStatus::Reconnecting));
    server.restart().await;
    comes_back(&world).await;
    assert_eq!(in_redis(&world, before).await, Some(CallStatus::Active));
}

#[tokio::test]
async fn an_output_keeps_its_key_while_it_waits_in_the_file() {
    let mut server = RedisServer::start().await;
    let world = World::on_redis(&server, 1).await;
    kill(&mut server, &[&world]).await;
    world.chat.fails(true);
    let (conversation, [ann]) = world.group();
    world.chat.fails(false);
    let call = world.start(conversation, ann).await.call.id;
    leave(&world, call, ann).await.unwrap();
    let version = world.desk.load(call).await.unwrap().version;
    server.restart().await;
    comes_back(&world).await;
    let claimed = world.desk.store.claim_outputs(1_000, 10).await.unwrap();
    let keys: Vec<_> = claimed.iter().map(|pending| pending.key).collect();
    assert!(keys.contains(&OutputKey { call, version, index: 0 }), "{keys:?}");
    for key in keys {
        world.desk.store.performed(key).await.unwrap();
    }
    world.advance(1_000);
    assert_eq!(world.desk.store.claim_outputs(1_000, 10).await, Ok(vec![]));
    assert_eq!(world.desk.store.next_output().await, Ok(None));
}

#[tokio::test]
async fn an_emptied_redis_is_told_what_users_have_behind_them() {
    let mut server = RedisServer::start().await;
    let world = World::on_redis(&server, 1).await;
    let (conversation, [ann, bob]) = world.group();
    let mut calls = Vec::new();
    for _ in 0..3 {
        let call = world.start(conversation, ann).await.call.id;
        leave(&world, call, ann).await.unwrap();
        calls.insert(0, call);
        world.advance(DAY_MS);
    }
    perform_all(&world).await;
    world.desk.store.seen(bob.user, calls[1]).await.unwrap();
    let before = world.desk.store.history(bob.user, None, 10).await.unwrap();
    for _ in 0..2 {
        server.flush().await;
        assert_eq!(world.desk.store.history(bob.user, None, 10).await.unwrap().records, []);
        world.shared_calls().restore_histories().await.unwrap();
        assert_eq!(world.desk.store.history(bob.user, None, 10).await.unwrap(), before);
        assert_eq!(world.desk.store.missed(bob.user).await, Ok(1));
    }
    // What was seen while Redis was gone is seen.
    kill(&mut server, &[&world]).await;
    world.desk.store.seen(bob.user, calls[0]).await.unwrap();
    assert_eq!(world.desk.store.missed(bob.user).await, Ok(0));
    server.restart().await;
    comes_back(&world).await;
    world.shared_calls().restore_histories().await.unwrap();
    assert_eq!(world.desk.store.missed(bob.user).await, Ok(0));
}

#[tokio::test]
async fn without_fallback_commands_are_refused_until_redis_is_back() {
    let mut server = RedisServer::start().await;
    let world = World::on_redis_without_fallback(&server, 1).await;
    let (conversation, [ann, bob]) = world.group();
    let call = world.start(conversation, ann).await.call.id;
    kill(&mut server, &[&world]).await;
    let refused: Result<Joined, _> = bob.ask(&world, "call.join", call, json!({})).await;
    assert_eq!(refused.err(), Some(ErrorCode::Unavailable));
    assert!(world.desk.registers(ann.user).await.is_err());
    server.restart().await;
    comes_back(&world).await;
    let joined: Joined = bob.ask(&world, "call.join", call, json!({})).await.unwrap();
    assert!(joined.epoch.is_some());
}
