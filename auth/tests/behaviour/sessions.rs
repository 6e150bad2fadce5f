use super::world::*;
use link::{CookieChange, Revoked, Service};
use protocol::accounts::{Grant, Sessions};
use protocol::{ErrorCode, SessionId};
use serde_json::json;

async fn list(world: &World, grant: &Grant) -> Sessions {
    world.ask(by(grant, "sessions.list", json!({}))).await.unwrap()
}

#[tokio::test]
async fn sessions_are_listed_with_device_address_and_the_last_time_they_were_seen() {
    let world = World::new();
    let first = world.register("ada").await;
    world.clock.advance(MINUTE);
    let mut from_phone = call("auth.login", json!({ "handle": "ada", "password": PASSWORD, "device": "Phone" }));
    from_phone.context.user_agent = Some("curl".into());
    let phone: Grant = world.ask(from_phone.from(ELSEWHERE)).await.unwrap();
    let listed = list(&world, &first).await.sessions;
    assert_eq!(listed.len(), 2);
    assert_eq!((listed[0].id, listed[0].current), (phone.session, false));
    assert_eq!(listed[0].device.as_deref(), Some("Phone"));
    assert_eq!(listed[0].address.as_deref(), Some(ELSEWHERE));
    assert_eq!((listed[1].id, listed[1].current), (first.session, true));

    world.clock.advance(MINUTE);
    world.refresh(first.refresh_token.as_deref().unwrap()).await.unwrap();
    let listed = list(&world, &first).await.sessions;
    assert_eq!(listed[0].id, first.session);
    assert_eq!(listed[0].last_seen_at, listed[0].created_at + 2 * MINUTE);
}

#[tokio::test]
async fn one_session_is_ended_and_the_others_go_on() {
    let world = World::new();
    let first = world.register("ada").await;
    let second: Grant = world.ask(login("ada", PASSWORD)).await.unwrap();
    let end = by(&first, "sessions.revoke", json!({ "session": second.session }));
    world.send(end.clone()).await.result.unwrap();
    assert_eq!(world.code(end).await, ErrorCode::NotFound);
    assert_eq!(world.revoked_sessions().await, [second.session]);
    assert_eq!(
        world.refresh(second.refresh_token.as_deref().unwrap()).await.err(),
        Some(ErrorCode::RefreshTokenInvalid)
    );
    assert_eq!(list(&world, &first).await.sessions.len(), 1);
}

#[tokio::test]
async fn anothers_session_answers_like_one_that_does_not_exist() {
    let world = World::new();
    let (ada, eve) = (world.register("ada").await, world.register("eve").await);
    let end = async |session: SessionId| {
        let call = by(&eve, "sessions.revoke", json!({ "session": session }));
        world.send(call).await.result.unwrap_err()
    };
    assert_eq!(end(ada.session).await, end(SessionId::now()).await);
    assert!(world.revoked_sessions().await.is_empty());
}

#[tokio::test]
async fn one_session_too_many_ends_the_one_last_seen_longest_ago() {
    let mut config = cheap();
    config.sessions_max = 3;
    let world = World::with(config);
    let mut grants = vec![world.register("ada").await];
    for _ in 0..2 {
        world.clock.advance(MINUTE);
        grants.push(world.ask(login("ada", PASSWORD)).await.unwrap());
    }
    world.clock.advance(MINUTE);
    world.refresh(grants[0].refresh_token.as_deref().unwrap()).await.unwrap();
    world.clock.advance(MINUTE);
    let newest: Grant = world.ask(login("ada", PASSWORD)).await.unwrap();
    assert_eq!(world.revoked_sessions().await, [grants[1].session]);
    assert_eq!(list(&world, &newest).await.sessions.len(), 3);
}

#[tokio::test]
async fn logging_out_works_by_token_by_cookie_and_by_access_token() {
    let world = World::new();
    let grants = [
        world.register("ada").await,
        world.ask(login("ada", PASSWORD)).await.unwrap(),
        world.ask(login("ada", PASSWORD)).await.unwrap(),
    ];
    let token = |at: usize| grants[at].refresh_token.clone().unwrap();
    let by_token = world.send(call("auth.logout", json!({ "refresh_token": token(0) }))).await;
    assert_eq!(by_token.cookie, CookieChange::Keep);
    by_token.result.unwrap();
    let by_cookie = world.send(call("auth.logout", json!({})).cookie(&token(1))).await;
    assert_eq!(by_cookie.cookie, CookieChange::Clear);
    by_cookie.result.unwrap();
    world.send(by(&grants[2], "auth.logout", json!({}))).await.result.unwrap();
    let sessions = grants.each_ref().map(|grant: &Grant| grant.session);
    assert_eq!(world.revoked_sessions().await, sessions);

    // Logged out already: nothing more is revoked. Nothing to go by: refused.
    world.send(call("auth.logout", json!({})).cookie(&token(1))).await.result.unwrap();
    world.send(call("auth.logout", json!({})).cookie("nonsense")).await.result.unwrap();
    assert_eq!(world.revoked_sessions().await.len(), 3);
    assert_eq!(world.code(call("auth.logout", json!({}))).await, ErrorCode::Unauthenticated);
    let forged = call("auth.logout", json!({ "refresh_token": "nonsense" }));
    assert_eq!(world.code(forged).await, ErrorCode::RefreshTokenInvalid);
}

