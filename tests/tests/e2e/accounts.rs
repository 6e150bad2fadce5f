//! Accounts: made, found, changed, given roles.

use harness::people::PASSWORD;
use harness::{Topology, World, on_every_topology};
use protocol::ErrorCode;
use protocol::accounts::{Account, Profiles, Role};
use serde_json::json;
use uuid::Uuid;

on_every_topology![
    an_account_is_made_once_and_logs_in_again,
    a_wrong_password_and_an_unknown_handle_answer_alike,
    what_is_no_handle_or_password_is_refused_with_what_to_do,
    a_registration_is_repeated_by_its_key_and_makes_one_account,
    people_are_found_by_their_exact_handle_only,
    an_account_is_changed_by_its_owner,
    roles_are_given_by_admins_only,
    a_suspended_account_is_out_until_it_is_let_in_again,
];

async fn an_account_is_made_once_and_logs_in_again(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let me: Account = ann.call("me.get", None, json!({})).await.data();
    assert_eq!((me.id, me.handle.as_str(), me.role), (ann.id, "ann", Role::User));

    let again = json!({ "handle": "ann", "name": "Other", "password": PASSWORD });
    let taken = world.rest().command("auth.register", None, None, again).await;
    assert_eq!(taken.refused(), ErrorCode::HandleTaken);

    let phone = ann.login("phone").await;
    assert_eq!(phone.id, ann.id);
    assert_ne!(phone.session, ann.session);
    world.end().await;
}

async fn a_wrong_password_and_an_unknown_handle_answer_alike(topology: Topology) {
    let world = World::start(topology).await;
    let _ann = world.person("ann").await;
    let login = async |handle: &str| {
        let body = json!({ "handle": handle, "password": "certainly not this one" });
        world.rest().command("auth.login", None, None, body).await
    };
    let (wrong, unknown) = (login("ann").await, login("nobody").await);
    assert_eq!(wrong.refused(), ErrorCode::InvalidCredentials);
    assert_eq!(wrong.without_request_id(), unknown.without_request_id());
    world.end().await;
}

async fn what_is_no_handle_or_password_is_refused_with_what_to_do(topology: Topology) {
    let world = World::start(topology).await;
    for handle in ["", "ab", "Ann!", "1abc", &"a".repeat(33)] {
        let body = json!({ "handle": handle, "name": "x", "password": PASSWORD });
        let answer = world.rest().command("auth.register", None, None, body).await;
        assert_eq!(answer.refused(), ErrorCode::InvalidRequest, "{handle}");
    }
    for password in ["short", "password1234", "anna.long.handle"] {
        let body = json!({ "handle": "anna.long.handle", "name": "x", "password": password });
        let answer = world.rest().command("auth.register", None, None, body).await;
        assert_eq!(answer.refused(), ErrorCode::WeakPassword, "{password}");
    }
    world.end().await;
}

async fn a_registration_is_repeated_by_its_key_and_makes_one_account(topology: Topology) {
    let world = World::start(topology).await;
    let key = Uuid::new_v4().to_string();
    let register = async |handle: &str| {
        let body = json!({ "handle": handle, "name": "Ann", "password": PASSWORD });
        let request = world.rest().request("POST", "/v1/auth/register").json(&body);
        harness::rest::send(request.header("Idempotency-Key", &key)).await
    };
    let first: protocol::accounts::Grant = register("ann").await.data();
    let second: protocol::accounts::Grant = register("ann").await.data();
    assert_eq!(first.user, second.user);
    let other = register("bob").await;
    assert_eq!(other.refused(), ErrorCode::IdempotencyKeyReused);
    world.end().await;
}

async fn people_are_found_by_their_exact_handle_only(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob.builder"]).await;
    let find = async |body| ann.call("users.find", None, body).await.data::<Profiles>().users;
    assert_eq!(find(json!({ "handle": "bob.builder" })).await[0].id, bob.id);
    assert!(find(json!({ "handle": "bob" })).await.is_empty());
    assert_eq!(find(json!({ "ids": [bob.id, Uuid::new_v4()] })).await.len(), 1);
    world.end().await;
}

async fn an_account_is_changed_by_its_owner(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, _bob] = world.people(["ann", "bob"]).await;
    let change = async |body| ann.call("me.update", None, body).await;
    let changed: Account = change(json!({ "name": "Ann B.", "handle": "annb" })).await.data();
    assert_eq!((changed.name.as_str(), changed.handle.as_str()), ("Ann B.", "annb"));
    assert_eq!(change(json!({ "handle": "bob" })).await.refused(), ErrorCode::HandleTaken);
    let plain = change(json!({ "avatar": "http://example.org/a.png" })).await;
    assert_eq!(plain.refused(), ErrorCode::InvalidRequest);
    let unknown = change(json!({ "colour": "red" })).await;
    assert_eq!(unknown.refused(), ErrorCode::InvalidRequest);
    world.end().await;
}

async fn roles_are_given_by_admins_only(topology: Topology) {
    let world = World::start(topology).await;
    let [root, ann] = world.people(["root", "ann"]).await;
    let to = ann.id.to_string();
    let promote = json!({ "role": "moderator" });
    let refused = root.call("users.role", Some(&to), promote.clone()).await;
    assert_eq!(refused.refused(), ErrorCode::Forbidden);

    world.command_line(&["users", "role", "root", "admin"]).await;
    let root = root.login("desk").await;
    let given = root.call("users.role", Some(&to), promote).await;
    assert_eq!(given.status, 200, "{given}");
    let ann = ann.login("desk").await;
    let me: Account = ann.call("me.get", None, json!({})).await.data();
    assert_eq!(me.role, Role::Moderator);
    world.end().await;
}

async fn a_suspended_account_is_out_until_it_is_let_in_again(topology: Topology) {
    let world = World::start(topology).await;
    let [root, ann] = world.people(["root", "ann"]).await;
    world.command_line(&["users", "role", "root", "admin"]).await;
    let root = root.login("desk").await;
    let mut device = ann.device().await;
    let to = ann.id.to_string();
    let suspended = root.call("users.suspend", Some(&to), json!({ "reason": "spam" })).await;
    assert_eq!(suspended.status, 200, "{suspended}");
    let closed = device.socket.closed().await;
    assert_eq!(closed.code, protocol::CloseCode::Revoked.number());
    let login = json!({ "handle": "ann", "password": PASSWORD });
    let refused = ann.rest.command("auth.login", None, None, login).await;
    assert_eq!(refused.refused(), ErrorCode::Suspended);
    root.call("users.unsuspend", Some(&to), json!({})).await;
    ann.login("desk").await;
    world.end().await;
}
