//! Messages: sent once, in order, edited, deleted, answered, read page by page.

use harness::{Topology, World, on_every_topology};
use protocol::chat::{CONVERSATION_JOINED, MEMBER_JOINED, MESSAGE_DELETED, MESSAGE_EDITED, Revisions, Sent};
use protocol::frames::EVENT_WITHHELD;
use protocol::limits::TEXT_CHARS_MAX;
use protocol::{ErrorCode, Position};
use serde_json::{Value, json};
use uuid::Uuid;

on_every_topology![
    messages_reach_every_device_in_order_also_the_senders_others,
    a_message_sent_twice_under_one_id_is_one_message,
    many_sends_in_flight_keep_their_order,
    an_edit_is_the_authors_and_keeps_the_former_text_for_moderators,
    an_edit_is_not_told_to_who_does_not_see_the_message,
    a_delete_takes_the_text_away_for_all,
    a_reply_names_a_message_that_is_there,
    what_is_no_message_is_refused,
    history_is_read_page_by_page_and_around_a_message,
    a_flood_in_one_conversation_is_limited,
];

async fn messages_reach_every_device_in_order_also_the_senders_others(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let tablet = ann.login("tablet").await;
    let conversation = ann.direct(&bob).await;
    let (mut a, mut t, mut b) = (ann.device().await, tablet.device().await, bob.device().await);
    for n in 0..20 {
        let sent = a.say(conversation, &format!("ping {n}")).await;
        let heard = b.hears(&format!("ping {n}")).await;
        assert_eq!(heard.from.unwrap().seq, sent.position.seq);
        assert_eq!(heard.from.unwrap().tag, sent.position.tag);
        b.say(conversation, &format!("pong {n}")).await;
        for device in [&mut a, &mut t] {
            device.hears(&format!("ping {n}")).await;
            device.hears(&format!("pong {n}")).await;
        }
        b.hears(&format!("pong {n}")).await;
    }
    world.end().await;
}

async fn a_message_sent_twice_under_one_id_is_one_message(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let body = json!({ "client_id": Uuid::new_v4(), "text": "once" });
    let first: Sent = ann.done(conversation, "messages.send", body.clone()).await;
    ann.delete(conversation, first.position.seq).await;
    let mut device = ann.device().await;
    let again = device.done(conversation, "messages.send", body.clone()).await;
    let again: Sent = serde_json::from_value(again).unwrap();
    assert_eq!(first, again, "also after it was deleted, also on another way");
    assert_eq!(ann.history(conversation, json!({})).await.messages.len(), 1);
    let theirs: Sent = bob.done(conversation, "messages.send", body).await;
    assert_ne!(theirs.position, first.position, "an id is its sender's own");
    world.end().await;
}

async fn many_sends_in_flight_keep_their_order(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let (mut a, mut b) = (ann.device().await, bob.device().await);
    let to = conversation.to_string();
    let mut started = Vec::new();
    for n in 0..200 {
        let body = json!({ "client_id": Uuid::new_v4(), "text": format!("{n}") });
        started.push(a.socket.start("messages.send", Some(&to), &body).await);
    }
    let mut last = 0;
    for (n, id) in started.into_iter().enumerate() {
        let sent: Sent = serde_json::from_value(a.socket.reply(id).await.unwrap()).unwrap();
        assert!(sent.position.seq > last);
        last = sent.position.seq;
        b.hears(&n.to_string()).await;
    }
    world.end().await;
}

