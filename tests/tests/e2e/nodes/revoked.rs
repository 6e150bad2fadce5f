//! What is taken away on one node takes effect on the other within two seconds, whether they have a Redis or not.

use std::time::Duration;

use harness::people::Device;
use harness::{Person, World, wait};
use protocol::chat::{Appended, CONVERSATION_LEFT, MESSAGE_NEW};
use protocol::{CloseCode, ErrorCode, StreamId};
use serde_json::json;
use tokio::time::Instant;

use super::{A, B, person_on, redis_dies, two};

/// From the answer of the command on.
const ON_ANOTHER_NODE: Duration = Duration::from_secs(2);

#[tokio::test]
async fn what_is_taken_away_on_one_node_is_gone_on_the_other() {
    let (world, ann, bob) = two().await;
    takes_effect(world, ann, bob).await;
}

#[tokio::test]
async fn what_is_taken_away_on_one_node_is_gone_on_the_other_also_without_redis() {
    let (mut world, ann, bob) = two().await;
    redis_dies(&mut world).await;
    takes_effect(world, ann, bob).await;
}

async fn takes_effect(mut world: World, ann: Person, bob: Person) {
    for command in ["members.kick", "members.ban"] {
        is_out_of_the_conversation(&ann, &bob, command).await;
    }
    let on_a = world.rest_at(A);
    world.clients_use(B);
    let (phone, desk) = (bob.login("phone").await, bob.login("desk").await);
    let (one, other) = (phone.device().await, desk.device().await);
    let body = json!({ "refresh_token": phone.refresh });
    assert_eq!(on_a.command("auth.logout", Some(&phone.access), None, body).await.status, 200);
    is_out(&phone, one, Instant::now()).await;
    // Nobody else's login is touched by it.
    assert_eq!(desk.call("me.get", None, json!({})).await.status, 200);
    assert_eq!(on_a.command("auth.logout_all", Some(&bob.access), None, json!({})).await.status, 200);
    is_out(&desk, other, Instant::now()).await;

    // And from the node without stores to the one that has them.
    let carl = person_on(&mut world, A, "carl").await;
    let device = carl.device().await;
    let on_b = world.rest_at(B);
    assert_eq!(on_b.command("auth.logout_all", Some(&carl.access), None, json!({})).await.status, 200);
    is_out(&carl, device, Instant::now()).await;
    world.end().await;
}

/// The login's socket is closed and its requests are refused, in time.
async fn is_out(login: &Person, mut device: Device, answered: Instant) {
    let rest = wait::until("REST to refuse the token", async || {
        let answer = login.call("me.get", None, json!({})).await;
        (answer.status != 200).then(|| (answer.refused(), answered.elapsed()))
    });
    let socket = async { (device.socket.closed().await.code, answered.elapsed()) };
    let ((refused, by_rest), (closed, by_socket)) = tokio::join!(rest, socket);
    assert_eq!((refused, closed), (ErrorCode::TokenRevoked, CloseCode::Revoked.number()));
    assert!(by_rest.max(by_socket) <= ON_ANOTHER_NODE, "REST after {by_rest:?}, the socket after {by_socket:?}");
}

/// Who is out hears so in time, and nothing that was said afterwards.
async fn is_out_of_the_conversation(ann: &Person, bob: &Person, command: &str) {
    let group = ann.group(command, &[bob]).await;
    let own = bob.group("own", &[]).await;
    let mut device = bob.device().await;
    ann.say(group, "before").await;
    device.event(MESSAGE_NEW).await;
    let end: Appended = ann.done(group, command, json!({ "user": bob.id })).await;
    let answered = Instant::now();
    for _ in 0..20 {
        ann.say(group, "after").await;
    }
    device.event(CONVERSATION_LEFT).await;
    assert!(answered.elapsed() <= ON_ANOTHER_NODE, "{command}: {:?}", answered.elapsed());
    assert_eq!(bob.refused(group, "messages.list", json!({})).await, ErrorCode::NotFound);

    bob.say(own, "a sign that all came").await;
    device.socket.event_where("the sign", |event| event.body["text"] == "a sign that all came").await;
    for event in device.socket.take_events() {
        let from = event.from.filter(|from| from.stream == StreamId::conversation(group));
        assert!(from.is_none_or(|from| from.seq <= end.position.seq), "{event:?}");
    }
}
