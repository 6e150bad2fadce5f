//! A process dies between any two steps, or is only thought dead: what it wrote is told, its calls are followed in, and one process decides.

use protocol::calls::{
    CALL_RECOVERED, CALL_RECOVERING, CALL_STATE, CALLS_INDEX, Call, CallStatus, Joined, ParticipantStatus,
};
use protocol::{CallId, ErrorCode};
use rig::{RedisServer, wait};
use serde_json::json;

use super::cut_off::{comes_back, kill};
use super::shared::{dies, first, follow_the_silent, listen};
use super::world::{Person, World};
use crate::config::Config;
use crate::machine::{Input, Machine};
use crate::store::LEASE_MS;
use crate::work::{apply_deadlines, await_legs};

/// Writes the next version, and dies before anybody is told.
async fn writes_and_dies(world: World, call: CallId, input: Input) {
    let before = world.desk.load(call).await.unwrap();
    let (after, outcome) = Machine::handle(&before, world.desk.store.now().await.unwrap(), input).unwrap();
    world.desk.store.swap(before.version, &after, &outcome.outputs).await.unwrap();
    world.dies();
}

fn leg(world: &World, call: CallId, person: Person) -> u64 {
    world.desk.live.get(call).unwrap().parts[&person.user].leg.unwrap().epoch
}

#[tokio::test]
async fn what_a_process_wrote_and_told_nobody_is_told_by_who_follows_it() {
    let server = RedisServer::start().await;
    let one = first(&server).await;
    let other = one.beside(2).await;
    let _hears = listen(&other).await;
    let (conversation, [ann, bob]) = one.group();
    let call = one.start(conversation, ann).await.call.id;
    // The other one serves the call: there is nothing of it to be taken over.
    let _: Joined = bob.ask(&other, "call.join", call, json!({})).await.unwrap();
    let before = one.desk.load(call).await.unwrap();
    one.desk.heard((*other.desk.load(call).await.unwrap()).clone());
    assert!(before.version < one.desk.load(call).await.unwrap().version);
    let mut told = other.hears();
    writes_and_dies(one, call, Input::End { by: ann.user }).await;
    wait::until("the other one to hear of it", async || other.desk.live.get(call).is_none().then_some(())).await;
    told.drain();
    other.advance(LEASE_MS);
    other.shared().renew_lease().await.unwrap();
    assert_eq!(follow_the_silent(&other).await, []);
    assert!(told.drain().contains(&CALL_STATE.to_owned()), "devices are in a call that is over");
    follow_the_silent(&other).await;
    assert_eq!(told.drain(), Vec::<String>::new(), "once");
}

#[tokio::test]
async fn who_begins_to_watch_while_a_call_recovers_is_told_so() {
    let world = World::new().await;
    let (conversation, [ann, bob]) = world.group();
    let call = world.talk(conversation, ann, &[bob]).await;
    world.desk.change(call, Input::Restarted).await.unwrap();
    // The gateway had lost its watch with the process, too.
    let mut told = world.hears();
    world.desk.restate().await.unwrap();
    assert_eq!(told.drain(), [CALL_STATE, CALL_RECOVERING]);
    assert!(world.desk.load(call).await.unwrap().view().recovering);
    for person in [ann, bob] {
        let epoch = leg(&world, call, person);
        let _: Joined = person.ask(&world, "call.join", call, json!({ "epoch": epoch })).await.unwrap();
    }
    assert!(told.drain().contains(&CALL_RECOVERED.to_owned()));
    assert!(!world.desk.load(call).await.unwrap().view().recovering);
}

#[tokio::test]
async fn a_takeover_whose_answer_was_lost_is_found_again() {
    let server = RedisServer::start().await;
    let one = first(&server).await;
    let other = one.beside(2).await;
    let (conversation, [ann, bob]) = one.group();
    let call = one.talk(conversation, ann, &[bob]).await;
    let (elsewhere, [carl, dora]) = one.group();
    let theirs = other.talk(elsewhere, carl, &[dora]).await;
    dies(one, &other);
    let silent = other.shared().silent().await.unwrap();
    drop(other.shared().adopt(&silent).await);
    let unheard = other.shared_calls().given_unheard().await.unwrap();
    assert_eq!(unheard, [call], "and not what it has served all along ({theirs})");
    assert_eq!(await_legs(&other.desk, &other.shared_calls(), unheard).await, []);
    assert_eq!(other.status(call, bob).await, Some(ParticipantStatus::Reconnecting));
    assert_eq!(other.shared_calls().given_unheard().await, Ok(vec![]));
}

#[tokio::test]
async fn the_heir_decides_alone_while_redis_is_gone() {
    let mut server = RedisServer::start().await;
    let one = first(&server).await;
    let other = one.beside(2).await;
    let (conversation, [ann, bob]) = one.group();
    let call = one.talk(conversation, ann, &[bob]).await;
    dies(one, &other);
    assert_eq!(follow_the_silent(&other).await, [call]);
    kill(&mut server, &[&other]).await;
    other.advance(Config::default().reconnect_ms);
    apply_deadlines(&other.desk).await.unwrap();
    assert_eq!(other.desk.load(call).await.unwrap().status, CallStatus::Failed);
}

