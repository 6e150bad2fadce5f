//! Two who start at once in one conversation, where the second one begins and is done while the first one asks who is to be called.

use protocol::calls::{CallStatus, Joined, ParticipantStatus};

use super::world::{Person, World};

/// What each of them is answered.
async fn both_start(world: &World, conversation: protocol::ConversationId, one: Person, other: Person) -> [Joined; 2] {
    let (asked, go_on) = world.chat.holds_the_next_question();
    let meanwhile = async {
        asked.await.unwrap();
        let joined = world.start(conversation, other).await;
        go_on.send(()).unwrap();
        joined
    };
    let (one, other) = tokio::join!(world.start(conversation, one), meanwhile);
    [one, other]
}

#[tokio::test]
async fn who_is_busy_in_the_call_of_the_same_conversation_is_not_busy() {
    let world = World::new().await;
    let (conversation, [ann, bob]) = world.group();
    let [one, other] = both_start(&world, conversation, ann, bob).await;
    assert_eq!((one.call.id, one.call.status), (other.call.id, CallStatus::Active));
    assert!(one.epoch.is_some() && other.epoch.is_some());
    for person in [ann, bob] {
        assert_eq!(world.status(one.call.id, person).await, Some(ParticipantStatus::Joined));
    }
}

#[tokio::test]
async fn two_devices_of_one_user_who_start_at_once_are_in_one_call() {
    let world = World::new().await;
    let (conversation, [ann, _]) = world.group();
    let [one, other] = both_start(&world, conversation, ann, ann.on_another_device()).await;
    assert_eq!(one.call.id, other.call.id);
    assert!(one.epoch > other.epoch, "the one who came later has taken over");
}
