//! Several processes that share one Redis: what one begins another goes on with, and whose process dies is awaited at another.

use std::sync::Arc;

use protocol::accounts::Done;
use protocol::calls::{CALL_RECOVERED, CALL_RECOVERING, Call, CallStatus, Joined, ParticipantStatus};
use protocol::{CallId, ErrorCode, Millis};
use rig::{RedisServer, wait};
use runtime::lifecycle::Phase;
use serde_json::json;
use tokio::task::JoinHandle;

use super::world::{Person, World};
use crate::config::Config;
use crate::machine::Input;
use crate::store::{CallStore, LEASE_MS};
use crate::work::{
    apply_deadlines, await_legs, catch_up, follow_the_silent as follow, hear_others, perform_some, share,
};

/// The first of several processes.
pub(super) async fn first(server: &RedisServer) -> World {
    let world = World::on_redis(server, 1).await;
    world.shared().renew_lease().await.unwrap();
    world
}

/// Hears what others write while it is held.
pub(super) struct Listening(JoinHandle<()>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A process hears what others write, and has read what goes on.
pub(super) async fn listen(world: &World) -> Listening {
    let (desk, shared) = (Arc::clone(&world.desk), world.shared_calls());
    shared.forget_what_was_read();
    let listening = Listening(tokio::spawn(async move { hear_others(&desk, &shared).await }));
    wait::until("it to have read what goes on", async || world.shared_calls().has_read().then_some(())).await;
    listening
}

/// What a process does when it finds others silent.
pub(super) async fn follow_the_silent(world: &World) -> Vec<CallId> {
    let shared = world.shared_calls();
    let adopted = follow(&world.desk, &shared).await.unwrap();
    assert_eq!(await_legs(&world.desk, &shared, adopted.clone()).await, []);
    adopted
}

/// A process dies, and the other one has been alive since.
pub(super) fn dies(one: World, other: &World) {
    one.dies();
    other.advance(LEASE_MS);
}

#[tokio::test]
async fn what_one_process_begins_another_goes_on_with() {
    let server = RedisServer::start().await;
    let one = first(&server).await;
    let other = one.beside(2).await;
    let (conversation, [ann, bob]) = one.group();
    let call = one.start(conversation, ann).await.call.id;
    let joined: Joined = bob.ask(&other, "call.join", call, json!({})).await.unwrap();
    assert!(joined.epoch.is_some());
    let again = other.start(conversation, ann.on_another_device()).await;
    assert_eq!(again.call.id, call, "one call goes on in a conversation, wherever it is started");
    // The first one's memory is older: what it denies is asked of the store.
    let epoch = |person: Person| one.desk.live.get(call).unwrap().parts[&person.user].leg.unwrap().epoch;
    assert!(one.desk.live.get(call).unwrap().parts[&bob.user].leg.is_none());
    let offer = json!({
        "epoch": joined.epoch, "to": { "user": ann.user, "epoch": again.epoch }, "candidates": [{ "candidate": "" }],
    });
    let _: Done = bob.ask(&one, "call.signal", call, offer).await.unwrap();
    assert_eq!(Some(epoch(bob)), joined.epoch);
    let left: Call = bob.ask(&one, "call.leave", call, json!({ "epoch": joined.epoch })).await.unwrap();
    assert_eq!(left.participants.iter().filter(|part| part.status == ParticipantStatus::Left).count(), 1);
}

#[tokio::test]
async fn what_legs_say_to_each_other_is_at_who_serves_their_call() {
    let server = RedisServer::start().await;
    let one = first(&server).await;
    let other = one.beside(2).await;
    let _hears = listen(&one).await;
    let (conversation, [ann, bob]) = one.group();
    let started = one.start(conversation, ann).await;
    let call = started.call.id;
    let _: Joined = bob.ask(&other, "call.join", call, json!({})).await.unwrap();
    wait::until("the first one to hear who serves it", async || (one.shared_calls().count_served() == 0).then_some(()))
        .await;
    let back = json!({ "epoch": started.epoch });
    let here: Joined = ann.ask(&one, "call.join", call, back).await.unwrap();
    assert!(here.renegotiate, "it knows nothing of what was said");
}

#[tokio::test]
async fn a_version_is_heard_by_all_processes_without_asking() {
    let server = RedisServer::start().await;
    let one = first(&server).await;
    let other = one.beside(2).await;
    let listens =
        tokio::spawn(share(Arc::clone(&other.desk), other.shared_calls(), Vec::new(), other.shutdown.clone()));
    let (conversation, [ann, bob]) = one.group();
    let call = one.start(conversation, ann).await.call.id;
    let status = async |wanted: Option<ParticipantStatus>| {
        wait::until("the other one to hear of it", async || {
            let status = other.desk.live.get(call).map(|call| call.parts[&bob.user].status);
            (status == wanted).then_some(())
        })
        .await;
    };
    status(Some(ParticipantStatus::Invited)).await;
    let _: Joined = bob.ask(&one, "call.join", call, json!({})).await.unwrap();
    status(Some(ParticipantStatus::Joined)).await;
    one.desk.change(call, Input::End { by: ann.user }).await.unwrap();
    status(None).await;
    other.shutdown.advance(Phase::Stop);
    wait::within("the end", listens).await.unwrap();
}

#[tokio::test]
async fn what_was_told_while_nobody_listened_is_caught_up_with() {
    let server = RedisServer::start().await;
    let one = first(&server).await;
    let other = one.beside(2).await;
    let (conversation, [ann]) = one.group();
    let call = one.start(conversation, ann).await.call.id;
    catch_up(&other.desk, &other.shared_calls()).await.unwrap();
    assert_eq!(other.desk.live.all().iter().map(|call| call.id).collect::<Vec<_>>(), [call]);
    one.desk.change(call, Input::End { by: ann.user }).await.unwrap();
    catch_up(&other.desk, &other.shared_calls()).await.unwrap();
    assert!(other.desk.live.all().is_empty());
}

#[tokio::test]
async fn a_version_that_is_heard_late_revives_no_call() {
    let server = RedisServer::start().await;
    let one = first(&server).await;
    let (conversation, [ann]) = one.group();
    let call = one.start(conversation, ann).await.call.id;
    let before = one.desk.load(call).await.unwrap();
    one.desk.change(call, Input::End { by: ann.user }).await.unwrap();
    one.desk.heard((*before).clone());
    assert!(one.desk.live.all().is_empty());
}

#[tokio::test]
async fn the_calls_of_a_dead_process_are_taken_over_and_their_legs_come_back() {
    let server = RedisServer::start().await;
    let one = first(&server).await;
    let other = one.beside(2).await;
    let (conversation, [ann, bob]) = one.group();
    let call = one.talk(conversation, ann, &[bob]).await;
    let (elsewhere, [carl, dora]) = one.group();
    let theirs = other.talk(elsewhere, carl, &[dora]).await;
    assert_eq!(follow_the_silent(&other).await, [], "it lives");

    dies(one, &other);
    other.shared().renew_lease().await.unwrap();
    let mut told = other.hears();
    assert_eq!(follow_the_silent(&other).await, [call]);
    assert_eq!(follow_the_silent(&other).await, [], "once");
    assert!(told.drain().contains(&CALL_RECOVERING.to_owned()));
    for person in [ann, bob] {
        assert_eq!(other.status(call, person).await, Some(ParticipantStatus::Reconnecting));
    }
    for person in [carl, dora] {
        assert_eq!(other.status(theirs, person).await, Some(ParticipantStatus::Joined), "its process lives");
    }
    for person in [ann, bob] {
        let epoch = other.desk.load(call).await.unwrap().parts[&person.user].leg.unwrap().epoch;
        let back: Joined = person.ask(&other, "call.join", call, json!({ "epoch": epoch })).await.unwrap();
        assert!(back.renegotiate, "what the legs had to say to each other died with the process");
    }
    assert!(told.drain().contains(&CALL_RECOVERED.to_owned()));
    let state = other.desk.load(call).await.unwrap();
    assert_eq!((state.status, state.recovering), (CallStatus::Active, false));
}

#[tokio::test]
async fn who_does_not_come_back_to_the_heir_in_time_has_lost_the_call() {
    let server = RedisServer::start().await;
    let one = first(&server).await;
    let other = one.beside(2).await;
    let (conversation, [ann, bob]) = one.group();
    let call = one.talk(conversation, ann, &[bob]).await;
    let epoch = one.desk.load(call).await.unwrap().parts[&bob.user].leg.unwrap().epoch;
    dies(one, &other);
    follow_the_silent(&other).await;
    other.advance(Config::default().reconnect_ms - 1);
    apply_deadlines(&other.desk).await.unwrap();
    assert_eq!(other.status(call, bob).await, Some(ParticipantStatus::Reconnecting));
    other.advance(1);
    apply_deadlines(&other.desk).await.unwrap();
    assert_eq!(other.desk.load(call).await.unwrap().status, CallStatus::Failed);
    let late: Result<Joined, _> = bob.ask(&other, "call.join", call, json!({ "epoch": epoch })).await;
    assert_eq!(late.err(), Some(ErrorCode::CallExpired));
    while perform_some(&other.desk).await.unwrap() > 0 {}
    assert_eq!(other.chat.records().0.len(), 1);
}

#[tokio::test]
async fn of_two_heirs_each_call_has_one() {
    let server = RedisServer::start().await;
    let one = first(&server).await;
    let heirs = [one.beside(2).await, one.beside(3).await];
    let mut calls = Vec::new();
    for _ in 0..20 {
        let (conversation, [ann]) = one.group();
        calls.push(one.start(conversation, ann).await.call.id);
    }
    dies(one, &heirs[0]);
    let (mut of_both, other) = tokio::join!(follow_the_silent(&heirs[0]), follow_the_silent(&heirs[1]));
    of_both.extend(other);
    of_both.sort_unstable();
    calls.sort_unstable();
    assert_eq!(of_both, calls);
}

#[tokio::test]
async fn a_process_that_starts_again_finds_its_own_calls_and_leaves_those_of_others() {
    let server = RedisServer::start().await;
    let one = first(&server).await;
    let other = one.beside(2).await;
    let (conversation, [ann, bob]) = one.group();
    let call = one.talk(conversation, ann, &[bob]).await;
    let (elsewhere, [carl, dora]) = one.group();
    let theirs = one.start(elsewhere, carl).await.call.id;
    // Who lets a leg in serves the call from then on.
    let _: Joined = dora.ask(&other, "call.join", theirs, json!({})).await.unwrap();
    one.dies();
    let again = other.beside(1).await;
    let own = again.shared().all_served().await.unwrap();
    assert_eq!(own, [call]);
    assert_eq!(await_legs(&again.desk, &again.shared_calls(), own).await, []);
    assert_eq!(again.status(call, bob).await, Some(ParticipantStatus::Reconnecting));
    assert_eq!(again.status(theirs, carl).await, Some(ParticipantStatus::Joined));
}

#[tokio::test]
async fn what_a_dead_process_owed_is_done_by_another_one_once() {
    let server = RedisServer::start().await;
    let one = first(&server).await;
    let other = one.beside(2).await;
    let (conversation, [ann, bob]) = one.group();
    let call = one.start(conversation, ann).await.call.id;
    one.advance(Config::default().ring_ms);
    // It dies with the deadline in its hands.
    const CLAIM_MS: Millis = 2_000;
    assert_eq!(one.shared().claim_due(CLAIM_MS, 1).await.unwrap(), [call]);
    one.dies();
    apply_deadlines(&other.desk).await.unwrap();
    assert_eq!(other.status(call, bob).await, Some(ParticipantStatus::Invited), "it is somebody else's work");
    other.advance(CLAIM_MS);
    apply_deadlines(&other.desk).await.unwrap();
    assert_eq!(other.status(call, bob).await, Some(ParticipantStatus::Missed));
    let third = other.beside(3).await;
    tokio::try_join!(perform_some(&other.desk), perform_some(&third.desk)).unwrap();
    while perform_some(&third.desk).await.unwrap() > 0 {}
    let (records, asked) = third.chat.records();
    assert_eq!((records.len(), asked), (1, 1));
    assert_eq!(third.desk.store.missed(bob.user).await, Ok(1));
}
