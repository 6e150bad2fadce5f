use super::world::*;
use protocol::ErrorCode;
use protocol::accounts::Grant;
use serde_json::json;

const WRONG: &str = "not the password";

async fn fail(world: &World, handle: &str, address: &str, times: usize) {
    for _ in 0..times {
        assert_eq!(world.code(login(handle, WRONG).from(address)).await, ErrorCode::InvalidCredentials);
    }
}

#[tokio::test]
async fn five_failures_lock_an_account_for_a_minute_then_longer() {
    let world = World::new();
    world.register("ada").await;
    for (round, minutes) in [1, 2, 4].into_iter().enumerate() {
        let address = format!("198.51.100.{round}");
        fail(&world, "ada", &address, 5).await;
        // The right password does not help, from nowhere new.
        let refusal = world.send(login("ada", PASSWORD).from("203.0.113.9")).await.result.unwrap_err();
        assert_eq!(refusal.code, ErrorCode::AccountLocked);
        assert_eq!(refusal.retry_after_ms, Some(minutes * MINUTE));
        world.clock.advance(minutes * MINUTE);
    }
    let _: Grant = world.ask(login("ada", PASSWORD).from("203.0.113.9")).await.unwrap();
}

#[tokio::test]
async fn the_owner_gets_in_from_a_known_address_while_others_keep_the_account_locked() {
    let world = World::new();
    world.register("ada").await;
    for attacker in 0..50 {
        let address = format!("198.51.100.{attacker}");
        for _ in 0..5 {
            world.send(login("ada", WRONG).from(&address)).await.result.unwrap_err();
        }
        let _: Grant = world.ask(login("ada", PASSWORD)).await.unwrap();
        world.clock.advance(MINUTE);
    }
    assert_eq!(world.code(login("ada", PASSWORD).from("203.0.113.9")).await, ErrorCode::AccountLocked);
}

#[tokio::test]
async fn the_owner_gets_in_on_a_known_device_wherever_it_is() {
    let world = World::new();
    let grant = world.register("ada").await;
    fail(&world, "ada", ELSEWHERE, 5).await;
    let roaming = || login("ada", PASSWORD).from("203.0.113.9");
    assert_eq!(world.code(roaming()).await, ErrorCode::AccountLocked);
    let other = world.register("eve").await;
    let anothers = roaming().cookie(other.refresh_token.as_deref().unwrap());
    assert_eq!(world.code(anothers).await, ErrorCode::AccountLocked);
    let known = roaming().cookie(grant.refresh_token.as_deref().unwrap());
    let _: Grant = world.ask(known).await.unwrap();
}

#[tokio::test]
async fn a_known_place_is_locked_by_its_own_failures_and_forgotten_after_thirty_days() {
    let world = World::new();
    world.register("ada").await;
    fail(&world, "ada", HOME, 5).await;
    assert_eq!(world.code(login("ada", PASSWORD)).await, ErrorCode::AccountLocked);
    // From elsewhere the account is as open as it was.
    let _: Grant = world.ask(login("ada", PASSWORD).from(ELSEWHERE)).await.unwrap();

    world.clock.advance(30 * 24 * 60 * MINUTE + 1);
    world.auth.tidy().await.unwrap();
    fail(&world, "ada", "203.0.113.9", 5).await;
    assert_eq!(world.code(login("ada", PASSWORD)).await, ErrorCode::AccountLocked);
}

#[tokio::test]
async fn an_address_that_tries_many_accounts_is_locked_also_where_nobody_has_them() {
    let world = World::new();
    world.register("ada").await;
    for guess in 0..5 {
        fail(&world, &format!("guess{guess}"), ELSEWHERE, 1).await;
    }
    assert_eq!(world.code(login("ada", PASSWORD).from(ELSEWHERE)).await, ErrorCode::AccountLocked);
    let _: Grant = world.ask(login("ada", PASSWORD).from("203.0.113.9")).await.unwrap();
}

#[tokio::test]
async fn a_lock_says_nothing_about_whether_the_account_exists() {
    let mut config = cheap();
    config.lockout.address_failures = 1_000;
    let world = World::with(config);
    world.register("ada").await;
    let mut answers = Vec::new();
    for handle in ["ada", "nobody"] {
        let mut seen = Vec::new();
        for _ in 0..7 {
            seen.push(world.send(login(handle, WRONG).from(ELSEWHERE)).await.result.unwrap_err());
        }
        answers.push(seen);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0][5].code, ErrorCode::AccountLocked);
}

#[tokio::test]
async fn a_lock_survives_a_restart() {
    let world = World::new();
    world.register("ada").await;
    fail(&world, "ada", ELSEWHERE, 5).await;
    let world = world.restart().await;
    assert_eq!(world.code(login("ada", PASSWORD).from(ELSEWHERE)).await, ErrorCode::AccountLocked);
}

#[tokio::test]
async fn guesses_made_at_the_same_time_do_not_slip_past_the_lock_together() {
    let mut config = cheap();
    config.lockout.address_failures = 1_000;
    let world = World::with(config);
    world.register("ada").await;
    let wrong = (0..60).map(|_| world.send(login("ada", WRONG).from(ELSEWHERE)));
    let right = world.send(login("ada", PASSWORD).from(ELSEWHERE));
    let (_, right) = tokio::join!(futures_util::future::join_all(wrong), right);
    // Whatever the order, once it is locked nobody gets in.
    let locked = login("ada", PASSWORD).from("203.0.113.9");
    assert_eq!(world.code(locked).await, ErrorCode::AccountLocked);
    if let Err(refusal) = right.result {
        assert_eq!(refusal.code, ErrorCode::AccountLocked);
    }
}

#[tokio::test]
async fn a_lock_ends_no_session() {
    let world = World::new();
    let grant = world.register("ada").await;
    fail(&world, "ada", ELSEWHERE, 5).await;
    let refreshed = world.refresh(grant.refresh_token.as_deref().unwrap()).await.unwrap();
    world.send(by(&refreshed, "me.get", json!({}))).await.result.unwrap();
}

#[tokio::test]
async fn a_place_stays_known_while_a_session_is_refreshed_there() {
    let world = World::new();
    let mut grant = world.register("ada").await;
    for _ in 0..6 {
        world.clock.advance(10 * 24 * 60 * MINUTE);
        grant = world.refresh(grant.refresh_token.as_deref().unwrap()).await.unwrap();
    }
    world.auth.tidy().await.unwrap();
    fail(&world, "ada", ELSEWHERE, 5).await;
    let _: Grant = world.ask(login("ada", PASSWORD)).await.unwrap();
}

#[tokio::test]
async fn by_default_the_sixth_attempt_is_told_of_the_lock_and_costs_no_budget() {
    let mut config = cheap();
    config.login_account = 5;
    let world = World::with(config);
    world.register("ada").await;
    fail(&world, "ada", ELSEWHERE, 5).await;
    for _ in 0..20 {
        assert_eq!(world.code(login("ada", PASSWORD).from(ELSEWHERE)).await, ErrorCode::AccountLocked);
    }
    world.clock.advance(MINUTE);
    let _: Grant = world.ask(login("ada", PASSWORD).from(ELSEWHERE)).await.unwrap();
}
