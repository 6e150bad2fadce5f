//! Refresh tokens rotate, access tokens run out, and both end with their session.

use harness::world::Settings;
use harness::{Answer, Person, Topology, World, on_every_topology, wait};
use protocol::accounts::Grant;
use protocol::frames::{EVENT_TOKEN_EXPIRING, Renewed};
use protocol::{CloseCode, ErrorCode};
use serde_json::json;

on_every_topology![
    a_refresh_token_rotates,
    a_lost_refresh_answer_may_be_repeated_once,
    an_old_refresh_token_ends_the_session_it_belongs_to,
    an_expired_access_token_asks_to_be_refreshed,
    a_socket_is_told_before_its_token_expires_and_renews_in_place,
    a_socket_whose_token_ran_out_is_closed,
    a_token_of_another_session_does_not_renew,
    keys_rotate_and_no_one_is_logged_out,
];

async fn refresh(person: &Person, token: &str) -> Answer {
    let body = json!({ "refresh_token": token });
    person.rest.command("auth.refresh", None, None, body).await
}

async fn a_refresh_token_rotates(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let mut token = ann.refresh.clone();
    for _ in 0..5 {
        let grant: Grant = refresh(&ann, &token).await.data();
        assert_eq!((grant.user.id, grant.session), (ann.id, ann.session));
        let next = grant.refresh_token.unwrap();
        assert_ne!(next, token);
        token = next;
    }
    let forged = refresh(&ann, "nothing.that.was.ever.given").await;
    assert_eq!(forged.refused(), ErrorCode::RefreshTokenInvalid);
    world.end().await;
}

async fn a_lost_refresh_answer_may_be_repeated_once(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let first: Grant = refresh(&ann, &ann.refresh).await.data();
    let repeated: Grant = refresh(&ann, &ann.refresh).await.data();
    assert_eq!(first.refresh_token, repeated.refresh_token);
    let third = refresh(&ann, &ann.refresh).await;
    assert_eq!(third.refused(), ErrorCode::RefreshTokenReused);
    world.end().await;
}

async fn an_old_refresh_token_ends_the_session_it_belongs_to(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let phone = ann.login("phone").await;
    let mut device = ann.device().await;
    let second: Grant = refresh(&ann, &ann.refresh).await.data();
    let second = second.refresh_token.unwrap();
    let third: Grant = refresh(&ann, &second).await.data();
    let reused = refresh(&ann, &ann.refresh).await;
    assert_eq!(reused.refused(), ErrorCode::RefreshTokenReused);

    assert_eq!(device.socket.closed().await.code, CloseCode::Revoked.number());
    let newest = refresh(&ann, &third.refresh_token.unwrap()).await;
    assert_eq!(newest.refused(), ErrorCode::RefreshTokenInvalid);
    let access = ann.call("me.get", None, json!({})).await;
    assert_eq!(access.refused(), ErrorCode::TokenRevoked);
    assert_eq!(phone.call("me.get", None, json!({})).await.status, 200, "another session lives on");
    world.end().await;
}

async fn an_expired_access_token_asks_to_be_refreshed(topology: Topology) {
    let world = World::with(topology, Settings::default().set("auth.access_token_s", 1)).await;
    let ann = world.person("ann").await;
    let refused = wait::until("the token to expire", async || {
        let answer = ann.call("me.get", None, json!({})).await;
        (answer.status != 200).then_some(answer)
    });
    assert_eq!(refused.await.refused(), ErrorCode::TokenExpired);
    let grant: Grant = refresh(&ann, &ann.refresh).await.data();
    let answer = ann.rest.command("me.get", Some(&grant.access_token), None, json!({})).await;
    assert_eq!(answer.status, 200, "{answer}");
    world.end().await;
}

async fn a_socket_is_told_before_its_token_expires_and_renews_in_place(topology: Topology) {
    let world = World::with(topology, Settings::default().set("auth.access_token_s", 3)).await;
    let ann = world.person("ann").await;
    let mut device = ann.device().await;
    device.event(EVENT_TOKEN_EXPIRING).await;
    let first = device.welcome.expires_at;
    let mut token = ann.refresh.clone();
    wait::until("the first token's end to pass", async || {
        let grant: Grant = refresh(&ann, &token).await.data();
        token = grant.refresh_token.unwrap();
        let renew = json!({ "token": grant.access_token });
        let renewed = device.socket.command("renew", None, &renew).await.unwrap();
        let renewed: Renewed = serde_json::from_value(renewed).unwrap();
        (renewed.expires_at > first + 3_500).then_some(())
    })
    .await;
    device.socket.command("me.get", None, &json!({})).await.unwrap();
    world.end().await;
}

async fn a_socket_whose_token_ran_out_is_closed(topology: Topology) {
    let world = World::with(topology, Settings::default().set("auth.access_token_s", 2)).await;
    let ann = world.person("ann").await;
    let mut device = ann.device().await;
    assert_eq!(device.socket.closed().await.code, CloseCode::TokenExpired.number());
    world.end().await;
}

async fn a_token_of_another_session_does_not_renew(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let phone = ann.login("phone").await;
    let mut device = ann.device().await;
    for token in [&phone.access, &bob.access, &"no.token.atall".to_owned()] {
        let renew = json!({ "token": token });
        assert!(device.socket.command("renew", None, &renew).await.is_err());
    }
    device.socket.command("me.get", None, &json!({})).await.unwrap();
    world.end().await;
}

async fn keys_rotate_and_no_one_is_logged_out(topology: Topology) {
    let world = World::with(topology, Settings::default().set("auth.key_publish_s", 0)).await;
    let ann = world.person("ann").await;
    let keys = async || {
        let jwks: serde_json::Value =
            serde_json::from_slice(&world.rest().get("/.well-known/jwks.json").await.body).unwrap();
        jwks["keys"].as_array().unwrap().len()
    };
    let before = keys().await;
    world.command_line(&["keys", "rotate"]).await;
    assert!(keys().await > before, "the old key stays while its tokens live");
    assert_eq!(ann.call("me.get", None, json!({})).await.status, 200);
    let grant: Grant = refresh(&ann, &ann.refresh).await.data();
    let answer = ann.rest.command("me.get", Some(&grant.access_token), None, json!({})).await;
    assert_eq!(answer.status, 200, "{answer}");
    world.end().await;
}
