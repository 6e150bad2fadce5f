use super::world::*;
use link::CookieChange;
use proptest::prelude::*;
use protocol::ErrorCode;
use protocol::accounts::{Grant, Sessions};
use serde_json::json;

fn token(grant: &Grant) -> &str {
    grant.refresh_token.as_deref().unwrap()
}

#[tokio::test]
async fn a_refresh_gives_a_successor_and_a_new_access_token_of_the_same_session() {
    let world = World::new();
    let first = world.register("ada").await;
    world.clock.advance(4 * MINUTE);
    let second = world.refresh(token(&first)).await.unwrap();
    assert_eq!(second.session, first.session);
    assert_ne!(second.refresh_token, first.refresh_token);
    assert_eq!(second.expires_at, first.expires_at + 4 * MINUTE);
}

#[tokio::test]
async fn a_lost_answer_is_told_once_more_and_with_the_same_successor() {
    let world = World::new();
    let first = world.register("ada").await;
    let lost = world.refresh(token(&first)).await.unwrap();
    world.clock.advance(30_000);
    let told = world.refresh(token(&first)).await.unwrap();
    assert_eq!(told.refresh_token, lost.refresh_token);
    assert_eq!(world.refresh(token(&first)).await.err(), Some(ErrorCode::RefreshTokenReused));
    assert_eq!(world.revoked_sessions().await, [first.session]);
}

#[tokio::test]
async fn an_old_token_ends_the_session_for_whoever_holds_its_successor() {
    let world = World::new();
    let first = world.register("ada").await;
    let second = world.refresh(token(&first)).await.unwrap();
    world.clock.advance(30_001);
    assert_eq!(world.refresh(token(&first)).await.err(), Some(ErrorCode::RefreshTokenReused));
    assert_eq!(world.refresh(token(&second)).await.err(), Some(ErrorCode::RefreshTokenInvalid));
    assert_eq!(world.code(by(&second, "me.get", json!({}))).await, ErrorCode::TokenRevoked);
    assert_eq!(world.revoked_sessions().await, [first.session]);
}

#[tokio::test]
async fn two_at_once_get_the_same_successor_and_a_third_is_a_reuse() {
    let world = World::new();
    let first = world.register("ada").await;
    let racing = [world.refresh(token(&first)), world.refresh(token(&first))];
    let answers = futures_util::future::join_all(racing).await;
    let successors: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().refresh_token).collect();
    assert_eq!(successors[0], successors[1]);
    assert_eq!(world.refresh(token(&first)).await.err(), Some(ErrorCode::RefreshTokenReused));
}

#[tokio::test]
async fn a_token_that_was_not_used_for_thirty_days_has_expired_and_one_in_use_goes_on() {
    let world = World::new();
    let day = 24 * 60 * MINUTE;
    let mut used = world.register("ada").await;
    let idle = world.register("bob").await;
    for _ in 0..4 {
        world.clock.advance(10 * day);
        used = world.refresh(token(&used)).await.unwrap();
    }
    assert_eq!(world.refresh(token(&idle)).await.err(), Some(ErrorCode::RefreshTokenInvalid));
    world.auth.tidy().await.unwrap();
    assert_eq!(world.refresh(token(&idle)).await.err(), Some(ErrorCode::RefreshTokenInvalid));
    world.refresh(token(&used)).await.unwrap();
}

#[tokio::test]
async fn a_browser_refreshes_by_cookie_and_forgets_one_that_is_worth_nothing() {
    let world = World::new();
    let login = json!({ "handle": "ada", "password": PASSWORD, "cookie": true });
    world.register("ada").await;
    let first = set_cookie(&world.send(call("auth.login", login)).await);
    let reply = world.send(call("auth.refresh", json!({})).cookie(&first)).await;
    let second = set_cookie(&reply);
    assert_ne!(second, first);
    let grant: Grant = reply.parse().unwrap();
    assert_eq!(grant.refresh_token, None);

    world.clock.advance(MINUTE);
    let reused = world.send(call("auth.refresh", json!({})).cookie(&first)).await;
    assert_eq!(reused.result.unwrap_err().code, ErrorCode::RefreshTokenReused);
    assert_eq!(reused.cookie, CookieChange::Clear);
    let nonsense = world.send(call("auth.refresh", json!({})).cookie("nonsense")).await;
    assert_eq!(nonsense.result.unwrap_err().code, ErrorCode::RefreshTokenInvalid);
    assert_eq!(nonsense.cookie, CookieChange::Clear);
}

#[tokio::test]
async fn a_token_in_the_body_is_meant_also_where_a_cookie_comes_along() {
    let world = World::new();
    let first = world.register("ada").await;
    let reply = world.send(refresh(token(&first)).cookie("something else")).await;
    assert_eq!(reply.cookie, CookieChange::Keep);
    let grant: Grant = reply.parse().unwrap();
    assert!(grant.refresh_token.is_some());
}

#[tokio::test]
async fn sessions_go_on_after_a_restart() {
    let world = World::new();
    let first = world.register("ada").await;
    let world = world.restart().await;
    let second = world.refresh(token(&first)).await.unwrap();
    assert_eq!(second.session, first.session);
}

#[tokio::test]
async fn the_store_holds_no_token() {
    let world = World::new();
    let first = world.register("ada").await;
    let second = world.refresh(token(&first)).await.unwrap();
    world.end().await;
    let bytes = world.stored();
    assert!(bytes.windows(8).any(|window| window == b"Somebody"));
    for grant in [&first, &second] {
        let mac = token(grant).rsplit('.').next().unwrap();
        for secret in [mac, &grant.access_token, PASSWORD] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
    }
}

/// What happens to one session.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Its owner refreshes and hears the answer.
    Refresh,
    /// Its owner refreshes, does not hear the answer, and asks again.
    Lost,
    /// Somebody sends a copy of the token of so many refreshes ago.
    Replay(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Refresh),
        2 => Just(Step::Lost),
        1 => (2usize..5).prop_map(Step::Replay),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn an_owner_is_logged_out_by_a_replay_and_by_nothing_else(
        steps in proptest::collection::vec((step(), 0u64..20 * MINUTE), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            let grant = world.register("ada").await;
            let mut held = vec![token(&grant).to_owned()];
            for (step, pause) in steps {
                world.clock.advance(pause);
                let newest = held.last().unwrap().clone();
                match step {
                    Step::Refresh => held.push(token(&world.refresh(&newest).await.unwrap()).to_owned()),
                    Step::Lost => {
                        let lost = world.refresh(&newest).await.unwrap();
                        world.clock.advance(5_000);
                        let told = world.refresh(&newest).await.unwrap();
                        assert_eq!(told.refresh_token, lost.refresh_token);
                        held.push(token(&told).to_owned());
                    }
                    Step::Replay(age) => {
                        let Some(old) = held.len().checked_sub(age + 1) else { continue };
                        let replayed = world.refresh(&held[old]).await;
                        assert_eq!(replayed.err(), Some(ErrorCode::RefreshTokenReused));
                        assert_eq!(world.refresh(&newest).await.err(), Some(ErrorCode::RefreshTokenInvalid));
                        assert_eq!(world.revoked_sessions().await, [grant.session]);
                        return;
                    }
                }
            }
            assert!(world.revoked_sessions().await.is_empty());
            let newest: Grant = world.refresh(held.last().unwrap()).await.unwrap();
            let listed: Sessions = world.ask(by(&newest, "sessions.list", json!({}))).await.unwrap();
            assert_eq!(listed.sessions.len(), 1);
        });
    }
}
