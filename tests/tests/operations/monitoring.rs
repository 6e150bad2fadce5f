//! The real Prometheus on the running services: it scrapes all five, every panel has data, and alerts fire, are told and end.

use harness::people::PASSWORD;
use harness::{Person, Phone, Rest, Witness};
use protocol::accounts::Grant;
use serde_json::json;

use crate::alertmanager::Alertmanager;
use crate::dashboard::queries;
use crate::engine::Engine;
use crate::prometheus::Prometheus;
use crate::proxy::Proxy;
use crate::rules;

#[tokio::test]
async fn every_panel_has_data_and_an_outage_fires_the_alerts_that_are_for_it() {
    let mut engine = Engine::new();
    let redis = engine.start_redis().await;
    engine.start_services().await;
    let proxy = Proxy::start(&mut engine).await;
    let alertmanager = Alertmanager::start(&mut engine).await;
    let prometheus = Prometheus::start(&mut engine).await;
    prometheus.has("all five are scraped", "count(up == 1) == 5").await;
    traffic(&proxy).await;
    for query in queries() {
        prometheus.has(&query.panel, &query.expression).await;
    }
    assert_eq!(prometheus.rules().await.len(), rules::alerts().len());
    for alert in rules::alerts() {
        let values = prometheus.query(&alert.expression).await;
        assert!(values.is_empty(), "{} sees {values:?} where nothing is wrong", alert.name);
    }

    engine.stop("redis").await;
    for name in ["RedisDown", "DegradedMode"] {
        prometheus.fires(name).await;
    }
    let text = alertmanager.tells("FIRING RedisDown (page)").await;
    assert!(text.contains("can't reach Redis (docs/runbooks/redis-down.md)"), "{text}");
    engine.start_redis_again(redis).await;
    for name in ["RedisDown", "DegradedMode"] {
        prometheus.resolves(name).await;
    }
    alertmanager.tells("RESOLVED RedisDown (page)").await;

    engine.stop("chat-service").await;
    for name in ["ScrapeFailed", "ServiceNotReady", "BreakerOpen"] {
        prometheus.fires(name).await;
    }
    let rest = proxy.rest();
    // One burst, the first ever.
    let token = login(&rest).await;
    refused_for_want_of_chat(&rest, &token).await;
    prometheus.fires("HighErrorRate").await;
}

/// Requests of the burst.
const REFUSALS: u32 = 10;

/// Some of everything that a panel shows.
async fn traffic(proxy: &Proxy) {
    let (rest, witness) = (proxy.rest(), Witness::default());
    let ann = Person::register(&rest, proxy.secure, "ann", &witness).await;
    let bob = Person::register(&rest, proxy.secure, "bob", &witness).await;
    ann.login("phone").await;
    let wrong = json!({ "handle": "ann", "password": format!("not {PASSWORD}"), "device": "x" });
    assert_eq!(rest.command("auth.login", None, None, wrong).await.status, 401);
    let conversation = ann.direct(&bob).await;
    ann.say(conversation, "hello").await;
    let (mut hers, mut his) = (Phone::of(&ann).await, Phone::of(&bob).await);
    let call = hers.call(conversation).await;
    his.rings().await;
    his.join(call.call.id).await;
    his.cut();
    hers.leave(call.call.id, call.epoch.unwrap()).await;
}

async fn login(rest: &Rest) -> String {
    let body = json!({ "handle": "ann", "password": PASSWORD, "device": "later" });
    let grant: Grant = rest.command("auth.login", None, None, body).await.data();
    grant.access_token
}

async fn refused_for_want_of_chat(rest: &Rest, token: &str) {
    for _ in 0..REFUSALS {
        let answer = rest.command("conversations.list", Some(token), None, json!({ "limit": 5 })).await;
        assert_eq!(answer.status, 503, "{answer}");
    }
}
