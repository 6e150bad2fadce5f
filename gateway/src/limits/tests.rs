//! What is counted for whom.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use futures_util::FutureExt;
use link::Refusal;
use protocol::commands::{COMMANDS, CommandSpec};
use protocol::{ErrorCode, ServiceName, SessionId, UserId};
use rig::{RedisServer, wait};
use runtime::lifecycle::{Shutdown, Tasks};
use runtime::redis::{Config, Redis, Standing};

use super::budgets::KEYS_MAX;
use super::{Client, Limits, Spent};

const CLIENT: Client = Client { user: None, address: IpAddr::V4(Ipv4Addr::LOCALHOST) };

fn command(name: &str) -> &'static CommandSpec {
    COMMANDS.iter().find(|spec| spec.name == name).unwrap()
}

fn counts(counts: &[(&str, u32)]) -> BTreeMap<String, u32> {
    counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

/// In memory nothing is waited for.
fn request(limits: &Limits, name: &str, client: Client, spent: &mut Spent) -> Result<(), Refusal> {
    limits.request(command(name), client, spent).now_or_never().expect("memory answers at once")
}

async fn redis(server: &RedisServer, fallback: bool) -> Redis {
    let config = Config { url: server.url(), fallback, ..Config::default() };
    let tasks = Tasks::new(ServiceName::Gateway);
    let redis = Redis::start(&config, ServiceName::Gateway, &tasks, Shutdown::new()).unwrap();
    stands(&redis, Standing::is_up).await;
    redis
}

async fn stands(redis: &Redis, as_wanted: impl Fn(Standing) -> bool) {
    let mut standing = redis.watch();
    let found = wait::within("Redis to stand so", standing.wait_for(|standing| as_wanted(*standing))).await;
    drop(found.unwrap());
}

#[test]
fn a_configured_count_replaces_the_tables_and_the_answer_tells_what_is_left() {
    let limits = Limits::new(&counts(&[("general", 2)]), None);
    let mut spent = Spent::default();
    request(&limits, "auth.jwks", CLIENT, &mut spent).unwrap();
    assert_eq!(spent.0.unwrap().remaining, 1);
    request(&limits, "auth.jwks", CLIENT, &mut spent).unwrap();
    let refusal = request(&limits, "auth.jwks", CLIENT, &mut spent).unwrap_err();
    assert_eq!(refusal.code, ErrorCode::RateLimited);
    assert!(refusal.retry_after_ms.unwrap() > 0);
}

#[test]
fn an_ipv6_network_has_one_budget_and_no_flood_of_networks_refuses_a_user() {
    let limits = Limits::new(&counts(&[("general", 1)]), None);
    let ask = |address: u128, user| {
        let address = IpAddr::V6(address.into());
        request(&limits, "auth.jwks", Client { user, address }, &mut Spent::default())
    };
    let network: u128 = 0x2001_0db8 << 96;
    ask(network + 1, None).unwrap();
    ask(network + 2, None).unwrap_err();
    let refused = (1..2 * KEYS_MAX as u128).filter(|n| ask(network + (n << 64), None).is_err()).count();
    assert!(refused > 0, "the map of the networks is full");
    ask(network + 1, Some(UserId::now())).unwrap();
}

#[test]
fn a_request_whose_own_budget_is_spent_costs_nothing_of_the_general_one() {
    let limits = Limits::new(&counts(&[("general", 3), ("login_address", 1)]), None);
    let mut spent = Spent::default();
    request(&limits, "auth.login", CLIENT, &mut spent).unwrap();
    assert_eq!(spent.0.map(|decision| decision.limit), Some(1), "the tightest is told");
    for _ in 0..10 {
        request(&limits, "auth.login", CLIENT, &mut spent).unwrap_err();
    }
    request(&limits, "auth.jwks", CLIENT, &mut spent).unwrap();
}

#[test]
fn the_sockets_of_a_login_share_its_budget_of_frames_and_those_of_another_do_not() {
    let limits = Limits::new(&counts(&[("socket_frames", 5)]), None);
    let [login, other] = [SessionId::now(), SessionId::now()];
    let admitted = |login| (0..10).filter(|_| limits.frame(login).allowed).count();
    assert_eq!([admitted(login), admitted(login), admitted(other)], [1, 0, 1], "the burst of five a minute is one");
}

#[tokio::test]
async fn two_gateways_count_a_join_together() {
    let server = RedisServer::start().await;
    let counts = counts(&[("join_user", 3)]);
    let [one, other] = [redis(&server, true).await, redis(&server, true).await].map(|r| Limits::new(&counts, Some(r)));
    let client = Client { user: Some(UserId::now()), ..CLIENT };
    let join = command("channels.join");
    let mut admitted = 0;
    for _ in 0..3 {
        admitted += usize::from(one.command(join, client).await.is_ok());
        admitted += usize::from(other.request(join, client, &mut Spent::default()).await.is_ok());
    }
    assert_eq!(admitted, 3);
}

#[tokio::test]
async fn two_gateways_pace_a_conversation_together() {
    let server = RedisServer::start().await;
    let counts = counts(&[("conversation_messages", 4)]);
    let limits = async || Limits::new(&counts, Some(redis(&server, true).await));
    let [one, other] = [limits().await, limits().await];
    let client = Client { user: Some(UserId::now()), ..CLIENT };
    let send = |limits: &Limits| limits.pace(command("messages.send"), client, None, &mut Spent::default());
    send(&one).unwrap();
    assert_eq!(send(&one).unwrap_err().code, ErrorCode::RateLimited);
    send(&other).unwrap();
    // A unit takes fifteen seconds: whichever was settled last knows of both, and waits for two.
    let wait_ms = |limits| send(limits).unwrap_err().retry_after_ms.unwrap();
    let known = || wait_ms(&one).max(wait_ms(&other)) > 16_000;
    let settled = wait::until("what both have spent to be known", async || known().then_some(()));
    tokio::select! {
        () = one.settle() => {}
        () = other.settle() => {}
        () = settled => {}
    }
}

#[tokio::test]
async fn without_fallback_commands_are_refused_while_redis_is_gone_and_frames_are_not() {
    let mut server = RedisServer::start().await;
    let redis = redis(&server, false).await;
    let limits = Limits::new(&BTreeMap::new(), Some(redis.clone()));
    let client = Client { user: Some(UserId::now()), ..CLIENT };
    server.kill().await;
    stands(&redis, |standing| !standing.is_up()).await;
    let request = limits.request(command("me.get"), client, &mut Spent::default()).await.unwrap_err();
    let message = limits.pace(command("messages.send"), client, None, &mut Spent::default()).unwrap_err();
    for refusal in [request, message, limits.open(CLIENT.address).unwrap_err()] {
        assert_eq!((refusal.code, refusal.retry_after_ms), (ErrorCode::Unavailable, Some(1_000)));
    }
    assert!(limits.frame(SessionId::now()).allowed);
    server.restart().await;
    stands(&redis, Standing::is_up).await;
    limits.request(command("me.get"), client, &mut Spent::default()).await.unwrap();
}
