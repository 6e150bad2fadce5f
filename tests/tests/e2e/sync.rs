//! Whoever knows where they stand gets exactly the rest, in order, after any gap.

use harness::people::{START, assert_gapless};
use harness::socket::Opening;
use harness::{Event, Person, Socket, Topology, World, on_every_topology};
use protocol::chat::{CONVERSATION_CREATED, MEMBER_JOINED, MESSAGE_DELETED, MESSAGE_EDITED, MESSAGE_NEW};
use protocol::frames::{EVENT_LIVE, EVENT_RESET, EVENT_WITHHELD, Reset, StreamPosition};
use protocol::{ConversationId, Epoch, Position, StreamId, Tag};
use serde_json::json;
use uuid::Uuid;

on_every_topology![
    a_new_device_starts_from_the_heads,
    a_sync_from_the_first_entry_gives_the_whole_log_as_it_stands_now,
    a_sync_after_a_crash_of_everything_gives_exactly_the_rest,
    a_position_of_another_log_is_reset,
    a_log_that_one_may_not_read_is_like_one_that_is_not_there,
    another_epoch_voids_all_positions,
    what_was_said_while_one_was_out_is_withheld,
    history_of_a_channel_is_open_to_who_joins_late,
];

fn at(conversation: ConversationId, position: Position) -> StreamPosition {
    StreamPosition { stream: StreamId::conversation(conversation), position }
}

async fn open(person: &Person) -> Socket {
    Socket::open(person.gateway, Opening::default()).await.expect("an upgrade")
}

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

async fn a_new_device_starts_from_the_heads(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let sent = ann.say(conversation, "old").await;
    let mut socket = open(&bob).await;
    socket.hello(&bob.access).await;
    let synced = socket.sync(Vec::new()).await;
    let stream = StreamId::conversation(conversation);
    let started = synced.started.iter().find(|started| started.stream == stream).unwrap();
    assert_eq!(started.position, sent.position);
    assert!(synced.started.iter().any(|started| started.stream == StreamId::user(bob.id)));
    socket.event(EVENT_LIVE).await;
    ann.say(conversation, "new").await;
    assert_eq!(socket.event(MESSAGE_NEW).await.body["text"], "new");
    world.end().await;
}

async fn a_sync_from_the_first_entry_gives_the_whole_log_as_it_stands_now(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let group = ann.group("all", &[&bob]).await;
    let edited = ann.say(group, "draft").await.position.seq;
    let deleted = bob.say(group, "oops").await.position.seq;
    ann.edit(group, edited, "final").await;
    bob.delete(group, deleted).await;
    let events = bob.log(group, START).await;
    assert_gapless(&events, 0);
    let expected =
        [CONVERSATION_CREATED, MEMBER_JOINED, MEMBER_JOINED, MESSAGE_NEW, MESSAGE_NEW, MESSAGE_EDITED, MESSAGE_DELETED];
    assert_eq!(names(&events), expected);
    assert_eq!(events[3].body["text"], "final", "a late reader sees the present text");
    assert_eq!(events[4].body["text"], "");
    assert_eq!(events[4].body["deleted"], true);
    world.end().await;
}

async fn a_sync_after_a_crash_of_everything_gives_exactly_the_rest(topology: Topology) {
    let mut world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let mut last = ann.say(conversation, "0").await.position;
    let known = last;
    for n in 1..260 {
        last = ann.say(conversation, &n.to_string()).await.position;
    }
    for part in topology.parts().iter().rev() {
        world.kill(part.name).await;
    }
    for part in topology.parts() {
        world.restart(part.name).await;
    }
    let events = bob.log(conversation, known).await;
    assert_gapless(&events, known.seq);
    let texts: Vec<_> = events.iter().map(|event| event.body["text"].clone()).collect();
    let expected: Vec<_> = (1..260).map(|n| json!(n.to_string())).collect();
    assert_eq!(texts, expected);
    assert_eq!(events.last().unwrap().from.unwrap().tag, last.tag);
    assert!(!world.log(topology.chat_part()).contains("panic"));
    world.end().await;
}

