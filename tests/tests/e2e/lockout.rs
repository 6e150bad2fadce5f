//! Too many failed logins lock, and can't be used to keep the owner out.

use std::net::IpAddr;

use harness::people::PASSWORD;
use harness::world::Settings;
use harness::{Topology, World, on_every_topology};
use protocol::{ErrorCode, ServiceName};
use serde_json::json;

on_every_topology![failed_logins_lock_strangers_out_and_let_the_owner_in, an_address_that_fails_everywhere_is_locked,];

const STRANGER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 9, 9, 9));

async fn failed_logins_lock_strangers_out_and_let_the_owner_in(topology: Topology) {
    let settings = Settings::default().set("auth.lockout.account_failures", 5);
    let world = World::with(topology, settings).await;
    let ann = world.person("ann").await;
    let stranger = world.rest().from_address(STRANGER);
    let guess = async |password: &str| {
        let body = json!({ "handle": "ann", "password": password });
        stranger.command("auth.login", None, None, body).await
    };
    for _ in 0..5 {
        assert_eq!(guess("a guess that is wrong").await.refused(), ErrorCode::InvalidCredentials);
    }
    let locked = guess(PASSWORD).await;
    assert_eq!(locked.refused(), ErrorCode::AccountLocked);
    assert!(locked.header("retry-after").is_some(), "{locked}");
    ann.login("the owner, from the usual address").await;
    let metrics = world.metrics(ServiceName::Auth).await;
    assert_eq!(metrics.sum("auth_account_locked_total", &[]), 1.0);
    world.end().await;
}

async fn an_address_that_fails_everywhere_is_locked(topology: Topology) {
    let settings = Settings::default().set("auth.lockout.address_failures", 6);
    let world = World::with(topology, settings).await;
    let [_ann, _bob] = world.people(["ann", "bob"]).await;
    let stranger = world.rest().from_address(STRANGER);
    let guess = async |handle: &str, password: &str| {
        let body = json!({ "handle": handle, "password": password });
        stranger.command("auth.login", None, None, body).await
    };
    for handle in ["ann", "bob", "nobody", "ann", "bob", "nobody"] {
        let refused = guess(handle, "a guess that is wrong").await;
        assert_eq!(refused.refused(), ErrorCode::InvalidCredentials);
    }
    assert_eq!(guess("bob", PASSWORD).await.refused(), ErrorCode::AccountLocked);
    world.end().await;
}
