//! Against a real Redis that is frozen, killed, emptied and failed over.

use std::time::{Duration, Instant};

use protocol::ServiceName;
use rig::{RedisServer, Sentinels, wait};

use super::{Config, Failure, Redis, SentinelConfig, Standing, cmd};
use crate::config::Secret;
use crate::lifecycle::{Shutdown, Tasks};

/// What a command may take at most here: its own deadline, and what a loaded machine adds.
const AT_ONCE: Duration = Duration::from_secs(2);

fn at(url: String) -> Config {
    Config { url, ..Config::default() }
}

async fn up(config: &Config) -> Redis {
    let redis = Redis::start(config, ServiceName::Chat, &Tasks::new(ServiceName::Chat), Shutdown::new()).unwrap();
    stands(&redis, Standing::is_up).await;
    redis
}

async fn stands(redis: &Redis, as_wanted: impl Fn(Standing) -> bool) -> Standing {
    let mut standing = redis.watch();
    let found = wait::within("Redis to stand so", standing.wait_for(|standing| as_wanted(*standing))).await;
    *found.unwrap()
}

async fn get(redis: &Redis) -> Result<Option<String>, Failure> {
    redis.run("get", cmd("GET").arg(redis.key("test", 1))).await
}

async fn set(redis: &Redis, value: &str) -> Result<(), Failure> {
    redis.run("set", cmd("SET").arg(redis.key("test", 1)).arg(value)).await
}

#[tokio::test]
async fn what_is_set_is_read_and_another_epoch_does_not_meet_it() {
    let server = RedisServer::start().await;
    let redis = up(&at(server.url())).await;
    set(&redis, "value").await.unwrap();
    assert_eq!(get(&redis).await.unwrap().as_deref(), Some("value"));
    assert_eq!(get(&redis.under("epoch")).await.unwrap(), None);
    assert_eq!(redis.under("epoch").key("test", 1), "secureconnect:epoch:test:{1}");
}

#[tokio::test]
async fn a_refusal_is_an_answer_and_the_connection_stays() {
    let server = RedisServer::start().await;
    let redis = up(&at(server.url())).await;
    let standing = redis.standing();
    set(&redis, "no number").await.unwrap();
    for _ in 0..10 {
        let refused = redis.run::<u64>("incr", cmd("INCR").arg(redis.key("test", 1))).await;
        assert!(matches!(refused, Err(Failure::Refused(_))), "{refused:?}");
    }
    assert_eq!(redis.standing(), standing);
}

#[tokio::test]
async fn nobody_waits_for_a_frozen_redis_and_it_is_found_again_when_it_thaws() {
    let mut server = RedisServer::start().await;
    let redis = up(&at(server.url())).await;
    set(&redis, "value").await.unwrap();
    server.freeze();
    let began = Instant::now();
    let (first, second, third) = tokio::join!(get(&redis), get(&redis), get(&redis));
    for lost in [first, second, third] {
        assert!(matches!(lost, Err(Failure::Lost(_))), "{lost:?}");
    }
    assert!(began.elapsed() < AT_ONCE);
    assert_eq!(get(&redis).await, Err(Failure::Gone), "the breaker is open");
    server.thaw();
    assert_eq!(stands(&redis, Standing::is_up).await, Standing::Up { generation: 2 });
    assert_eq!(get(&redis).await.unwrap().as_deref(), Some("value"));
}

#[tokio::test]
async fn a_quiet_service_notices_a_frozen_redis_too() {
    let mut server = RedisServer::start().await;
    let redis = up(&at(server.url())).await;
    server.freeze();
    stands(&redis, |standing| !standing.is_up()).await;
    server.thaw();
    stands(&redis, Standing::is_up).await;
}

#[tokio::test]
async fn a_killed_redis_is_found_again_and_what_it_held_is_known_to_be_lost() {
    let mut server = RedisServer::start().await;
    let redis = up(&at(server.url())).await;
    server.kill().await;
    stands(&redis, |standing| !standing.is_up()).await;
    assert_eq!(get(&redis).await, Err(Failure::Gone));
    server.restart().await;
    assert_eq!(stands(&redis, Standing::is_up).await, Standing::Up { generation: 2 });
}

#[tokio::test]
async fn an_emptied_redis_is_another_generation() {
    let server = RedisServer::start().await;
    let redis = up(&at(server.url())).await;
    server.flush().await;
    stands(&redis, |standing| standing == Standing::Up { generation: 2 }).await;
}

#[tokio::test]
async fn a_redis_that_comes_after_the_service_is_found() {
    let mut server = RedisServer::start().await;
    server.kill().await;
    let redis =
        Redis::start(&at(server.url()), ServiceName::Chat, &Tasks::new(ServiceName::Chat), Shutdown::new()).unwrap();
    assert_eq!(get(&redis).await, Err(Failure::Gone));
    server.restart().await;
    stands(&redis, Standing::is_up).await;
}