async fn a_position_of_another_log_is_reset(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let sent = ann.say(conversation, "one").await.position;
    let stream = StreamId::conversation(conversation);
    let forked = Position { seq: sent.seq, tag: Tag(sent.tag.0 ^ 1) };
    let beyond = Position { seq: sent.seq + 1_000, tag: sent.tag };
    for position in [forked, beyond] {
        let mut socket = open(&bob).await;
        socket.hello(&bob.access).await;
        let synced = socket.sync(vec![at(conversation, position)]).await;
        if synced.reset.is_empty() {
            let reset: Reset = socket.event(EVENT_RESET).await.body();
            assert_eq!((reset.stream, reset.head), (stream, sent));
        } else {
            assert_eq!(synced.reset, [stream]);
            assert!(synced.started.iter().any(|s| s.stream == stream && s.position == sent));
        }
        socket.event(EVENT_LIVE).await;
    }
    world.end().await;
}

async fn a_log_that_one_may_not_read_is_like_one_that_is_not_there(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob, eve] = world.people(["ann", "bob", "eve"]).await;
    let conversation = ann.direct(&bob).await;
    let sent = ann.say(conversation, "private").await.position;
    let mut socket = open(&eve).await;
    socket.hello(&eve.access).await;
    let nowhere = ConversationId(Uuid::now_v7());
    let synced = socket.sync(vec![at(conversation, sent), at(nowhere, sent)]).await;
    let reset = |conversation| synced.reset.contains(&StreamId::conversation(conversation));
    assert_eq!(reset(conversation), reset(nowhere));
    assert!(synced.started.iter().all(|started| started.stream == StreamId::user(eve.id)));
    socket.event(EVENT_LIVE).await;
    ann.say(conversation, "still private").await;
    eve.group("own", &[]).await;
    socket.event(protocol::chat::CONVERSATION_JOINED).await;
    assert!(!socket.take_events().iter().any(|event| event.name == MESSAGE_NEW));
    world.end().await;
}

async fn another_epoch_voids_all_positions(topology: Topology) {
    let world = World::start(topology).await;
    let bob = world.person("bob").await;
    let device = bob.device().await;
    let mut last = device.welcome.clone();
    device.socket.cut();
    last.epoch = Epoch(Uuid::new_v4());
    let mut socket = open(&bob).await;
    let welcome = socket.hello_again(&bob.access, &last).await;
    assert!(!welcome.resumed);
    assert_ne!(welcome.epoch, last.epoch);
    world.end().await;
}

async fn what_was_said_while_one_was_out_is_withheld(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let group = ann.group("doors", &[&bob]).await;
    ann.say(group, "heard").await;
    ann.done::<serde_json::Value>(group, "members.kick", json!({ "user": bob.id })).await;
    ann.say(group, "secret").await;
    ann.say(group, "secret too").await;
    ann.done::<serde_json::Value>(group, "members.invite", json!({ "users": [bob.id] })).await;
    ann.say(group, "heard again").await;

    let events = bob.log(group, START).await;
    assert_gapless(&events, 0);
    let texts: Vec<_> = events.iter().filter(|e| e.name == MESSAGE_NEW).map(|e| e.body["text"].clone()).collect();
    assert_eq!(texts, ["heard", "heard again"]);
    assert_eq!(events.iter().filter(|e| e.name == EVENT_WITHHELD).count(), 1);
    let page = bob.history(group, json!({})).await;
    let texts: Vec<_> = page.messages.iter().map(|message| message.text.as_str()).collect();
    assert_eq!(texts, ["heard", "heard again"]);
    world.end().await;
}

async fn history_of_a_channel_is_open_to_who_joins_late(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let channel = ann.channel("news").await;
    ann.say(channel, "first").await;
    bob.done::<serde_json::Value>(channel, "channels.join", json!({})).await;
    ann.say(channel, "second").await;
    let events = bob.log(channel, START).await;
    assert_gapless(&events, 0);
    assert!(!names(&events).contains(&EVENT_WITHHELD));
    let page = bob.history(channel, json!({})).await;
    assert_eq!(page.messages.len(), 2);
    assert_eq!(bob.unread(channel).await, 1, "what came before joining is not unread");
    world.end().await;
}
