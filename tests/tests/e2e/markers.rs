//! Unread counts and receipts: right on every device at all times.

use harness::{Topology, World, on_every_topology, wait};
use protocol::ErrorCode;
use protocol::chat::{MARKER_CHANGED, Members, READ_MOVED, ReadMarker, ReadMoved, Sent};
use serde_json::json;
use uuid::Uuid;

on_every_topology![
    unread_counts_what_others_wrote_and_is_the_same_on_every_device,
    a_message_written_offline_and_sent_late_leaves_unread_as_it_was,
    reading_on_one_device_is_known_on_the_other,
    a_read_marker_never_moves_back,
    a_receipt_reaches_the_sender,
    deliveries_are_told_without_reading,
    one_may_not_read_what_is_not_there,
];

async fn unread_counts_what_others_wrote_and_is_the_same_on_every_device(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let phone = bob.login("phone").await;
    let conversation = ann.direct(&bob).await;
    for n in 0..3 {
        ann.say(conversation, &n.to_string()).await;
    }
    let last = ann.say(conversation, "3").await.position.seq;
    ann.edit(conversation, last, "three").await;
    ann.delete(conversation, last).await;
    assert_eq!(bob.unread(conversation).await, 4, "edits are no messages, a deleted one still counts");
    assert_eq!(phone.unread(conversation).await, 4);
    assert_eq!(ann.unread(conversation).await, 0);
    let left = bob.read(conversation, last - 1).await;
    assert_eq!(left.unread, 1);
    assert_eq!(phone.unread(conversation).await, 1);
    bob.say(conversation, "answer").await;
    assert_eq!(phone.unread(conversation).await, 1, "what one writes oneself changes nothing");
    assert_eq!(ann.unread(conversation).await, 1);
    world.end().await;
}

async fn a_message_written_offline_and_sent_late_leaves_unread_as_it_was(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let phone = bob.login("phone").await;
    let conversation = ann.direct(&bob).await;
    let (laptop, mut there) = (bob.device().await, phone.device().await);
    // The laptop loses its line; what bob writes on it now waits.
    laptop.socket.cut();
    let written = json!({ "client_id": Uuid::new_v4(), "text": "written on the train" });
    let mut seqs = Vec::new();
    for text in ["one", "two", "three"] {
        seqs.push(ann.say(conversation, text).await.position.seq);
        there.hears(text).await;
    }
    let mut here = bob.device().await;
    let late: Sent = serde_json::from_value(here.done(conversation, "messages.send", written).await).unwrap();
    there.hears("written on the train").await;
    for device in [&bob, &phone] {
        let seen = device.conversation(conversation).await;
        assert_eq!((seen.unread, seen.own_number), (3, 1), "{}", device.handle);
        assert!(seen.read.seq < seqs[0]);
    }
    // Read to the middle on one device, the other is told: three messages with the late one among them are left.
    here.done(conversation, "read.mark", json!({ "seq": seqs[1] })).await;
    let moved: ReadMoved = there.event(READ_MOVED).await.body();
    assert_eq!((moved.seq, moved.number, moved.own_number), (seqs[1], 2, 0));
    let marker = ReadMarker { seq: moved.seq, number: moved.number, own_number: moved.own_number };
    assert_eq!(marker.unread(late.number, 1), 1);
    assert_eq!((bob.unread(conversation).await, phone.unread(conversation).await), (1, 1));
    assert_eq!(phone.read(conversation, seqs[2]).await.unread, 0);
    assert_eq!(bob.unread(conversation).await, 0, "the own message after it is none");
    assert_eq!(ann.unread(conversation).await, 1);
    world.end().await;
}

async fn reading_on_one_device_is_known_on_the_other(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let phone = bob.login("phone").await;
    let conversation = ann.direct(&bob).await;
    let seq = ann.say(conversation, "read me").await.position.seq;
    let (mut here, mut there) = (bob.device().await, phone.device().await);
    here.done(conversation, "read.mark", json!({ "seq": seq })).await;
    for device in [&mut here, &mut there] {
        let moved = device.event(READ_MOVED).await;
        assert_eq!((&moved.body["seq"], &moved.body["number"]), (&json!(seq), &json!(1)));
    }
    world.end().await;
}

async fn a_read_marker_never_moves_back(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let first = ann.say(conversation, "1").await.position.seq;
    let second = ann.say(conversation, "2").await.position.seq;
    assert_eq!(bob.read(conversation, second).await.unread, 0);
    let back = bob.read(conversation, first).await;
    assert_eq!((back.seq, back.unread), (second, 0));
    assert_eq!(bob.conversation(conversation).await.read.seq, second);
    world.end().await;
}

async fn a_receipt_reaches_the_sender(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let mut device = ann.device().await;
    let seq = device.say(conversation, "seen?").await.position.seq;
    bob.read(conversation, seq).await;
    let what = "a read receipt";
    let receipt = device.socket.event_where(what, |event| {
        event.name == MARKER_CHANGED && event.body["user"] == bob.id.to_string() && event.body["read_seq"] == seq
    });
    let (key, version) = receipt.await.register.expect("a register");
    assert_eq!(key, format!("marker:{conversation}:{}", bob.id));
    assert!(version > 0);
    let members: Members = ann.done(conversation, "members.list", json!({})).await;
    let bobs = members.members.iter().find(|member| member.user == bob.id).unwrap();
    assert_eq!(bobs.read_seq, Some(seq));
    world.end().await;
}

async fn deliveries_are_told_without_reading(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let (mut a, mut b) = (ann.device().await, bob.device().await);
    let seq = a.say(conversation, "there?").await.position.seq;
    b.hears("there?").await;
    b.socket.acknowledge().await;
    let receipt = a.socket.event_where("a delivery receipt", |event| {
        event.name == MARKER_CHANGED
            && event.body["delivered_seq"].as_u64() >= Some(seq)
            && event.body["user"] == bob.id.to_string()
    });
    assert!(receipt.await.body["read_seq"].as_u64().unwrap() < seq);
    wait::until("the delivery in the list of members", async || {
        let members: Members = ann.done(conversation, "members.list", json!({})).await;
        let bobs = members.members.into_iter().find(|member| member.user == bob.id)?;
        (bobs.delivered_seq >= Some(seq)).then_some(())
    })
    .await;
    assert_eq!(bob.unread(conversation).await, 1);
    world.end().await;
}

async fn one_may_not_read_what_is_not_there(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let seq = ann.say(conversation, "last").await.position.seq;
    let ahead = bob.refused(conversation, "read.mark", json!({ "seq": seq + 1 })).await;
    assert!(matches!(ahead, ErrorCode::InvalidRequest | ErrorCode::NotFound | ErrorCode::Conflict), "{ahead:?}");
    world.end().await;
}