async fn an_edit_is_the_authors_and_keeps_the_former_text_for_moderators(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob, root] = world.people(["ann", "bob", "root"]).await;
    world.command_line(&["users", "role", "root", "moderator"]).await;
    let root = root.login("desk").await;
    let group = ann.group("edits", &[&bob, &root]).await;
    let seq = bob.say(group, "frist").await.position.seq;
    let mut device = ann.device().await;
    bob.edit(group, seq, "first").await;
    let event = device.event(MESSAGE_EDITED).await;
    assert_eq!((&event.body["text"], &event.body["revision"]), (&json!("first"), &json!(1)));
    let forged = json!({ "seq": seq, "text": "x", "client_id": Uuid::new_v4() });
    assert_eq!(ann.refused(group, "messages.edit", forged).await, ErrorCode::Forbidden);

    let page = ann.history(group, json!({})).await;
    assert_eq!((page.messages[0].text.as_str(), page.messages[0].revision), ("first", 1));
    let denied = ann.refused(group, "messages.revisions", json!({ "seq": seq })).await;
    assert_eq!(denied, ErrorCode::Forbidden);
    let revisions: Revisions = root.done(group, "messages.revisions", json!({ "seq": seq })).await;
    assert_eq!(revisions.revisions[0].text, "frist");
    world.end().await;
}

async fn an_edit_is_not_told_to_who_does_not_see_the_message(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob, cleo] = world.people(["ann", "bob", "cleo"]).await;
    let group = ann.group("before cleo", &[&bob]).await;
    let early = ann.say(group, "a secret").await.position.seq;
    let (mut b, mut c) = (bob.device().await, cleo.device().await);
    ann.done::<Value>(group, "members.invite", json!({ "users": [cleo.id] })).await;
    c.event(CONVERSATION_JOINED).await;
    c.event(MEMBER_JOINED).await;
    let late = ann.say(group, "hello cleo").await.position.seq;
    for device in [&mut b, &mut c] {
        device.hears("hello cleo").await;
    }
    // Many in a row, so that what is read from the log and what is pushed alternate.
    for n in 0..5 {
        let first = ann.edit(group, early, &format!("a secret {n}")).await.position.seq;
        let second = ann.edit(group, late, &format!("hello {n}")).await.position.seq;
        ann.say(group, &format!("{n}")).await;
        for (text, seq) in [(format!("a secret {n}"), first), (format!("hello {n}"), second)] {
            let edit = b.event(MESSAGE_EDITED).await;
            assert_eq!((edit.body["text"].as_str(), edit.from.map(|from| from.seq)), (Some(text.as_str()), Some(seq)));
        }
        b.hears(&n.to_string()).await;
        let withheld = c.event(EVENT_WITHHELD).await;
        assert_eq!(withheld.from.map(|from| from.seq), Some(first));
        let edit = c.event(MESSAGE_EDITED).await;
        assert_eq!((edit.body["target"].as_u64(), edit.from.map(|from| from.seq)), (Some(late), Some(second)));
        c.hears(&n.to_string()).await;
    }
    // Nor is it read later.
    let log = cleo.log(group, Position::default()).await;
    assert!(!log.iter().any(|event| event.body.to_string().contains("secret")), "{log:?}");
    let page = cleo.history(group, json!({})).await;
    assert!(page.messages.iter().all(|message| !message.text.contains("secret")));
    world.end().await;
}

async fn a_delete_takes_the_text_away_for_all(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let group = ann.group("deletes", &[&bob]).await;
    let anns = ann.say(group, "anns").await.position.seq;
    let bobs = bob.say(group, "bobs").await.position.seq;
    let mut device = bob.device().await;
    let denied = bob.refused(group, "messages.delete", json!({ "seq": anns })).await;
    assert_eq!(denied, ErrorCode::Forbidden);
    let first = ann.delete(group, bobs).await;
    assert_eq!(device.event(MESSAGE_DELETED).await.body["target"], bobs);
    let again = ann.delete(group, bobs).await;
    assert_eq!(first.position, again.position, "deleting again changes nothing");
    let edit = json!({ "seq": bobs, "text": "x", "client_id": Uuid::new_v4() });
    assert_eq!(bob.refused(group, "messages.edit", edit).await, ErrorCode::MessageDeleted);
    let page = bob.history(group, json!({})).await;
    let deleted = page.messages.iter().find(|message| message.seq == bobs).unwrap();
    assert!(deleted.deleted && deleted.text.is_empty());
    world.end().await;
}

