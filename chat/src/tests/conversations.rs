//! Making conversations, showing them, naming them, finding channels.

use link::Service;
use protocol::chat::{Channels, Conversation, ConversationKind, Conversations, MemberRole};
use protocol::{ConversationId, ErrorCode, StreamId, UserId};
use serde_json::json;
use uuid::Uuid;

use super::world::World;

#[tokio::test]
async fn a_command_of_a_newer_version_is_answered_unsupported() {
    for world in [World::new(), World::linked().await] {
        let [somebody] = world.people();
        let refused = somebody.ask::<Conversation>(&world, "conversations.of_the_future", None, json!({})).await;
        assert_eq!(refused.unwrap_err(), ErrorCode::Unsupported);
    }
}

#[tokio::test]
async fn a_group_begins_with_its_maker_as_owner_and_each_member_in_both_logs() {
    let world = World::new();
    let [owner, member] = world.people();
    let group = world.group(owner, &[member]).await;
    let names: Vec<_> = world.conversation_log(group).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["conversation.created", "member.joined", "member.joined"]);
    let seen = member.conversation(&world, group).await.unwrap();
    assert_eq!((seen.kind, seen.role, seen.members, seen.unread), (ConversationKind::Group, MemberRole::Member, 2, 0));
    assert_eq!(owner.conversation(&world, group).await.unwrap().role, MemberRole::Owner);
    let own = world.log(StreamId::user(member.id)).await;
    assert_eq!(own[0].0, "conversation.joined");
    assert_eq!(own[0].1["first_seq"], 1);
    assert_eq!(own[0].1["joined_seq"], 3);
}

#[tokio::test]
async fn two_people_have_one_direct_conversation_whoever_opens_it() {
    let world = World::new();
    let [one, other] = world.people();
    let first = world.direct(one, other).await;
    assert_eq!(world.direct(other, one).await, first);
    let seen = one.conversation(&world, first).await.unwrap();
    assert_eq!((seen.kind, seen.peer, seen.title), (ConversationKind::Direct, Some(other.id), None));
    for (command, body) in [
        ("members.leave", json!({})),
        ("members.invite", json!({ "users": [world.person().id] })),
        ("members.kick", json!({ "user": other.id })),
        ("members.ban", json!({ "user": other.id })),
        ("conversations.update", json!({ "title": "x" })),
    ] {
        assert_eq!(one.act(&world, command, first, body).await, Err(ErrorCode::Conflict), "{command}");
    }
}

#[tokio::test]
async fn the_same_key_gets_the_same_answer_and_another_request_under_it_is_refused() {
    let world = World::new();
    let [owner, member] = world.people();
    let (key, body) = (Uuid::new_v4(), json!({ "kind": "group", "title": "Once", "members": [member.id] }));
    let create = |body| owner.ask_with_key::<Conversation>(&world, "conversations.create", None, body, key);
    let first = create(body.clone()).await.unwrap();
    owner.send(&world, first.id, "in between").await.unwrap();
    assert_eq!(create(body).await.unwrap(), first);
    let other = json!({ "kind": "group", "title": "Twice" });
    assert_eq!(create(other).await.unwrap_err(), ErrorCode::IdempotencyKeyReused);
    let list: Conversations = owner.ask(&world, "conversations.list", None, json!({})).await.unwrap();
    assert_eq!(list.conversations.len(), 1);
}

#[tokio::test]
async fn what_is_not_of_the_right_form_makes_nothing() {
    let world = World::new();
    let [owner, member] = world.people();
    for body in [
        json!({ "kind": "group" }),
        json!({ "kind": "group", "title": "  " }),
        json!({ "kind": "group", "title": "x".repeat(101) }),
        json!({ "kind": "direct" }),
        json!({ "kind": "direct", "members": [owner.id] }),
        json!({ "kind": "direct", "members": [member.id], "title": "x" }),
        json!({ "kind": "channel", "title": "x", "members": [member.id] }),
        json!({ "kind": "group", "title": "x", "colour": "red" }),
    ] {
        let made = owner.ask::<Conversation>(&world, "conversations.create", None, body.clone()).await;
        assert_eq!(made.unwrap_err(), ErrorCode::InvalidRequest, "{body}");
    }
    let stranger = json!({ "kind": "direct", "members": [UserId::now()] });
    let made = owner.ask::<Conversation>(&world, "conversations.create", None, stranger).await;
    assert_eq!(made.unwrap_err(), ErrorCode::NotFound);
    assert_eq!(world.chat.subscriptions(owner.id).await.unwrap().heads.len(), 1);
}