#[tokio::test]
async fn a_subscription_hears_in_order_and_ends_when_it_may_have_missed_something() {
    let mut server = RedisServer::start().await;
    let redis = up(&at(server.url())).await;
    let channel = redis.key("channel", "test");
    let mut subscription = redis.subscribe(&channel, 1_000).await.unwrap();
    for number in 0..100 {
        assert_eq!(redis.publish(&channel, number.to_string().as_bytes()).await.unwrap(), 1);
    }
    for number in 0..100 {
        let heard = wait::within("a message", subscription.next()).await.unwrap();
        assert_eq!(heard, number.to_string().as_bytes());
    }
    server.drop_clients().await;
    assert_eq!(wait::within("the end", subscription.next()).await, None);

    let mut standing = redis.watch();
    let mut again = wait::until("a subscription", async || redis.subscribe(&channel, 10).await.ok()).await;
    standing.mark_unchanged();
    server.freeze();
    assert_eq!(wait::within("the end", again.next()).await, None);
    server.thaw();
}

#[tokio::test]
async fn a_reader_that_does_not_read_loses_messages_and_takes_no_memory() {
    let server = RedisServer::start().await;
    let redis = up(&at(server.url())).await;
    let channel = redis.key("channel", "test");
    let mut subscription = redis.subscribe(&channel, 2).await.unwrap();
    for number in 0..10 {
        redis.publish(&channel, number.to_string().as_bytes()).await.unwrap();
    }
    wait::until("eight to find no room", async || (subscription.lost() == 8).then_some(())).await;
    for kept in ["0", "1"] {
        assert_eq!(wait::within("a message", subscription.next()).await.unwrap(), kept.as_bytes());
    }
}

#[tokio::test]
async fn a_password_is_shown_and_a_wrong_one_gets_no_connection() {
    let server = RedisServer::start_with(&["--requirepass", "correct horse battery staple"]).await;
    let right = Config { password: Secret::new("correct horse battery staple"), ..at(server.url()) };
    set(&up(&right).await, "value").await.unwrap();
    let wrong = Config { password: Secret::new("wrong"), ..at(server.url()) };
    let connector = super::connect::Connector::new(&wrong).unwrap();
    let no_push = None::<fn(redis::PushInfo) -> Result<(), std::convert::Infallible>>;
    let refused = wait::within("an answer", connector.connect(no_push)).await.unwrap_err();
    assert!(refused.to_string().contains("WRONGPASS"), "{refused}");
}

#[tokio::test]
async fn over_tls_only_a_certificate_of_the_configured_ca_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let ip = rig::own_address();
    let certificate = rcgen::generate_simple_self_signed([ip.to_string()]).unwrap();
    std::fs::write(file("cert.pem"), certificate.cert.pem()).unwrap();
    std::fs::write(file("key.pem"), certificate.signing_key.serialize_pem()).unwrap();
    let other = rcgen::generate_simple_self_signed([ip.to_string()]).unwrap();
    std::fs::write(file("other.pem"), other.cert.pem()).unwrap();
    let port = rig::free_port(ip).to_string();
    let path = |name: &str| file(name).display().to_string();
    let (cert, key) = (path("cert.pem"), path("key.pem"));
    let tls = ["--tls-port", &port, "--tls-cert-file", &cert, "--tls-key-file", &key, "--tls-ca-cert-file", &cert];
    let _server = RedisServer::start_at(ip, &[&tls[..], &["--tls-auth-clients", "no"]].concat()).await;
    let url = format!("rediss://{ip}:{port}");
    let trusted = Config { ca: Some(file("cert.pem")), ..at(url.clone()) };
    set(&up(&trusted).await, "value").await.unwrap();
    let strange = Config { ca: Some(file("other.pem")), ..at(url) };
    let connector = super::connect::Connector::new(&strange).unwrap();
    let no_push = None::<fn(redis::PushInfo) -> Result<(), std::convert::Infallible>>;
    wait::within("an answer", connector.connect(no_push)).await.unwrap_err();
}

#[tokio::test]
async fn after_a_failover_the_new_master_is_asked() {
    let mut pair = Sentinels::start().await;
    let config = Config {
        sentinel: SentinelConfig {
            master: pair.master_name().to_owned(),
            addresses: pair.addresses().iter().map(ToString::to_string).collect(),
        },
        ..Config::default()
    };
    let redis = up(&config).await;
    set(&redis, "before").await.unwrap();
    pair.fail_over().await;
    wait::until("a write at the new master", async || set(&redis, "after").await.ok()).await;
    assert_eq!(get(&redis).await.unwrap().as_deref(), Some("after"));
}
