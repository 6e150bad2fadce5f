//! What a call owes to time and to others, whoever dies on the way: each deadline is applied and each record written, and once.

use std::sync::Arc;

use protocol::calls::{Call, CallStatus, ParticipantStatus};
use protocol::{CallId, Millis};
use serde_json::json;

use super::world::{Person, World};
use crate::config::Config;
use crate::machine::{Input, Output};
use crate::store::CallStore;
use crate::work::{apply_deadlines, perform, perform_some};

/// Longer than any lease, and than any pause after one failure.
const LATER: Millis = 61_000;

async fn missed(world: &World) -> (CallId, [Person; 2]) {
    let (conversation, people) = world.group();
    (world.start(conversation, people[0]).await.call.id, people)
}

async fn ended(world: &World) -> CallId {
    let (conversation, [ann, bob]) = world.group();
    let call = world.talk(conversation, ann, &[bob]).await;
    let ended: Call = ann.ask(world, "call.end", call, json!({})).await.unwrap();
    assert_eq!(ended.status, CallStatus::Ended);
    call
}

/// Performs everything that may be performed now.
async fn perform_all(world: &World) {
    while perform_some(&world.desk).await.unwrap() > 0 {}
}

#[tokio::test]
async fn a_deadline_whose_worker_died_is_applied_by_the_next_one_once() {
    let world = World::new().await;
    let (call, [_, bob]) = missed(&world).await;
    world.advance(Config::default().ring_ms);
    let dies = world.other_worker();
    assert_eq!(dies.claim_due(LATER - 1, 10).await.unwrap(), [call]);
    apply_deadlines(&world.desk).await.unwrap();
    assert_eq!(world.status(call, bob).await, Some(ParticipantStatus::Invited), "it is somebody else's work");
    world.advance(LATER);
    apply_deadlines(&world.desk).await.unwrap();
    assert_eq!(world.status(call, bob).await, Some(ParticipantStatus::Missed));
    let version = world.desk.load(call).await.unwrap().version;
    world.advance(LATER);
    apply_deadlines(&world.desk).await.unwrap();
    assert_eq!(world.desk.load(call).await.unwrap().version, version);
    assert_eq!(world.desk.store.missed(bob.user).await.unwrap(), 1);
}

#[tokio::test]
async fn a_deadline_that_two_workers_apply_is_applied_once() {
    let world = World::new().await;
    let (call, [_, bob]) = missed(&world).await;
    world.advance(Config::default().ring_ms);
    // One that was thought dead comes back to its work.
    world.other_worker().claim_due(1, 10).await.unwrap();
    world.advance(1);
    let input = Input::Due;
    let (one, other, round) =
        tokio::join!(world.desk.change(call, input), world.desk.change(call, input), apply_deadlines(&world.desk));
    round.unwrap();
    assert!(one.is_ok() && other.is_ok());
    perform_all(&world).await;
    assert_eq!(world.chat.records().0.len(), 1);
    assert_eq!(world.desk.store.missed(bob.user).await.unwrap(), 1);
}

#[tokio::test]
async fn a_record_waits_for_chat_and_is_written_when_it_is_back() {
    let world = World::new().await;
    let call = ended(&world).await;
    world.chat.fails(true);
    perform_all(&world).await;
    assert_eq!(world.chat.records(), (Vec::new(), 1), "it was tried, and others do not wait for it");
    for _ in 0..3 {
        world.advance(LATER);
        perform_all(&world).await;
    }
    assert_eq!(world.chat.records().1, 4, "once for every pause");
    world.chat.fails(false);
    world.advance(LATER);
    perform_all(&world).await;
    let (records, _) = world.chat.records();
    assert_eq!(records.iter().map(|record| record.call).collect::<Vec<_>>(), [call]);
    world.advance(LATER);
    assert_eq!(perform_some(&world.desk).await.unwrap(), 0, "and never again");
    assert_eq!(world.chat.records().1, 5);
}

#[tokio::test]
async fn a_record_whose_worker_died_on_either_side_of_writing_it_is_one_record() {
    let world = World::new().await;
    let call = ended(&world).await;
    // It dies with every output in its hands, before it has done any: a record after it is written late, and written.
    let dies = world.other_worker();
    while !dies.claim_outputs(LATER - 1, 10).await.unwrap().is_empty() {}
    assert_eq!(perform_some(&world.desk).await.unwrap(), 0, "they are somebody else's work");
    let world = world.restart().await;
    world.advance(LATER);
    // It dies after writing the record, before noting that.
    loop {
        let claimed = world.desk.store.claim_outputs(LATER - 1, 10).await.unwrap();
        let Some(pending) = claimed.first() else { break };
        perform(&world.desk, pending).await.unwrap();
        if matches!(pending.output, Output::Record { .. }) {
            break;
        }
        world.desk.store.performed(pending.key).await.unwrap();
    }
    assert_eq!(world.chat.records().1, 1);
    let world = world.restart().await;
    world.advance(LATER);
    perform_all(&world).await;
    let (records, asked) = world.chat.records();
    assert_eq!((records.len(), records[0].call, asked), (1, call, 2), "written twice under one name");
}

#[tokio::test]
async fn after_a_restart_everyone_is_awaited_and_what_rang_rings_on_until_its_time() {
    let world = World::new().await;
    let (conversation, [ann, bob]) = world.group();
    let talk = world.talk(conversation, ann, &[bob]).await;
    let (ringing, [carl, dora]) = missed(&world).await;
    let until = world.desk.load(ringing).await.unwrap().ring_until;
    let world = world.restart().await;
    for (call, person) in [(talk, ann), (talk, bob), (ringing, carl)] {
        assert_eq!(world.status(call, person).await, Some(ParticipantStatus::Reconnecting));
    }
    assert_eq!(world.status(ringing, dora).await, Some(ParticipantStatus::Invited));
    assert_eq!(world.desk.load(ringing).await.unwrap().ring_until, until);
    // Nobody comes back.
    world.advance(Config::default().reconnect_ms);
    apply_deadlines(&world.desk).await.unwrap();
    for call in [talk, ringing] {
        let over = Arc::clone(&world.desk.load(call).await.unwrap());
        assert!(over.status.is_over(), "{over:?}");
    }
    assert!(world.desk.live.all().is_empty());
}
