use super::world::*;
use link::{CookieChange, Service};
use protocol::ErrorCode;
use protocol::accounts::{Grant, Role};
use serde_json::json;

#[tokio::test]
async fn registering_makes_an_account_and_logs_it_in() {
    let world = World::new();
    let mut call = call(
        "auth.register",
        json!({ "handle": " Ada.Lovelace ", "name": " Ada ", "password": PASSWORD, "device": "Phone" }),
    );
    call.key = Some(uuid::Uuid::new_v4());
    let grant: Grant = world.ask(call).await.unwrap();
    assert_eq!(grant.user.handle, "ada.lovelace");
    assert_eq!((grant.user.name.as_str(), grant.user.role), ("Ada", Role::User));
    let claims = claims(&grant);
    assert_eq!((claims.sub, claims.sid), (grant.user.id, grant.session));
    assert_eq!(claims.exp - claims.iat, 300);
    assert_eq!(grant.expires_at, claims.exp * 1_000);
    let me: protocol::accounts::Account = world.ask(by(&grant, "me.get", json!({}))).await.unwrap();
    assert_eq!(me, grant.user);
}

#[tokio::test]
async fn what_is_not_acceptable_is_named() {
    let world = World::new();
    world.register("ada").await;
    let refused = async |body: serde_json::Value| {
        let mut call = call("auth.register", body);
        call.key = Some(uuid::Uuid::new_v4());
        let refusal = world.send(call).await.result.unwrap_err();
        (refusal.code, refusal.message)
    };
    let (code, message) = refused(json!({ "handle": "a", "name": "A", "password": PASSWORD })).await;
    assert_eq!(code, ErrorCode::InvalidRequest);
    assert!(message.starts_with("handle: "));
    let (code, message) = refused(json!({ "handle": "bob", "name": "", "password": PASSWORD })).await;
    assert_eq!(code, ErrorCode::InvalidRequest);
    assert!(message.starts_with("name: "));
    let (code, _) = refused(json!({ "handle": "bob", "name": "B", "password": "password123" })).await;
    assert_eq!(code, ErrorCode::WeakPassword);
    let (code, _) = refused(json!({ "handle": "ADA", "name": "A", "password": PASSWORD })).await;
    assert_eq!(code, ErrorCode::HandleTaken);
    let (code, _) = refused(json!({ "handle": "bob", "name": "B", "password": PASSWORD, "role": "admin" })).await;
    assert_eq!(code, ErrorCode::InvalidRequest);
}

#[tokio::test]
async fn the_same_key_again_is_the_same_account_and_the_same_session() {
    let world = World::new();
    let call = registration("ada");
    let first: Grant = world.ask(call.clone()).await.unwrap();
    let second: Grant = world.ask(call.clone()).await.unwrap();
    assert_eq!(second.user.id, first.user.id);
    assert_eq!((second.session, &second.refresh_token), (first.session, &first.refresh_token));

    // The session went on: the same request logs in anew and leaves it alone.
    let moved_on = world.refresh(first.refresh_token.as_deref().unwrap()).await.unwrap();
    let third: Grant = world.ask(call).await.unwrap();
    assert_ne!(third.session, first.session);
    world.refresh(moved_on.refresh_token.as_deref().unwrap()).await.unwrap();
}

#[tokio::test]
async fn the_same_key_for_another_request_is_refused_for_a_day() {
    let world = World::new();
    let call = registration("ada");
    let _: Grant = world.ask(call.clone()).await.unwrap();
    let mut other = registration("bob");
    other.key = call.key;
    assert_eq!(world.code(other.clone()).await, ErrorCode::IdempotencyKeyReused);
    world.clock.advance(24 * 60 * MINUTE);
    let _: Grant = world.ask(other).await.unwrap();
    let mut keyless = registration("eve");
    keyless.key = None;
    assert_eq!(world.code(keyless).await, ErrorCode::IdempotencyKeyRequired);
}

#[tokio::test]
async fn after_a_changed_password_an_old_key_logs_nobody_in() {
    let world = World::new();
    let call = registration("ada");
    let grant: Grant = world.ask(call.clone()).await.unwrap();
    world.clock.advance(1);
    let change = json!({ "current": PASSWORD, "new": "another good password" });
    world.send(by(&grant, "me.password", change)).await.result.unwrap();
    assert_eq!(world.code(call).await, ErrorCode::InvalidCredentials);
}

#[tokio::test]
async fn of_many_who_want_a_handle_at_once_one_gets_it() {
    let world = World::new();
    let racing = (0..20).map(|_| world.send(registration("ada")));
    let replies = futures_util::future::join_all(racing).await;
    let got = replies.iter().filter(|reply| reply.result.is_ok()).count();
    assert_eq!(got, 1);
    assert!(replies.iter().all(|reply| match &reply.result {
        Ok(_) => true,
        Err(refusal) => refusal.code == ErrorCode::HandleTaken,
    }));
}

#[tokio::test]
async fn one_request_sent_twice_at_once_makes_one_account() {
    let world = World::new();
    let call = registration("ada");
    let racing = (0..8).map(|_| world.ask::<Grant>(call.clone()));
    let grants = futures_util::future::join_all(racing).await;
    let first = grants[0].as_ref().unwrap();
    for grant in &grants {
        let grant = grant.as_ref().unwrap();
        assert_eq!((grant.user.id, grant.session), (first.user.id, first.session));
    }
}

#[tokio::test]
async fn a_browser_gets_its_refresh_token_as_a_cookie_only() {
    let world = World::new();
    let mut call =
        call("auth.register", json!({ "handle": "ada", "name": "Ada", "password": PASSWORD, "cookie": true }));
    call.key = Some(uuid::Uuid::new_v4());
    let reply = world.send(call).await;
    let token = set_cookie(&reply);
    let body = String::from_utf8(reply.result.clone().unwrap().to_vec()).unwrap();
    assert!(!body.contains(&token) && !body.contains("refresh_token"));
    let without = world.send(registration("bob")).await;
    assert_eq!(without.cookie, CookieChange::Keep);
    assert_eq!(world.auth.name(), protocol::ServiceName::Auth);
}