async fn a_reply_names_a_message_that_is_there(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let seq = ann.say(conversation, "question").await.position.seq;
    let mut device = ann.device().await;
    let reply = |to: u64| json!({ "client_id": Uuid::new_v4(), "text": "answer", "reply_to": to });
    bob.done::<Sent>(conversation, "messages.send", reply(seq)).await;
    assert_eq!(device.hears("answer").await.body["reply_to"], seq);
    for nothing in [0, 1, seq + 100] {
        let refused = bob.refused(conversation, "messages.send", reply(nothing)).await;
        assert!(matches!(refused, ErrorCode::NotFound | ErrorCode::InvalidRequest), "{nothing}");
    }
    world.end().await;
}

async fn what_is_no_message_is_refused(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let longest = "ä".repeat(TEXT_CHARS_MAX);
    ann.say(conversation, &longest).await;
    for text in [String::new(), format!("{longest}x")] {
        let body = json!({ "client_id": Uuid::new_v4(), "text": text });
        let refused = ann.refused(conversation, "messages.send", body).await;
        assert_eq!(refused, ErrorCode::InvalidRequest);
    }
    let refused = ann.refused(conversation, "messages.send", json!({ "text": "no id" })).await;
    assert_eq!(refused, ErrorCode::InvalidRequest);
    let nul = json!({ "client_id": Uuid::new_v4(), "text": "cut \u{0} off" });
    assert_eq!(ann.refused(conversation, "messages.send", nul).await, ErrorCode::InvalidRequest);
    ann.say(conversation, "\u{202e} is text, <b> is text, \r\n too").await;
    world.end().await;
}

async fn history_is_read_page_by_page_and_around_a_message(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let mut seqs = Vec::new();
    for n in 0..25 {
        seqs.push(ann.say(conversation, &n.to_string()).await.position.seq);
    }
    let mut read = Vec::new();
    let mut before = None;
    loop {
        let mut page = json!({ "limit": 10 });
        if let Some(before) = before {
            page["before"] = json!(before);
        }
        let page = bob.history(conversation, page).await;
        before = page.messages.first().map(|message| message.seq);
        read.splice(0..0, page.messages.iter().map(|message| message.seq));
        if !page.more_before {
            break;
        }
    }
    assert_eq!(read, seqs);
    let around = bob.history(conversation, json!({ "around": seqs[12], "limit": 5 })).await;
    assert!(around.messages.iter().any(|message| message.seq == seqs[12]));
    assert!(around.more_before && around.more_after);
    let after = bob.history(conversation, json!({ "after": seqs[20], "limit": 50 })).await;
    let after: Vec<_> = after.messages.iter().map(|message| message.seq).collect();
    assert_eq!(after, seqs[21..]);
    let both = json!({ "after": 1, "before": 2 });
    assert_eq!(bob.refused(conversation, "messages.list", both).await, ErrorCode::InvalidRequest);
    world.end().await;
}

async fn a_flood_in_one_conversation_is_limited(topology: Topology) {
    let settings = harness::world::Settings::default().limit("conversation_messages", 60);
    let world = World::with(topology, settings).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let mut device = ann.device().await;
    let to = conversation.to_string();
    let mut ids = Vec::new();
    for n in 0..100 {
        let body = json!({ "client_id": Uuid::new_v4(), "text": n.to_string() });
        ids.push(device.socket.start("messages.send", Some(&to), &body).await);
    }
    let mut refused = 0;
    for id in ids {
        if let Err(error) = device.socket.reply(id).await {
            assert_eq!(error.code, ErrorCode::RateLimited);
            assert!(error.retry_after_ms.is_some());
            refused += 1;
        }
    }
    assert!(refused > 0);
    let other = ann.group("elsewhere", &[]).await;
    device.done(other, "messages.send", json!({ "client_id": Uuid::new_v4(), "text": "x" })).await;
    world.end().await;
}