#[tokio::test]
async fn logging_out_everywhere_ends_all_and_a_changed_password_all_others() {
    let world = World::new();
    let first = world.register("ada").await;
    let second: Grant = world.ask(login("ada", PASSWORD)).await.unwrap();
    let wrong = json!({ "current": "not the password", "new": "another good password" });
    assert_eq!(world.code(by(&first, "me.password", wrong)).await, ErrorCode::InvalidCredentials);
    let weak = json!({ "current": PASSWORD, "new": "password123" });
    assert_eq!(world.code(by(&first, "me.password", weak)).await, ErrorCode::WeakPassword);
    let change = json!({ "current": PASSWORD, "new": "another good password" });
    world.send(by(&first, "me.password", change)).await.result.unwrap();
    assert_eq!(world.revoked_sessions().await, [second.session]);
    assert_eq!(world.code(login("ada", PASSWORD)).await, ErrorCode::InvalidCredentials);
    let third: Grant = world.ask(login("ada", "another good password")).await.unwrap();

    world.send(by(&first, "auth.logout_all", json!({}))).await.result.unwrap();
    let revoked = world.revoked_sessions().await;
    assert_eq!(revoked.len(), 3);
    assert!(revoked.contains(&first.session) && revoked.contains(&third.session));
    assert_eq!(world.code(by(&first, "auth.logout_all", json!({}))).await, ErrorCode::TokenRevoked);
}

#[tokio::test]
async fn a_stolen_access_token_can_not_guess_the_password() {
    let world = World::new();
    let grant = world.register("ada").await;
    let guess = || {
        let body = json!({ "current": "not the password", "new": "another good password" });
        by(&grant, "me.password", body)
    };
    for _ in 0..5 {
        assert_eq!(world.code(guess()).await, ErrorCode::InvalidCredentials);
    }
    assert_eq!(world.code(guess()).await, ErrorCode::AccountLocked);
    // Its owner still logs in elsewhere.
    let _: Grant = world.ask(login("ada", PASSWORD)).await.unwrap();
}

#[tokio::test]
async fn revocations_are_numbered_without_a_gap_survive_a_restart_and_are_forgotten_when_nothing_needs_them() {
    let world = World::new();
    for _ in 0..5 {
        let grant = world.register(&format!("u{}", uuid::Uuid::new_v4().simple())[..20]).await;
        world.send(by(&grant, "auth.logout", json!({}))).await.result.unwrap();
    }
    let world = world.restart().await;
    let all = world.auth.revocations(0).await.unwrap();
    let numbers: Vec<_> = all.rows.iter().map(|row| row.number).collect();
    assert_eq!((numbers, all.newest), (vec![1, 2, 3, 4, 5], 5));
    assert!(all.rows.iter().all(|row| matches!(row.revoked, Revoked::Session(_))));
    let later = world.auth.revocations(3).await.unwrap();
    assert_eq!(later.rows, all.rows[3..]);

    world.clock.advance(10 * MINUTE);
    world.auth.tidy().await.unwrap();
    let none = world.auth.revocations(0).await.unwrap();
    assert_eq!((none.rows.len(), none.newest), (0, 5));
    let grant = world.register("ada").await;
    world.send(by(&grant, "auth.logout", json!({}))).await.result.unwrap();
    assert_eq!(world.auth.revocations(5).await.unwrap().rows[0].number, 6);
}

#[tokio::test]
async fn what_has_expired_leaves_no_row() {
    let world = World::new();
    let grant = world.register("ada").await;
    world.code(login("ada", "not the password").from(ELSEWHERE)).await;
    world.send(by(&grant, "auth.logout", json!({}))).await.result.unwrap();
    let rows = |world: &World| {
        let store = rusqlite::Connection::open(world.directory().join("auth.db")).unwrap();
        ["sessions", "revocations", "tallies", "places", "registrations"].map(|table| {
            let sql = format!("SELECT count(*) FROM {table}");
            store.query_row(&sql, [], |row| row.get::<_, u32>(0)).unwrap()
        })
    };
    assert_eq!(rows(&world), [1, 1, 2, 1, 1]);
    world.auth.tidy().await.unwrap();
    assert_eq!(rows(&world), [1, 1, 2, 1, 1]);
    world.clock.advance(31 * 24 * 60 * MINUTE);
    world.auth.tidy().await.unwrap();
    assert_eq!(rows(&world), [0, 0, 0, 0, 0]);
}
