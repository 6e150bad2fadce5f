//! Who is in: invited, kicked, banned, given roles; each takes effect before the next entry.

use harness::{Topology, World, on_every_topology};
use protocol::ErrorCode;
use protocol::chat::{Appended, CONVERSATION_LEFT, MEMBER_JOINED, MEMBER_LEFT, MESSAGE_NEW, MemberRole, Members};
use serde_json::{Value, json};

on_every_topology![
    an_invited_member_reads_from_there_on,
    a_kick_means_out_on_every_device_and_in_every_command,
    a_banned_user_stays_out_until_the_ban_is_lifted,
    nobody_acts_on_an_equal_or_a_higher_one,
    a_group_keeps_an_owner,
    who_leaves_hears_their_own_leaving_last,
    members_are_listed_with_their_roles,
];

async fn an_invited_member_reads_from_there_on(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let group = ann.group("club", &[]).await;
    ann.say(group, "before").await;
    let mut device = bob.device().await;
    let joined: Appended = ann.done(group, "members.invite", json!({ "users": [bob.id] })).await;
    let event = device.event(MEMBER_JOINED).await;
    assert_eq!(event.from.unwrap().seq, joined.position.seq);
    ann.say(group, "after").await;
    device.hears("after").await;
    let page = bob.history(group, json!({})).await;
    assert_eq!(page.messages.len(), 1);
    assert!(!page.more_before);
    let again: Appended = ann.done(group, "members.invite", json!({ "users": [bob.id] })).await;
    assert_eq!(again.position.seq, joined.position.seq + 1, "who is in is passed over");
    world.end().await;
}

async fn a_kick_means_out_on_every_device_and_in_every_command(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let phone = bob.login("phone").await;
    let group = ann.group("club", &[&bob]).await;
    let own = bob.say(group, "mine").await.position.seq;
    let (mut here, mut there) = (bob.device().await, phone.device().await);
    ann.done::<Value>(group, "members.kick", json!({ "user": bob.id })).await;
    ann.say(group, "without bob").await;
    for device in [&mut here, &mut there] {
        let left = device.event(CONVERSATION_LEFT).await;
        assert_eq!(left.body["how"], "kicked");
        device.event(MEMBER_LEFT).await;
    }
    let commands = [
        ("messages.send", json!({ "client_id": uuid::Uuid::new_v4(), "text": "x" })),
        ("messages.edit", json!({ "seq": own, "text": "x", "client_id": uuid::Uuid::new_v4() })),
        ("messages.delete", json!({ "seq": own })),
        ("conversations.update", json!({ "title": "x" })),
        ("members.invite", json!({ "users": [ann.id] })),
        ("members.leave", json!({})),
        ("read.mark", json!({ "seq": own })),
    ];
    for (command, body) in commands {
        assert_eq!(bob.refused(group, command, body).await, ErrorCode::NotFound, "{command}");
    }
    let other = bob.group("own", &[]).await;
    bob.say(other, "a sign that all came").await;
    for device in [&mut here, &mut there] {
        device.hears("a sign that all came").await;
    }
    world.end().await;
}

async fn a_banned_user_stays_out_until_the_ban_is_lifted(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let channel = ann.channel("open").await;
    bob.done::<Value>(channel, "channels.join", json!({})).await;
    ann.done::<Value>(channel, "members.ban", json!({ "user": bob.id })).await;
    assert_eq!(bob.refused(channel, "channels.join", json!({})).await, ErrorCode::Banned);
    ann.done::<Value>(channel, "members.unban", json!({ "user": bob.id })).await;
    bob.done::<Value>(channel, "channels.join", json!({})).await;

    let group = ann.group("closed", &[&bob]).await;
    ann.done::<Value>(group, "members.ban", json!({ "user": bob.id })).await;
    let invited = ann.refused(group, "members.invite", json!({ "users": [bob.id] })).await;
    assert!(matches!(invited, ErrorCode::Banned | ErrorCode::Conflict), "{invited:?}");
    world.end().await;
}

async fn nobody_acts_on_an_equal_or_a_higher_one(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob, carl, dora] = world.people(["ann", "bob", "carl", "dora"]).await;
    let group = ann.group("ranks", &[&bob, &carl, &dora]).await;
    let role = |user, role: &str| json!({ "user": user, "role": role });
    ann.done::<Value>(group, "members.role", role(bob.id, "admin")).await;
    ann.done::<Value>(group, "members.role", role(carl.id, "admin")).await;
    let refusals = [
        (&bob, "members.kick", json!({ "user": ann.id })),
        (&bob, "members.kick", json!({ "user": carl.id })),
        (&bob, "members.ban", json!({ "user": carl.id })),
        (&bob, "members.role", role(dora.id, "admin")),
        (&dora, "members.kick", json!({ "user": bob.id })),
        (&dora, "members.invite", json!({ "users": [ann.id] })),
        (&dora, "conversations.update", json!({ "title": "x" })),
    ];
    for (person, command, body) in refusals {
        let refused = person.refused(group, command, body).await;
        assert_eq!(refused, ErrorCode::Forbidden, "{} {command}", person.handle);
    }
    bob.done::<Value>(group, "members.kick", json!({ "user": dora.id })).await;
    ann.done::<Value>(group, "members.kick", json!({ "user": carl.id })).await;
    world.end().await;
}

async fn a_group_keeps_an_owner(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let group = ann.group("kept", &[&bob]).await;
    assert_eq!(ann.refused(group, "members.leave", json!({})).await, ErrorCode::LastOwner);
    let demote = json!({ "user": ann.id, "role": "member" });
    assert_eq!(ann.refused(group, "members.role", demote).await, ErrorCode::LastOwner);
    let promote = json!({ "user": bob.id, "role": "owner" });
    ann.done::<Value>(group, "members.role", promote).await;
    ann.done::<Value>(group, "members.leave", json!({})).await;
    assert_eq!(bob.conversation(group).await.role, MemberRole::Owner);
    world.end().await;
}

async fn who_leaves_hears_their_own_leaving_last(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let group = ann.group("leaving", &[&bob]).await;
    let mut device = bob.device().await;
    bob.done::<Value>(group, "members.leave", json!({})).await;
    ann.say(group, "gone?").await;
    let left = device.event(MEMBER_LEFT).await;
    assert_eq!(left.body["how"], "left");
    device.event(CONVERSATION_LEFT).await;
    let other = bob.group("own", &[]).await;
    bob.say(other, "a sign").await;
    device.hears("a sign").await;
    assert!(!device.socket.take_events().iter().any(|event| event.name == MESSAGE_NEW));
    world.end().await;
}

async fn members_are_listed_with_their_roles(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob, carl] = world.people(["ann", "bob", "carl"]).await;
    let group = ann.group("list", &[&bob, &carl]).await;
    let first: Members = bob.done(group, "members.list", json!({ "limit": 2 })).await;
    assert_eq!((first.members.len(), first.more), (2, true));
    let after = first.members[1].user;
    let second: Members = bob.done(group, "members.list", json!({ "limit": 2, "after": after })).await;
    assert_eq!((second.members.len(), second.more), (1, false));
    let mut all = first.members;
    all.extend(second.members);
    let owner = all.iter().find(|member| member.user == ann.id).unwrap();
    assert_eq!(owner.role, MemberRole::Owner);
    assert_eq!(all.iter().filter(|member| member.role == MemberRole::Member).count(), 2);
    world.end().await;
}
