//! Conversations: made, listed, found, renamed.

use harness::{Topology, World, on_every_topology};
use protocol::ErrorCode;
use protocol::chat::{
    CONVERSATION_JOINED, CONVERSATION_UPDATED, Channels, ConversationKind, Conversations, MemberRole,
};
use serde_json::{Value, json};
use uuid::Uuid;

on_every_topology![
    two_people_have_one_conversation,
    a_group_begins_with_its_members_and_all_their_devices_hear_of_it,
    what_is_no_conversation_is_refused,
    conversations_are_listed_page_by_page,
    a_channel_is_found_by_its_title_and_joined_by_anyone,
    a_title_is_changed_by_admins,
    a_1_1_conversation_stays_as_it_is,
];

async fn two_people_have_one_conversation(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let opened = ann.direct(&bob).await;
    assert_eq!(ann.direct(&bob).await, opened);
    assert_eq!(bob.direct(&ann).await, opened);
    let seen = bob.conversation(opened).await;
    assert_eq!((seen.kind, seen.peer, seen.members), (ConversationKind::Direct, Some(ann.id), 2));
    world.end().await;
}

async fn a_group_begins_with_its_members_and_all_their_devices_hear_of_it(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let laptop = bob.login("laptop").await;
    let (mut here, mut there) = (bob.device().await, laptop.device().await);
    let group = ann.group("hikers", &[&bob]).await;
    for device in [&mut here, &mut there] {
        let event = device.event(CONVERSATION_JOINED).await;
        assert_eq!(event.body["conversation"], group.to_string());
        assert_eq!(event.body["title"], "hikers");
    }
    ann.say(group, "welcome").await;
    here.hears("welcome").await;
    there.hears("welcome").await;
    let seen = ann.conversation(group).await;
    assert_eq!((seen.role, seen.members), (MemberRole::Owner, 2));
    assert_eq!(bob.conversation(group).await.role, MemberRole::Member);
    world.end().await;
}

async fn what_is_no_conversation_is_refused(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let wrong = [
        json!({ "kind": "direct" }),
        json!({ "kind": "direct", "members": [ann.id] }),
        json!({ "kind": "direct", "members": [bob.id, Uuid::now_v7()] }),
        json!({ "kind": "group" }),
        json!({ "kind": "group", "title": "" }),
        json!({ "kind": "group", "title": "x".repeat(101) }),
        json!({ "kind": "channel", "title": "x", "members": vec![bob.id; 1] }),
        json!({ "kind": "party", "title": "x" }),
    ];
    for body in wrong {
        let answer = ann.call("conversations.create", None, body.clone()).await;
        assert_eq!(answer.refused(), ErrorCode::InvalidRequest, "{body}");
    }
    let nobody = json!({ "kind": "direct", "members": [Uuid::now_v7()] });
    let answer = ann.call("conversations.create", None, nobody).await;
    assert_eq!(answer.refused(), ErrorCode::NotFound);
    world.end().await;
}

async fn conversations_are_listed_page_by_page(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let mut made = Vec::new();
    for n in 0..5 {
        made.push(ann.group(&format!("group {n}"), &[&bob]).await);
    }
    made.sort();
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let mut body = json!({ "limit": 2 });
        if let Some(after) = after {
            body["after"] = json!(after);
        }
        let page: Conversations = bob.call("conversations.list", None, body).await.data();
        assert!(page.conversations.len() <= 2);
        listed.extend(page.conversations.iter().map(|conversation| conversation.id));
        after = listed.last().copied();
        if !page.more {
            break;
        }
    }
    assert_eq!(listed, made);
    world.end().await;
}

async fn a_channel_is_found_by_its_title_and_joined_by_anyone(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let channel = ann.channel("rustaceans").await;
    ann.channel("other").await;
    ann.group("rust group", &[]).await;
    let find = async || -> Channels { bob.call("channels.find", None, json!({ "title": "rust" })).await.data() };
    let found = find().await.channels;
    assert_eq!((found.len(), found[0].id, found[0].joined), (1, channel, false));
    let mut device = bob.device().await;
    bob.done::<Value>(channel, "channels.join", json!({})).await;
    assert!(find().await.channels[0].joined);
    ann.say(channel, "hello all").await;
    device.hears("hello all").await;
    bob.say(channel, "hello ann").await;
    world.end().await;
}

async fn a_title_is_changed_by_admins(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let group = ann.group("before", &[&bob]).await;
    let mut device = bob.device().await;
    let title = json!({ "title": "after" });
    let refused = bob.refused(group, "conversations.update", title.clone()).await;
    assert_eq!(refused, ErrorCode::Forbidden);
    ann.done::<Value>(group, "conversations.update", title).await;
    assert_eq!(device.event(CONVERSATION_UPDATED).await.body["title"], "after");
    assert_eq!(bob.conversation(group).await.title.as_deref(), Some("after"));
    world.end().await;
}

async fn a_1_1_conversation_stays_as_it_is(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob, carl] = world.people(["ann", "bob", "carl"]).await;
    let direct = ann.direct(&bob).await;
    let changes = [
        ("conversations.update", json!({ "title": "x" })),
        ("members.invite", json!({ "users": [carl.id] })),
        ("members.kick", json!({ "user": bob.id })),
        ("members.ban", json!({ "user": bob.id })),
        ("members.leave", json!({})),
    ];
    for (command, body) in changes {
        assert_eq!(ann.refused(direct, command, body).await, ErrorCode::Conflict, "{command}");
    }
    world.end().await;
}
