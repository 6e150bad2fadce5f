//! A connection that was cut on one node goes on at the other: the same device, and nothing is missing.

use harness::people::assert_gapless;
use harness::socket::Opening;
use harness::{Socket, wait};
use protocol::Position;
use protocol::chat::MESSAGE_NEW;
use protocol::frames::{EVENT_LIVE, StreamPosition};

use super::{A, B, two};

#[tokio::test]
async fn a_connection_that_was_cut_on_one_node_goes_on_at_the_other() {
    let (mut world, ann, bob) = two().await;
    world.clients_use(A);
    let phone = bob.login("phone").await;
    let conversation = ann.direct(&bob).await;
    let mut device = Box::pin(on(&world, A, &phone)).await;
    for n in 0..10 {
        ann.say(conversation, &format!("before {n}")).await;
        device.0.event(MESSAGE_NEW).await;
    }
    let last = ann.say(conversation, "the last one heard").await;
    let heard = device.0.event(MESSAGE_NEW).await.from.unwrap();
    assert_eq!(heard.seq, last.position.seq);
    wait::until("the connection to be noted", async || {
        let noted = world.redis()?.ask(&["EVAL", "return #redis.call('KEYS', '*:resume:*')", "0"]).await;
        (noted != ":0").then_some(())
    })
    .await;
    let (socket, welcome) = device;
    socket.cut();
    for n in 0..10 {
        ann.say(conversation, &format!("meanwhile {n}")).await;
    }

    let mut socket = Socket::open(world.gateway_at(B), Opening::default()).await.expect("an upgrade");
    let again = socket.hello_again(&phone.access, &welcome).await;
    assert_eq!((again.connection_id, &again.connection), (welcome.connection_id, &welcome.connection));
    assert_eq!(again.epoch, welcome.epoch);
    let stream = heard.stream;
    let position = Position { seq: heard.seq, tag: heard.tag };
    let synced = socket.sync(vec![StreamPosition { stream, position }]).await;
    assert!(synced.reset.is_empty(), "{synced:?}");
    socket.event(EVENT_LIVE).await;
    ann.say(conversation, "after").await;
    socket.event_where("what is said now", |event| event.body["text"] == "after").await;
    let mut events = socket.take_events();
    events.retain(|event| event.from.is_some_and(|from| from.stream == stream));
    assert_gapless(&events, heard.seq);
    let texts: Vec<&str> = events.iter().filter_map(|event| event.body["text"].as_str()).collect();
    let expected: Vec<String> = (0..10).map(|n| format!("meanwhile {n}")).collect();
    assert_eq!(texts, expected.iter().map(String::as_str).collect::<Vec<_>>());
    world.end().await;
}

/// A live socket of a login on a node.
async fn on(
    world: &harness::World,
    node: &'static str,
    login: &harness::Person,
) -> (Socket, protocol::frames::Welcome) {
    Socket::live(world.gateway_at(node), Opening::default(), &login.access, None).await
}
