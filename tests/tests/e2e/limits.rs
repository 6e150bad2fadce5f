//! Limits that are counted over Redis: they outlive the process that counted, and go on without Redis.

use harness::metrics::Metrics;
use harness::rest::Answer;
use harness::world::Settings;
use harness::{Topology, World, on_every_topology, wait};
use protocol::{ErrorCode, ServiceName};
use rig::RedisServer;
use serde_json::json;

on_every_topology![
    a_restarted_gateway_goes_on_counting_where_it_was,
    limits_go_on_while_redis_is_gone,
    without_fallback_requests_are_refused_until_redis_is_back,
];

async fn on(topology: Topology, redis: &RedisServer, settings: Settings) -> World {
    let world = World::with(topology, settings.set("redis.url", redis.url())).await;
    redis_is(&world, true).await;
    world
}

/// Awaits that the gateway has found Redis so.
async fn redis_is(world: &World, up: bool) {
    let stands = |metrics: &Metrics| metrics.sum("redis_up", &[("service", "api-gateway")]) > 0.0;
    wait::until("the gateway to notice", async || {
        (stands(&world.metrics(ServiceName::Gateway).await) == up).then_some(())
    })
    .await;
}

async fn register(world: &World, handle: &str) -> Answer {
    let body = json!({ "handle": handle, "name": "x", "password": harness::people::PASSWORD });
    world.rest().command("auth.register", None, None, body).await
}

async fn a_restarted_gateway_goes_on_counting_where_it_was(topology: Topology) {
    let redis = RedisServer::start().await;
    let mut world = on(topology, &redis, Settings::default().limit("register_address", 3)).await;
    for handle in ["ann", "bob"] {
        assert_eq!(register(&world, handle).await.status, 200);
    }
    world.crash(topology.gateway_part()).await;
    redis_is(&world, true).await;
    let third = register(&world, "cat").await;
    assert_eq!((third.status, third.header("x-ratelimit-remaining")), (200, Some("0")), "{third}");
    let fourth = register(&world, "dan").await;
    assert_eq!(fourth.refused(), ErrorCode::RateLimited);
    let wait: u64 = fourth.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    world.end().await;
}

async fn limits_go_on_while_redis_is_gone(topology: Topology) {
    let mut redis = RedisServer::start().await;
    let world = on(topology, &redis, Settings::default().limit("register_address", 3)).await;
    assert_eq!(register(&world, "ann").await.status, 200);
    redis.kill().await;
    let mut admitted = 0;
    for handle in ["bob", "cat", "dan", "eve"] {
        admitted += usize::from(register(&world, handle).await.status == 200);
    }
    assert_eq!(admitted, 2, "the gateway remembers what it admitted with Redis");
    redis_is(&world, false).await;
    redis.restart().await;
    redis_is(&world, true).await;
    assert_eq!(register(&world, "fay").await.refused(), ErrorCode::RateLimited);
    world.end().await;
}

async fn without_fallback_requests_are_refused_until_redis_is_back(topology: Topology) {
    let mut redis = RedisServer::start().await;
    let world = on(topology, &redis, Settings::default().set("redis.fallback", false)).await;
    let ann = world.person("ann").await;
    redis.kill().await;
    let refused = ann.call("me.get", None, json!({})).await;
    assert_eq!((refused.status, refused.refused()), (503, ErrorCode::Unavailable));
    assert!(refused.header("retry-after").is_some());
    redis.restart().await;
    redis_is(&world, true).await;
    assert_eq!(ann.call("me.get", None, json!({})).await.status, 200);
    world.end().await;
}
