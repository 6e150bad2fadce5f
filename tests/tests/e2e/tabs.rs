//! Several connections of one login, as the tabs of a browser have: each is a whole one.

use std::collections::BTreeSet;

use harness::people::Device;
use harness::socket::Opening;
use harness::world::Settings;
use harness::{Event, Socket, Topology, World, on_every_topology};
use protocol::chat::READ_MOVED;
use protocol::limits::CONNECTIONS_PER_LOGIN_MAX;
use protocol::{CloseCode, ErrorCode};
use serde_json::json;

on_every_topology![
    two_tabs_of_a_login_both_send_and_hear_everything,
    a_resume_concerns_the_connection_it_names_and_leaves_the_other,
    a_tab_that_goes_away_ends_its_own_connection_only,
    the_end_of_a_login_closes_all_its_tabs,
    one_tab_too_many_ends_the_oldest,
    tabs_share_the_budget_of_frames,
];

async fn two_tabs_of_a_login_both_send_and_hear_everything(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let (mut one, mut other) = (ann.device().await, ann.device().await);
    assert_eq!(one.welcome.session, other.welcome.session);
    assert_ne!(one.welcome.connection_id, other.welcome.connection_id);
    let mut last = 0;
    for n in 0..20 {
        let (text, answer) = (format!("to both {n}"), format!("from one {n}"));
        bob.say(conversation, &text).await;
        one.hears(&text).await;
        other.hears(&text).await;
        let (sends, hears) = if n % 2 == 0 { (&mut one, &mut other) } else { (&mut other, &mut one) };
        last = sends.say(conversation, &answer).await.position.seq;
        sends.hears(&answer).await;
        hears.hears(&answer).await;
    }
    // What one of them reads, both know.
    one.done(conversation, "read.mark", json!({ "seq": last })).await;
    let read = |event: &Event| event.name == READ_MOVED && event.body["seq"] == last;
    one.socket.event_where("the marker", read).await;
    other.socket.event_where("the marker", read).await;
    world.end().await;
}

async fn a_resume_concerns_the_connection_it_names_and_leaves_the_other(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let (mut one, mut other) = (ann.device().await, ann.device().await);
    // The first socket is still there: it is told that another one holds its connection.
    let mut again = Socket::open(ann.gateway, Opening::default()).await.expect("an upgrade");
    let welcome = again.hello_again(&ann.access, &one.welcome).await;
    assert!(welcome.resumed);
    assert_eq!(welcome.connection_id, one.welcome.connection_id);
    assert_eq!(one.socket.closed().await.code, CloseCode::TakenOver.number());
    let mut one = Device { user: ann.id, socket: again, welcome };
    bob.say(conversation, "after the resume").await;
    one.hears("after the resume").await;
    other.hears("after the resume").await;
    world.end().await;
}

async fn a_tab_that_goes_away_ends_its_own_connection_only(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let (one, mut other) = (ann.device().await, ann.device().await);
    let Device { socket, welcome, .. } = one;
    socket.cut();
    bob.say(conversation, "missed by one").await;
    other.hears("missed by one").await;
    let mut socket = Socket::open(ann.gateway, Opening::default()).await.expect("an upgrade");
    let again = socket.hello_again(&ann.access, &welcome).await;
    assert!(again.resumed);
    let mut one = Device { user: ann.id, socket, welcome: again };
    one.hears("missed by one").await;
    world.end().await;
}

async fn the_end_of_a_login_closes_all_its_tabs(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let phone = ann.login("phone").await;
    let (mut one, mut other) = (ann.device().await, ann.device().await);
    let mut elsewhere = phone.device().await;
    let logout = ann.call("auth.logout", None, json!({ "refresh_token": ann.refresh })).await;
    assert_eq!(logout.status, 200, "{logout}");
    assert_eq!(one.socket.closed().await.code, CloseCode::Revoked.number());
    assert_eq!(other.socket.closed().await.code, CloseCode::Revoked.number());
    elsewhere.socket.command("me.get", None, &json!({})).await.unwrap();
    world.end().await;
}

async fn one_tab_too_many_ends_the_oldest(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let mut oldest = ann.device().await;
    let mut others = Vec::new();
    for _ in 1..CONNECTIONS_PER_LOGIN_MAX {
        others.push(ann.device().await);
    }
    oldest.socket.command("me.get", None, &json!({})).await.unwrap();
    others.push(ann.device().await);
    assert_eq!(oldest.socket.closed().await.code, CloseCode::TakenOver.number());
    for other in &mut others {
        other.socket.command("me.get", None, &json!({})).await.unwrap();
    }
    let ids: BTreeSet<_> = others.iter().map(|other| other.welcome.connection_id).collect();
    assert_eq!(ids.len(), CONNECTIONS_PER_LOGIN_MAX);
    // What was ended is not resumed: it begins anew, if perhaps under its old name, and another one goes.
    let mut socket = Socket::open(ann.gateway, Opening::default()).await.expect("an upgrade");
    let welcome = socket.hello_again(&ann.access, &oldest.welcome).await;
    assert!(!welcome.resumed);
    assert_eq!(others[0].socket.closed().await.code, CloseCode::TakenOver.number());
    world.end().await;
}

async fn tabs_share_the_budget_of_frames(topology: Topology) {
    // Five a minute, one at a time.
    let settings = Settings::default().limit("socket_frames", 5);
    let world = World::with(topology, settings).await;
    let ann = world.person("ann").await;
    let phone = ann.login("phone").await;
    let (mut one, mut other) = (hello(&ann).await, hello(&ann).await);
    let mut elsewhere = hello(&phone).await;
    one.command("me.get", None, &json!({})).await.unwrap();
    for socket in [&mut one, &mut other] {
        let error = socket.command("me.get", None, &json!({})).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::RateLimited);
    }
    elsewhere.command("me.get", None, &json!({})).await.unwrap();
    world.end().await;
}

async fn hello(person: &harness::Person) -> Socket {
    let mut socket = Socket::open(person.gateway, Opening::default()).await.expect("an upgrade");
    socket.hello(&person.access).await;
    socket
}
