use super::world::*;
use link::{Actor, Revoked, Service};
use protocol::ErrorCode;
use protocol::accounts::{Grant, Role};
use serde_json::json;

#[tokio::test]
async fn a_role_is_given_by_administrators_and_makes_older_access_tokens_stale() {
    let world = World::new();
    let admin = world.register_as("root", Role::Admin).await;
    let ada = world.register("ada").await;
    let promote = |by_whom: &Grant| by(by_whom, "users.role", json!({ "role": "moderator" })).to(ada.user.id);
    assert_eq!(world.code(promote(&ada)).await, ErrorCode::Forbidden);
    let before = world.auth.revocations(0).await.unwrap().newest;
    world.send(promote(&admin)).await.result.unwrap();
    world.send(promote(&admin)).await.result.unwrap();
    let rows = world.auth.revocations(before).await.unwrap().rows;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].user, ada.user.id);
    let Revoked::TokensBefore(stale) = rows[0].revoked else {
        panic!("the session was to go on");
    };
    assert!(claims(&ada).iat_ms < stale);
    world.clock.advance(1);
    let refreshed = world.refresh(ada.refresh_token.as_deref().unwrap()).await.unwrap();
    assert_eq!(claims(&refreshed).role, Role::Moderator);
    assert!(claims(&refreshed).iat_ms >= stale);
}

#[tokio::test]
async fn what_counts_is_the_role_at_the_moment_of_the_change() {
    let world = World::new();
    let (root, other) = (world.register_as("root", Role::Admin).await, world.register_as("other", Role::Admin).await);
    let demote = by(&root, "users.role", json!({ "role": "user" })).to(other.user.id);
    world.send(demote).await.result.unwrap();
    // The access token still says admin.
    assert_eq!(claims(&other).role, Role::Admin);
    let revenge = by(&other, "users.role", json!({ "role": "user" })).to(root.user.id);
    assert_eq!(world.code(revenge).await, ErrorCode::Forbidden);
}

#[tokio::test]
async fn the_last_administrator_stays_one_unless_the_operator_says_otherwise() {
    let world = World::new();
    let root = world.register_as("root", Role::Admin).await;
    let resign = || by(&root, "users.role", json!({ "role": "user" })).to(root.user.id);
    let suspend = by(&root, "users.suspend", json!({})).to(root.user.id);
    assert_eq!(world.code(resign()).await, ErrorCode::Conflict);
    assert_eq!(world.code(suspend).await, ErrorCode::Conflict);
    world.register_as("other", Role::Admin).await;
    world.send(resign()).await.result.unwrap();
    world.auth.set_role(" OTHER ", Role::User).await.unwrap();
    let missing = world.auth.set_role("nobody", Role::Admin).await.unwrap_err();
    assert_eq!(missing.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn two_administrators_who_demote_each_other_at_once_leave_one() {
    for _ in 0..20 {
        let world = World::new();
        let (a, b) = (world.register_as("aaa", Role::Admin).await, world.register_as("bbb", Role::Admin).await);
        let demote = |who: &Grant, whom: &Grant| by(who, "users.role", json!({ "role": "user" })).to(whom.user.id);
        let (first, second) = tokio::join!(world.send(demote(&a, &b)), world.send(demote(&b, &a)));
        assert_ne!(first.result.is_ok(), second.result.is_ok());
    }
}

#[tokio::test]
async fn a_suspended_account_is_out_at_once_and_stays_out() {
    let world = World::new();
    let root = world.register_as("root", Role::Admin).await;
    let ada = world.register("ada").await;
    let suspend = by(&root, "users.suspend", json!({ "reason": "spam" })).to(ada.user.id);
    world.send(suspend.clone()).await.result.unwrap();
    world.send(suspend).await.result.unwrap();
    assert_eq!(world.revoked_sessions().await, [ada.session]);
    assert_eq!(world.refresh(ada.refresh_token.as_deref().unwrap()).await.err(), Some(ErrorCode::RefreshTokenInvalid));
    assert_eq!(world.code(login("ada", PASSWORD)).await, ErrorCode::Suspended);
    world.send(by(&root, "users.unsuspend", json!({})).to(ada.user.id)).await.result.unwrap();
    let _: Grant = world.ask(login("ada", PASSWORD)).await.unwrap();
}

#[tokio::test]
async fn an_account_that_does_not_exist_is_not_found() {
    let world = World::new();
    let root = world.register_as("root", Role::Admin).await;
    for to in ["", "nonsense", &uuid::Uuid::now_v7().to_string()] {
        for (command, body) in
            [("users.role", json!({ "role": "admin" })), ("users.suspend", json!({})), ("users.unsuspend", json!({}))]
        {
            assert_eq!(world.code(by(&root, command, body).to(to)).await, ErrorCode::NotFound);
        }
    }
    let mut nobody = call("users.role", json!({ "role": "admin" })).to(root.user.id);
    nobody.actor = Actor::Anonymous;
    assert_eq!(world.code(nobody).await, ErrorCode::Unauthenticated);
}
