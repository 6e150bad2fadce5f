use super::world::*;
use protocol::ServiceName;
use protocol::accounts::{Grant, Role};
use runtime::audit::{AuditResult, Filter, Record};
use runtime::telemetry::metrics;
use serde_json::json;

async fn rows(world: &World) -> Vec<Record> {
    let filter = Filter { limit: 1_000, ..Filter::default() };
    world.auth.audit(filter).await.unwrap()
}

fn has(rows: &[Record], action: &str, result: AuditResult, reason: Option<&str>) -> bool {
    rows.iter()
        .any(|row| row.event.action == action && row.event.result == result && row.event.reason.as_deref() == reason)
}

#[tokio::test]
async fn everything_that_happens_to_an_account_is_in_the_trail() {
    use AuditResult::{Allowed, Denied};
    let world = World::new();
    let root = world.register_as("root", Role::Admin).await;
    let ada = world.register("ada").await;
    let token = ada.refresh_token.as_deref().unwrap();
    for _ in 0..5 {
        world.code(login("ada", "not the password").from(ELSEWHERE)).await;
    }
    world.refresh(token).await.unwrap();
    world.clock.advance(MINUTE);
    world.refresh(token).await.err().unwrap();
    let ada: Grant = world.ask(login("ada", PASSWORD)).await.unwrap();
    let change = json!({ "current": PASSWORD, "new": "another good password" });
    world.send(by(&ada, "me.password", change)).await.result.unwrap();
    world.send(by(&ada, "me.update", json!({ "name": "Ada" }))).await.result.unwrap();
    world.send(by(&root, "users.role", json!({ "role": "moderator" })).to(ada.user.id)).await.result.unwrap();
    world.send(by(&ada, "auth.logout", json!({}))).await.result.unwrap();
    world.send(by(&root, "users.suspend", json!({ "reason": "spam" })).to(ada.user.id)).await.result.unwrap();
    world.auth.rotate_keys().await.unwrap();

    let world = world.restart().await;
    let rows = rows(&world).await;
    for (action, result, reason) in [
        ("account.register", Allowed, None),
        ("session.login", Allowed, None),
        ("session.login", Denied, Some("invalid_credentials")),
        ("account.lock", Denied, Some("account_locked")),
        ("session.refresh", Allowed, None),
        ("session.refresh", Denied, Some("refresh_token_reused")),
        ("session.revoke", Allowed, Some("an old refresh token was used again")),
        ("account.password", Allowed, None),
        ("account.update", Allowed, None),
        ("account.role", Allowed, Some("user to moderator")),
        ("session.logout", Allowed, Some("logged out")),
        ("account.suspend", Allowed, Some("spam")),
        ("key.rotate", Allowed, None),
    ] {
        assert!(has(&rows, action, result, reason), "{action} {result:?} {reason:?}");
    }
    let failed = rows.iter().find(|row| row.event.reason.as_deref() == Some("invalid_credentials")).unwrap();
    assert_eq!(failed.event.user_id, Some(ada.user.id));
    assert_eq!(failed.event.client_ip, Some(ELSEWHERE.parse().unwrap()));
    assert!(failed.event.request_id.is_some());
}

#[tokio::test]
async fn a_flood_of_refusals_is_a_row_with_a_count_and_never_holds_what_was_typed() {
    let world = World::new();
    let ada = world.register("ada").await;
    for _ in 0..200 {
        let call = by(&ada, "users.role", json!({ "role": "admin" })).to(ada.user.id);
        world.code(call).await;
        world.code(refresh("nonsense")).await;
    }
    world.code(login("my secret passphrase", "oops").from(ELSEWHERE)).await;
    let world = world.restart().await;
    let rows = rows(&world).await;
    let count = |action: &str| {
        let of = rows.iter().filter(|row| row.event.action == action && row.event.result == AuditResult::Denied);
        of.map(|row| row.count).sum::<u64>()
    };
    assert_eq!((count("account.role"), count("session.refresh")), (200, 200));
    assert!(rows.len() < 50, "{} rows", rows.len());
    assert!(has(&rows, "session.login", AuditResult::Denied, Some("invalid_credentials")));
    world.end().await;
    let bytes = world.stored();
    assert!(!bytes.windows(9).any(|window| window == b"my secret"));
}

#[tokio::test]
async fn guesses_of_a_password_are_counted_rows_of_its_account_not_a_row_each() {
    let mut config = cheap();
    config.login_account = 1_000;
    config.lockout.account_failures = 1_000;
    config.lockout.address_failures = 1_000;
    let world = World::with(config);
    let ada = world.register("ada").await;
    for _ in 0..100 {
        world.code(login("ada", "not the password").from(ELSEWHERE)).await;
    }
    let world = world.restart().await;
    let rows = rows(&world).await;
    let guesses: Vec<_> =
        rows.iter().filter(|row| row.event.reason.as_deref() == Some("invalid_credentials")).collect();
    assert_eq!(guesses.iter().map(|row| row.count).sum::<u64>(), 100);
    assert!(guesses.len() < 50, "{} rows", guesses.len());
    let resource = format!("account:{}", ada.user.id);
    assert!(guesses.iter().all(|row| row.event.user_id == Some(ada.user.id) && row.event.resource == resource));
}

#[tokio::test]
async fn every_metric_of_accounts_shows_from_the_start() {
    let world = World::new();
    world.code(login("nobody", "not the password").from(ELSEWHERE)).await;
    let text = metrics::install().render(ServiceName::Auth);
    for name in [
        "auth_attempts_total{",
        "auth_success_total{",
        "auth_failures_total{",
        "auth_login_success_total{",
        "auth_login_failed_total{",
        "auth_login_failed_by_ip{",
        "auth_account_locked_total{",
        "auth_refresh_token_success_total{",
        "auth_refresh_token_invalid_total{",
        "auth_refresh_token_blacklisted_total{",
        "auth_token_blacklisted_total{",
        "auth_logout_total{",
    ] {
        assert!(text.contains(&format!("\n{name}")), "{name}");
    }
    assert!(text.contains(&format!("ip=\"{ELSEWHERE}\"")));
}
