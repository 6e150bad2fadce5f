//! A connection that dropped goes on where it was.

use harness::people::Device;
use harness::socket::Opening;
use harness::{Person, Socket, Topology, World, on_every_topology, wait};
use protocol::chat::MESSAGE_NEW;
use protocol::frames::{EVENT_LIVE, StreamPosition, Welcome};
use protocol::{ConversationId, Position};

on_every_topology![
    a_dropped_connection_resumes_in_silence_and_misses_nothing,
    a_resumed_connection_gets_what_it_did_not_acknowledge,
    a_restarted_service_is_no_gap_for_a_live_socket,
    a_connection_is_resumed_once_and_by_its_own_user_only,
    a_connection_keeps_its_identity_when_its_gateway_was_killed_where_there_is_a_redis,
];

async fn reopen(person: &Person, last: &Welcome) -> (Socket, Welcome) {
    let mut socket = Socket::open(person.gateway, Opening::default()).await.expect("an upgrade");
    let welcome = socket.hello_again(&person.access, last).await;
    (socket, welcome)
}

async fn hears_in_order(socket: &mut Socket, texts: impl Iterator<Item = String>) {
    for text in texts {
        let event = socket.event(MESSAGE_NEW).await;
        assert_eq!(event.body["text"], text);
    }
}

async fn pair(world: &World) -> (Person, Person, ConversationId) {
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    (ann, bob, conversation)
}

async fn a_dropped_connection_resumes_in_silence_and_misses_nothing(topology: Topology) {
    let world = World::start(topology).await;
    let (ann, bob, conversation) = pair(&world).await;
    let mut device = bob.device().await;
    ann.say(conversation, "before").await;
    device.hears("before").await;
    device.socket.acknowledge().await;
    let Device { socket, welcome, .. } = device;
    socket.cut();
    for n in 0..120 {
        ann.say(conversation, &format!("missed {n}")).await;
    }
    let (mut socket, again) = reopen(&bob, &welcome).await;
    assert!(again.resumed);
    assert_eq!(again.epoch, welcome.epoch);
    hears_in_order(&mut socket, (0..120).map(|n| format!("missed {n}"))).await;
    socket.event(EVENT_LIVE).await;
    ann.say(conversation, "after").await;
    hears_in_order(&mut socket, ["after".to_owned()].into_iter()).await;
    world.end().await;
}

async fn a_resumed_connection_gets_what_it_did_not_acknowledge(topology: Topology) {
    let world = World::start(topology).await;
    let (ann, bob, conversation) = pair(&world).await;
    let mut device = bob.device().await;
    device.socket.acknowledge().await;
    ann.say(conversation, "one").await;
    ann.say(conversation, "two").await;
    device.hears("one").await;
    device.hears("two").await;
    let Device { socket, welcome, .. } = device;
    socket.cut();
    let (mut socket, again) = reopen(&bob, &welcome).await;
    assert!(again.resumed);
    hears_in_order(&mut socket, ["one".to_owned(), "two".to_owned()].into_iter()).await;
    world.end().await;
}

async fn a_restarted_service_is_no_gap_for_a_live_socket(topology: Topology) {
    if topology == Topology::OneProcess {
        return;
    }
    let mut world = World::start(topology).await;
    let (ann, bob, conversation) = pair(&world).await;
    let mut device = bob.device().await;
    ann.say(conversation, "before").await;
    device.hears("before").await;
    world.crash(topology.chat_part()).await;
    ann.say(conversation, "after").await;
    device.hears("after").await;
    world.end().await;
}

async fn a_connection_is_resumed_once_and_by_its_own_user_only(topology: Topology) {
    let world = World::start(topology).await;
    let (_ann, bob, _) = pair(&world).await;
    let carl = world.person("carl").await;
    let Device { socket, welcome, .. } = bob.device().await;
    socket.cut();
    let (_stolen, theirs) = reopen(&carl, &welcome).await;
    assert!(!theirs.resumed, "a connection belongs to its user");
    let (first, again) = reopen(&bob, &welcome).await;
    assert!(again.resumed);
    first.cut();
    world.end().await;
}

async fn a_connection_keeps_its_identity_when_its_gateway_was_killed_where_there_is_a_redis(topology: Topology) {
    let mut world = World::start(topology).await;
    let (ann, bob, conversation) = pair(&world).await;
    let mut device = bob.device().await;
    ann.say(conversation, "before").await;
    let before = device.hears("before").await.from.expect("an entry");
    if topology.has_redis() {
        wait::until("the connection to be noted", async || {
            let noted = world.redis()?.ask(&["EVAL", "return redis.call('KEYS', '*:resume:*')[1]", "0"]).await;
            noted.contains("resume").then_some(())
        })
        .await;
    }
    world.crash(world.part_at(bob.gateway)).await;
    ann.say(conversation, "meanwhile").await;
    let (mut socket, again) = reopen(&bob, &device.welcome).await;
    assert!(!again.resumed, "what it has heard is not known here");
    let kept = (again.connection_id, &again.connection) == (device.welcome.connection_id, &device.welcome.connection);
    assert_eq!(kept, topology.has_redis());
    let position = StreamPosition { stream: before.stream, position: Position { seq: before.seq, tag: before.tag } };
    socket.sync(vec![position]).await;
    hears_in_order(&mut socket, ["meanwhile".to_owned()].into_iter()).await;
    // Of nobody else, nor for another login of the same user.
    let (_, theirs) = reopen(&ann, &device.welcome).await;
    assert_ne!(theirs.connection_id, device.welcome.connection_id);
    world.end().await;
}
