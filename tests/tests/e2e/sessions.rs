//! Sessions: listed, ended one by one or all at once, and what ends with them.

use harness::people::PASSWORD;
use harness::{Topology, World, on_every_topology};
use protocol::accounts::Sessions;
use protocol::{CloseCode, ErrorCode};
use serde_json::json;

on_every_topology![
    sessions_are_listed_with_device_and_address_and_end_one_by_one,
    a_session_of_somebody_else_does_not_exist,
    logging_out_everywhere_ends_all_sessions,
    a_new_password_ends_all_other_sessions,
];

async fn sessions_are_listed_with_device_and_address_and_end_one_by_one(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let phone = ann.login("phone").await;
    let listed: Sessions = ann.call("sessions.list", None, json!({})).await.data();
    assert_eq!(listed.sessions.len(), 2);
    let other = listed.sessions.iter().find(|session| session.id == phone.session).unwrap();
    assert_eq!(other.device.as_deref(), Some("phone"));
    assert_eq!(other.address.as_deref(), Some("127.0.0.1"));
    assert!(!other.current);
    assert!(listed.sessions.iter().any(|session| session.id == ann.session && session.current));

    let mut device = phone.device().await;
    let revoked = ann.call("sessions.revoke", None, json!({ "session": phone.session })).await;
    assert_eq!(revoked.status, 200, "{revoked}");
    assert_eq!(device.socket.closed().await.code, CloseCode::Revoked.number());
    let listed: Sessions = ann.call("sessions.list", None, json!({})).await.data();
    assert_eq!(listed.sessions.len(), 1);
    world.end().await;
}

async fn a_session_of_somebody_else_does_not_exist(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let revoke = async |session| ann.call("sessions.revoke", None, json!({ "session": session })).await;
    let theirs = revoke(bob.session.0).await;
    let nobodys = revoke(uuid::Uuid::now_v7()).await;
    assert_eq!(theirs.refused(), ErrorCode::NotFound);
    assert_eq!(theirs.without_request_id(), nobodys.without_request_id());
    assert_eq!(bob.call("me.get", None, json!({})).await.status, 200);
    world.end().await;
}

async fn logging_out_everywhere_ends_all_sessions(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let phone = ann.login("phone").await;
    let (mut here, mut there) = (ann.device().await, phone.device().await);
    ann.call("auth.logout_all", None, json!({})).await;
    assert_eq!(here.socket.closed().await.code, CloseCode::Revoked.number());
    assert_eq!(there.socket.closed().await.code, CloseCode::Revoked.number());
    ann.login("anew").await;
    world.end().await;
}

async fn a_new_password_ends_all_other_sessions(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let phone = ann.login("phone").await;
    let (mut here, mut there) = (ann.device().await, phone.device().await);
    let change = async |current: &str| {
        let body = json!({ "current": current, "new": "another long passphrase" });
        ann.call("me.password", None, body).await
    };
    assert_eq!(change("not the present one").await.refused(), ErrorCode::InvalidCredentials);
    assert_eq!(change(PASSWORD).await.status, 200);
    assert_eq!(there.socket.closed().await.code, CloseCode::Revoked.number());
    here.socket.command("me.get", None, &json!({})).await.unwrap();
    let old = json!({ "handle": "ann", "password": PASSWORD });
    let refused = ann.rest.command("auth.login", None, None, old).await;
    assert_eq!(refused.refused(), ErrorCode::InvalidCredentials);
    world.end().await;
}