#[tokio::test]
async fn who_let_the_last_leg_in_decides_while_redis_is_gone_and_nobody_else() {
    let mut server = RedisServer::start().await;
    let one = first(&server).await;
    let other = one.beside(2).await;
    let (hears, _others_hear) = (listen(&one).await, listen(&other).await);
    let (conversation, [ann, bob]) = one.group();
    let call = one.start(conversation, ann).await.call.id;
    let _: Joined = bob.ask(&other, "call.join", call, json!({})).await.unwrap();
    wait::until("the first one to hear who serves it", async || (one.shared_calls().count_served() == 0).then_some(()))
        .await;
    // It serves another one, whose owner changes while it doesn't listen.
    let (elsewhere, [carl, dora]) = one.group();
    let theirs = one.start(elsewhere, carl).await.call.id;
    drop(hears);
    let _: Joined = dora.ask(&other, "call.join", theirs, json!({})).await.unwrap();
    let _hears_again = listen(&one).await;
    wait::until("it to read who serves it", async || (one.shared_calls().count_served() == 0).then_some(())).await;
    assert_eq!(other.shared_calls().count_served(), 2);
    kill(&mut server, &[&one, &other]).await;
    for world in [&one, &other] {
        world.desk.change(call, Input::Lost { connection: bob.connection }).await.unwrap();
    }
    assert_eq!(one.status(call, bob).await, Some(ParticipantStatus::Joined), "not its to decide");
    assert_eq!(other.status(call, bob).await, Some(ParticipantStatus::Reconnecting));
}

#[tokio::test]
async fn a_call_that_is_over_is_served_by_nobody() {
    let server = RedisServer::start().await;
    let one = first(&server).await;
    let (conversation, [ann, bob]) = one.group();
    let call = one.talk(conversation, ann, &[bob]).await;
    assert_eq!(one.shared_calls().count_served(), 1);
    let _: Call = ann.ask(&one, "call.end", call, json!({})).await.unwrap();
    let late: Result<Joined, _> = bob.ask(&one, "call.join", call, json!({})).await;
    assert_eq!((late.err(), one.shared_calls().count_served()), (Some(ErrorCode::CallOver), 0));
}

#[tokio::test]
async fn one_that_was_only_frozen_hears_that_its_calls_are_anothers() {
    let server = RedisServer::start().await;
    let frozen = first(&server).await;
    let other = frozen.beside(2).await;
    let (conversation, [ann, bob]) = frozen.group();
    let call = frozen.talk(conversation, ann, &[bob]).await;
    let _hears = listen(&frozen).await;
    other.advance(LEASE_MS);
    assert_eq!(follow_the_silent(&other).await, [call]);
    wait::until("it to hear so", async || (frozen.shared_calls().count_served() == 0).then_some(())).await;
    assert_eq!(other.shared_calls().count_served(), 1);
}

#[tokio::test]
async fn who_has_not_read_what_goes_on_denies_no_call_and_lists_none() {
    let mut server = RedisServer::start().await;
    let one = first(&server).await;
    let (conversation, [ann, bob]) = one.group();
    let call = one.talk(conversation, ann, &[bob]).await;
    let epoch = leg(&one, call, bob);
    // It starts, and Redis is gone before it has read anything.
    let other = one.begins_beside(2);
    assert_eq!(other.desk.registers(bob.user).await.err().map(|refusal| refusal.code), Some(ErrorCode::Unavailable));
    assert_eq!(other.desk.restate().await.err().map(|refusal| refusal.code), Some(ErrorCode::Unavailable));
    kill(&mut server, &[&one, &other]).await;
    let back: Result<Joined, _> = bob.ask(&other, "call.join", call, json!({ "epoch": epoch })).await;
    assert_eq!(back.err(), Some(ErrorCode::Unavailable), "the device would give up its call");
    let told = other.desk.registers(bob.user).await.unwrap();
    assert!(told.iter().all(|event| event.name != CALLS_INDEX), "what it does not list is over");
    // What begins here is known here.
    let (elsewhere, [carl]) = other.group();
    let here = other.start(elsewhere, carl).await.call.id;
    let left: Result<Call, _> = carl.ask(&other, "call.leave", here, json!({ "epoch": leg(&other, here, carl) })).await;
    assert!(left.is_ok());

    server.restart().await;
    comes_back(&other).await;
    let _hears = listen(&other).await;
    let unknown: Result<Call, _> = bob.ask(&other, "call.get", CallId::now(), json!({})).await;
    assert_eq!(unknown.err(), Some(ErrorCode::NotFound));
    let told = other.desk.registers(bob.user).await.unwrap();
    assert!(told.iter().any(|event| event.name == CALLS_INDEX));
}
