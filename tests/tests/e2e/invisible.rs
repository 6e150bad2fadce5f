//! What one may not see answers exactly like what doesn't exist: byte by byte, but for the request's own id.

use harness::{Person, Topology, World, on_every_topology};
use protocol::commands::{COMMANDS, CommandSpec, Route};
use protocol::{ConversationId, ErrorCode};
use serde_json::{Value, json};
use uuid::Uuid;

on_every_topology![
    no_command_tells_a_hidden_conversation_from_none,
    a_message_from_before_one_came_in_is_not_there,
    a_hidden_reply_target_is_not_there,
];

fn body_of(command: &CommandSpec, somebody: &Person) -> Value {
    match command.name {
        "messages.send" => json!({ "client_id": Uuid::new_v4(), "text": "x" }),
        "messages.edit" => json!({ "seq": 4, "text": "x", "client_id": Uuid::new_v4() }),
        "messages.delete" | "messages.revisions" | "read.mark" => json!({ "seq": 4 }),
        "conversations.update" => json!({ "title": "x" }),
        "members.invite" => json!({ "users": [somebody.id] }),
        "members.kick" | "members.ban" | "members.unban" => json!({ "user": somebody.id }),
        "members.role" => json!({ "user": somebody.id, "role": "admin" }),
        _ => json!({}),
    }
}

async fn no_command_tells_a_hidden_conversation_from_none(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob, eve] = world.people(["ann", "bob", "eve"]).await;
    world.command_line(&["users", "role", "eve", "moderator"]).await;
    let former = ann.group("former", &[&eve]).await;
    let eve = eve.login("desk").await;
    let hidden = [ann.group("hidden", &[&bob]).await, ann.direct(&bob).await];
    for conversation in hidden {
        ann.say(conversation, "private").await;
    }
    ann.done::<Value>(former, "members.kick", json!({ "user": eve.id })).await;
    let nowhere = ConversationId(Uuid::now_v7());
    let on_conversations = COMMANDS.iter().filter(|command| command.route == Route::Conversation);
    for command in on_conversations.filter(|command| command.rest.is_some()) {
        let may_moderate = ["messages.delete", "messages.revisions"].contains(&command.name);
        let asks = if may_moderate { &bob } else { &eve };
        let body = body_of(command, &ann);
        let none = asks.on(nowhere, command.name, body.clone()).await;
        if command.name == "messages.revisions" {
            assert_eq!(none.refused(), ErrorCode::Forbidden, "{none}");
            continue;
        }
        assert_eq!(none.refused(), ErrorCode::NotFound, "{}", command.name);
        for conversation in hidden.iter().filter(|_| !may_moderate) {
            let answer = asks.on(*conversation, command.name, body.clone()).await;
            assert_eq!(answer.without_request_id(), none.without_request_id(), "{}", command.name);
        }
        let readable = ["messages.list", "conversations.get", "members.list"].contains(&command.name);
        if !readable && !may_moderate {
            let answer = eve.on(former, command.name, body).await;
            assert_eq!(answer.without_request_id(), none.without_request_id(), "{}", command.name);
        }
    }
    world.end().await;
}

async fn a_message_from_before_one_came_in_is_not_there(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let group = ann.group("late", &[]).await;
    let hidden = ann.say(group, "before").await.position.seq;
    ann.done::<Value>(group, "members.invite", json!({ "users": [bob.id] })).await;
    let promote = json!({ "user": bob.id, "role": "admin" });
    ann.done::<Value>(group, "members.role", promote).await;
    for command in ["messages.delete", "messages.edit"] {
        let body = |seq: u64| match command {
            "messages.edit" => json!({ "seq": seq, "text": "x", "client_id": Uuid::new_v4() }),
            _ => json!({ "seq": seq }),
        };
        let answer = bob.on(group, command, body(hidden)).await;
        let none = bob.on(group, command, body(1_000)).await;
        assert_eq!(none.refused(), ErrorCode::NotFound);
        assert_eq!(answer.without_request_id(), none.without_request_id(), "{command}");
    }
    world.end().await;
}

async fn a_hidden_reply_target_is_not_there(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let group = ann.group("late", &[]).await;
    let hidden = ann.say(group, "before").await.position.seq;
    ann.done::<Value>(group, "members.invite", json!({ "users": [bob.id] })).await;
    let reply = async |seq: u64| {
        let body = json!({ "client_id": Uuid::new_v4(), "text": "re", "reply_to": seq });
        bob.on(group, "messages.send", body).await
    };
    let answer = reply(hidden).await;
    let none = reply(1_000).await;
    assert_eq!(answer.without_request_id(), none.without_request_id());
    world.end().await;
}
