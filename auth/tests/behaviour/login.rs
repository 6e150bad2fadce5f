use super::world::*;
use protocol::ErrorCode;
use protocol::accounts::Grant;
use serde_json::json;

#[tokio::test]
async fn a_login_is_a_session_of_its_own() {
    let world = World::new();
    let first = world.register("ada").await;
    let second: Grant = world.ask(login(" ADA ", PASSWORD)).await.unwrap();
    assert_eq!(second.user, first.user);
    assert_ne!(second.session, first.session);
    let reply = world.send(call("auth.login", json!({ "handle": "ada", "password": PASSWORD, "cookie": true }))).await;
    set_cookie(&reply);
}

#[tokio::test]
async fn a_wrong_password_and_a_handle_of_nobody_answer_alike() {
    let world = World::new();
    world.register("ada").await;
    let answer = async |handle: &str| world.send(login(handle, "not the password")).await.result.unwrap_err();
    let wrong = answer("ada").await;
    assert_eq!(wrong.code, ErrorCode::InvalidCredentials);
    assert_eq!(answer("nobody").await, wrong);
    assert_eq!(answer("not a handle!").await, wrong);
}

#[tokio::test]
async fn the_budget_of_an_account_is_exact_and_a_known_place_has_its_own() {
    let mut config = cheap();
    config.login_account = 5;
    let world = World::with(config);
    world.register("ada").await;
    let stranger = || login("ada", PASSWORD).from(ELSEWHERE);
    // The first login makes the place a known one: from then on its own budget counts.
    for _ in 0..6 {
        let _: Grant = world.ask(stranger()).await.unwrap();
    }
    let refusal = world.send(stranger()).await.result.unwrap_err();
    assert_eq!(refusal.code, ErrorCode::RateLimited);
    assert_eq!(refusal.retry_after_ms, Some(MINUTE));
    let _: Grant = world.ask(login("ada", PASSWORD)).await.unwrap();
    world.clock.advance(MINUTE);
    let _: Grant = world.ask(stranger()).await.unwrap();
}

#[tokio::test]
async fn a_suspended_account_is_told_so_only_by_the_right_password() {
    let world = World::new();
    let grant = world.register("ada").await;
    let mut suspend = call("users.suspend", json!({})).to(grant.user.id);
    suspend.actor = link::Actor::System;
    world.send(suspend.clone()).await.result.unwrap();
    assert_eq!(world.code(login("ada", "not the password")).await, ErrorCode::InvalidCredentials);
    assert_eq!(world.code(login("ada", PASSWORD)).await, ErrorCode::Suspended);
    suspend.command = "users.unsuspend".to_owned();
    world.send(suspend).await.result.unwrap();
    let _: Grant = world.ask(login("ada", PASSWORD)).await.unwrap();
}

#[tokio::test]
async fn a_hash_that_cost_too_little_is_replaced_at_the_next_login() {
    let world = World::new();
    world.register("ada").await;
    let directory = world.directory().to_owned();
    let phc = async |world: &World| {
        world.end().await;
        let store = rusqlite::Connection::open(directory.join("auth.db")).unwrap();
        store.query_row("SELECT password FROM accounts", [], |row| row.get::<_, String>(0)).unwrap()
    };
    assert!(phc(&world).await.contains("m=8,t=1"));
    let world = world.restart_with(|config| config.password.iterations = 3).await;
    let _: Grant = world.ask(login("ada", PASSWORD)).await.unwrap();
    let _: Grant = world.ask(login("ada", PASSWORD)).await.unwrap();
    assert!(phc(&world).await.contains("m=8,t=3"));
}

#[tokio::test]
async fn the_budget_of_an_account_outlives_a_restart_where_there_is_a_redis() {
    let mut server = rig::RedisServer::start().await;
    let mut config = cheap();
    config.login_account = 5;
    let redis = runtime::redis::Config { url: server.url(), ..Default::default() };
    let world = World::with_redis(config, redis);
    world.redis_is(true).await;
    world.register("ada").await;
    let admitted = async |world: &World| {
        let mut admitted = 0;
        for _ in 0..10 {
            admitted += usize::from(world.send(login("ada", PASSWORD)).await.result.is_ok());
        }
        admitted
    };
    assert_eq!(admitted(&world).await, 5);
    let world = world.restart().await;
    world.redis_is(true).await;
    assert_eq!(world.code(login("ada", PASSWORD)).await, ErrorCode::RateLimited);
    server.kill().await;
    world.redis_is(false).await;
    assert_eq!(admitted(&world).await, 5, "by itself it counts what it has seen itself");
}