#[tokio::test]
async fn a_conversation_of_others_answers_like_one_that_does_not_exist() {
    let world = World::new();
    let [owner, stranger] = world.people();
    let group = world.group(owner, &[]).await;
    let sent = owner.send(&world, group, "secret").await.unwrap();
    let commands = [
        ("conversations.get", json!({})),
        ("conversations.update", json!({ "title": "x" })),
        ("members.list", json!({})),
        ("members.invite", json!({ "users": [stranger.id] })),
        ("members.kick", json!({ "user": owner.id })),
        ("members.ban", json!({ "user": owner.id })),
        ("members.unban", json!({ "user": owner.id })),
        ("members.role", json!({ "user": owner.id, "role": "admin" })),
        ("members.leave", json!({})),
        ("channels.join", json!({})),
        ("messages.send", json!({ "client_id": Uuid::new_v4(), "text": "x" })),
        ("messages.edit", json!({ "client_id": Uuid::new_v4(), "seq": sent.position.seq, "text": "x" })),
        ("messages.delete", json!({ "seq": sent.position.seq })),
        ("messages.list", json!({})),
        ("read.mark", json!({ "seq": 1_000 })),
        ("typing.set", json!({})),
    ];
    for (command, body) in commands {
        for id in [group, ConversationId::now()] {
            let answer = stranger.ask::<serde_json::Value>(&world, command, Some(id), body.clone()).await;
            assert_eq!(answer, Err(ErrorCode::NotFound), "{command}");
        }
    }
}

#[tokio::test]
async fn the_list_is_paged_by_id_and_shows_what_is_unread() {
    let world = World::new();
    let [owner, member] = world.people();
    let mut groups = Vec::new();
    for _ in 0..5 {
        groups.push(world.group(owner, &[member]).await);
    }
    owner.send(&world, groups[3], "one").await.unwrap();
    owner.send(&world, groups[3], "two").await.unwrap();
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let body = json!({ "after": after, "limit": 2 });
        let page: Conversations = member.ask(&world, "conversations.list", None, body).await.unwrap();
        seen.extend(page.conversations);
        after = seen.last().map(|conversation| conversation.id);
        if !page.more {
            break;
        }
    }
    assert_eq!(seen.iter().map(|conversation| conversation.id).collect::<Vec<_>>(), groups);
    assert_eq!(seen[3].unread, 2);
    assert_eq!(seen[3].last_message.as_ref().unwrap().text, "two");
    assert_eq!((seen[2].unread, &seen[2].last_message), (0, &None));
}

#[tokio::test]
async fn owner_and_admin_rename_and_members_do_not() {
    let world = World::new();
    let [owner, member] = world.people();
    let group = world.group(owner, &[member]).await;
    let body = json!({ "title": " A new name " });
    assert_eq!(member.act(&world, "conversations.update", group, body.clone()).await, Err(ErrorCode::Forbidden));
    let seq = owner.act(&world, "conversations.update", group, body.clone()).await.unwrap();
    assert_eq!(owner.act(&world, "conversations.update", group, body).await, Ok(seq), "nothing had to change");
    assert_eq!(member.conversation(&world, group).await.unwrap().title.as_deref(), Some("A new name"));
}

#[tokio::test]
async fn channels_are_found_by_the_beginning_of_their_title_and_joined_by_anyone() {
    let world = World::new();
    let [owner, reader] = world.people();
    let mut made = Vec::new();
    for title in ["Rust news", "RUST help", "Rest", "Äpfel"] {
        let body = json!({ "kind": "channel", "title": title });
        made.push(owner.ask::<Conversation>(&world, "conversations.create", None, body).await.unwrap().id);
    }
    let find = async |title: &'static str| {
        let body = json!({ "title": title });
        let found: Channels = reader.ask(&world, "channels.find", None, body).await.unwrap();
        found.channels.into_iter().map(|channel| channel.title).collect::<Vec<_>>()
    };
    assert_eq!(find("rust").await, ["Rust news", "RUST help"]);
    assert_eq!(find("ä").await, ["Äpfel"]);
    assert_eq!(find("").await.len(), 4);
    assert_eq!(find("rust%").await, [] as [&str; 0]);
    owner.send(&world, made[0], "before").await.unwrap();
    let seq = reader.act(&world, "channels.join", made[0], json!({})).await.unwrap();
    assert_eq!(reader.act(&world, "channels.join", made[0], json!({})).await, Ok(seq));
    let seen = reader.conversation(&world, made[0]).await.unwrap();
    assert_eq!((seen.unread, seen.last_message.unwrap().text.as_str()), (0, "before"));
    owner.send(&world, made[0], "after").await.unwrap();
    assert_eq!(reader.conversation(&world, made[0]).await.unwrap().unread, 1);
    let found: Channels = reader.ask(&world, "channels.find", None, json!({ "title": "rust n" })).await.unwrap();
    assert_eq!((found.channels[0].members, found.channels[0].joined), (2, true));
}
