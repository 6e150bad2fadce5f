//! Who is in the conversation, and what becomes of a call when nobody tells that somebody is not.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::calls::{Joined, ParticipantStatus};
use serde_json::json;

use super::world::World;
use crate::watch::watch_members;

fn watch(world: &World) {
    tokio::spawn(watch_members(Arc::clone(&world.desk), world.shutdown.clone()));
}

#[tokio::test]
async fn who_leaves_the_conversation_leaves_its_call() {
    let world = World::new().await;
    watch(&world);
    let (conversation, [ann, bob, carl]) = world.group();
    let call = world.talk(conversation, ann, &[bob, carl]).await;
    world.chat.leaves(conversation, bob.user);
    world.until(call, bob, ParticipantStatus::Removed).await;
    assert_eq!(world.status(call, carl).await, Some(ParticipantStatus::Joined));
}

#[tokio::test]
async fn a_hint_that_was_missed_makes_it_ask_for_everyone() {
    let world = World::new().await;
    watch(&world);
    let (conversation, [ann, bob, carl]) = world.group();
    let call = world.talk(conversation, ann, &[bob, carl]).await;
    // The watch stands.
    world.chat.leaves(conversation, carl.user);
    world.until(call, carl, ParticipantStatus::Removed).await;
    world.chat.leaves(conversation, bob.user);
    world.chat.bursts();
    world.until(call, bob, ParticipantStatus::Removed).await;
}

#[tokio::test]
async fn what_happened_while_chat_was_away_is_found_out_when_it_is_back() {
    let world = World::new().await;
    watch(&world);
    let (conversation, [ann, bob, carl]) = world.group();
    let call = world.talk(conversation, ann, &[bob, carl]).await;
    world.chat.fails(true);
    world.chat.leaves_untold(conversation, bob.user);
    assert_eq!(carl.ask::<Joined>(&world, "call.join", call, json!({})).await.unwrap_err(), ErrorCode::Unavailable);
    world.chat.fails(false);
    world.until(call, bob, ParticipantStatus::Removed).await;
    assert_eq!(world.status(call, ann).await, Some(ParticipantStatus::Joined));
}

#[tokio::test]
async fn who_could_not_be_asked_about_is_asked_about_again() {
    let world = World::new().await;
    watch(&world);
    let (conversation, [ann, bob, carl]) = world.group();
    let call = world.talk(conversation, ann, &[bob, carl]).await;
    world.chat.leaves(conversation, carl.user);
    world.until(call, carl, ParticipantStatus::Removed).await;
    // The watch goes on; only questions fail.
    world.chat.answers(false);
    world.chat.leaves(conversation, bob.user);
    world.chat.bursts();
    world.chat.was_asked_in_vain().await;
    world.chat.answers(true);
    world.until(call, bob, ParticipantStatus::Removed).await;
}

#[tokio::test]
async fn who_is_removed_between_the_question_and_the_join_does_not_stay() {
    let world = World::new().await;
    watch(&world);
    let (conversation, [ann, bob, carl]) = world.group();
    let call = world.talk(conversation, ann, &[carl]).await;
    world.chat.leaves_after_the_next_question(conversation, bob.user);
    let _ = bob.ask::<Joined>(&world, "call.join", call, json!({})).await;
    world.until(call, bob, ParticipantStatus::Removed).await;

    let (conversation, [dora, eve]) = world.group();
    world.chat.leaves_after_the_next_question(conversation, eve.user);
    let call = world.start(conversation, dora).await.call.id;
    world.until(call, eve, ParticipantStatus::Removed).await;
}
