//! What an operator sees: metrics from the first scrape, audit rows, logs, health.

use harness::audit::Audit;
use harness::people::PASSWORD;
use harness::{Rest, Topology, World, on_every_topology, wait};
use protocol::ServiceName::{self, Auth, Chat, Gateway, Signaling};
use serde_json::{Value, json};

on_every_topology![
    every_metric_is_there_from_the_first_scrape_at_zero,
    what_happens_is_counted,
    labels_do_not_grow_with_what_clients_make_up,
    what_is_done_is_audited_with_who_and_from_where,
    what_is_denied_is_audited_once_with_a_count,
    logs_are_json_and_keep_secrets,
    health_names_every_dependency,
];

const OF_EVERY_SERVICE: &[&str] =
    &["http_requests_total", "http_request_duration_seconds", "http_requests_in_flight", "service_ready"];
const OF_STORES: &[&str] = &[
    "db_connections_active",
    "db_connections_idle",
    "db_connections_total",
    "db_query_duration_seconds",
    "db_query_errors_total",
];
const OF_THE_GATEWAY: &[&str] = &[
    "websocket_connections",
    "websocket_messages_total",
    "websocket_errors_total",
    "rate_limit_hits_total",
    "rate_limit_blocked_total",
];
const OF_AUTH: &[&str] = &[
    "auth_attempts_total",
    "auth_success_total",
    "auth_failures_total",
    "auth_login_success_total",
    "auth_login_failed_total",
    "auth_account_locked_total",
    "auth_refresh_token_success_total",
    "auth_refresh_token_invalid_total",
    "auth_refresh_token_blacklisted_total",
    "auth_token_blacklisted_total",
    "auth_logout_total",
];
const OF_TURN: &[&str] = &[
    "turn_allocations_active",
    "turn_allocations_total",
    "turn_relayed_bytes_total",
    "turn_relayed_packets_total",
    "turn_denied_peers_total",
    "turn_dropped_packets_total",
    "turn_auth_failures_total",
    "turn_tcp_connections",
    "turn_tcp_refused_total",
];
const OF_CHAT: &[&str] = &["messages_total", "messages_sent_total", "messages_received_total"];

async fn every_metric_is_there_from_the_first_scrape_at_zero(topology: Topology) {
    let world = World::start(topology).await;
    let expected = [
        (Gateway, [OF_EVERY_SERVICE, OF_THE_GATEWAY].concat()),
        (Auth, [OF_EVERY_SERVICE, OF_STORES, OF_AUTH].concat()),
        (Chat, [OF_EVERY_SERVICE, OF_STORES, OF_CHAT].concat()),
        (ServiceName::Signaling, [OF_EVERY_SERVICE, OF_STORES].concat()),
        (ServiceName::Storage, OF_EVERY_SERVICE.to_vec()),
        (ServiceName::Turn, [OF_EVERY_SERVICE, OF_TURN].concat()),
    ];
    for (service, names) in expected {
        let metrics = world.metrics(service).await;
        for name in names {
            assert!(metrics.has(name), "{}: no {name}", service.as_str());
            for value in metrics.values_of(name, "service") {
                assert_eq!(value, service.as_str(), "{name}");
            }
        }
    }
    for name in OF_AUTH {
        assert_eq!(world.metrics(Auth).await.sum(name, &[]), 0.0, "{name}");
    }
    assert_eq!(world.metrics(Gateway).await.sum("websocket_connections", &[]), 0.0);
    world.end().await;
}

async fn what_happens_is_counted(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let mut device = ann.device().await;
    for _ in 0..3 {
        device.say(conversation, "x").await;
    }
    ann.login("phone").await;
    let gateway = world.metrics(Gateway).await;
    assert_eq!(gateway.sum("websocket_connections", &[]), 1.0);
    let create = [("method", "POST"), ("endpoint", "/v1/conversations"), ("status", "200")];
    assert_eq!(gateway.sum("http_requests_total", &create), 1.0);
    let auth = world.metrics(Auth).await;
    assert_eq!(auth.sum("auth_login_success_total", &[]), 1.0);
    assert_eq!(world.metrics(Chat).await.sum("messages_total", &[]), 3.0);
    world.end().await;
}

async fn labels_do_not_grow_with_what_clients_make_up(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let mut device = ann.device().await;
    let series = async || {
        let metrics = world.metrics(Gateway).await;
        metrics.values_of("http_requests_total", "endpoint").len()
            + metrics.values_of("websocket_messages_total", "type").len()
    };
    let made_up = async |device: &mut harness::people::Device, n: u32| {
        ann.rest.get(&format!("/v1/made-up-{n}")).await;
        ann.rest.get(&format!("/made/up/{n}")).await;
        let _ = device.socket.command(&format!("made.up{n}"), None, &json!({})).await;
    };
    made_up(&mut device, 0).await;
    let before = series().await;
    for n in 1..20 {
        made_up(&mut device, n).await;
    }
    assert_eq!(series().await, before);
    world.end().await;
}

async fn what_is_done_is_audited_with_who_and_from_where(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let group = ann.group("audited", &[&bob]).await;
    ann.done::<Value>(group, "members.kick", json!({ "user": bob.id })).await;
    ann.call("auth.logout", None, json!({ "refresh_token": ann.refresh })).await;
    let auth = Audit::read(&world, Auth);
    for needle in ["register", "logout"] {
        let row = auth.with_action(needle).unwrap_or_else(|| panic!("{needle} in {auth:?}"));
        assert_eq!((row.result.as_str(), row.client_ip.as_deref()), ("allowed", Some("127.0.0.1")));
        assert!(row.user.is_some());
    }
    let chat = Audit::read(&world, Chat);
    let kick = chat.with_action("kick").unwrap_or_else(|| panic!("{chat:?}"));
    assert_eq!((kick.user, kick.result.as_str()), (Some(ann.id), "allowed"));
    assert!(kick.request_id.is_some());
    world.end().await;
}

async fn what_is_denied_is_audited_once_with_a_count(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let group = ann.group("audited", &[&bob]).await;
    for _ in 0..20 {
        bob.refused(group, "members.kick", json!({ "user": ann.id })).await;
    }
    let denials = wait::until("the denials", async || {
        let audit = Audit::read(&world, Chat);
        let denied: Vec<_> = audit.rows.into_iter().filter(|row| row.result == "denied").collect();
        (denied.iter().map(|row| row.count).sum::<u64>() >= 20).then_some(denied)
    })
    .await;
    assert!(denials.len() <= 5, "{denials:?}");
    world.end().await;
}

async fn logs_are_json_and_keep_secrets(topology: Topology) {
    let world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let mut device = ann.device().await;
    device.say(conversation, "whispered words").await;
    let wrong = json!({ "handle": "ann", "password": "a guess that is wrong" });
    world.rest().command("auth.login", None, None, wrong).await;
    let body = json!({ "refresh_token": ann.refresh });
    world.rest().command("auth.refresh", None, None, body).await;
    for part in topology.parts() {
        let log = world.log(part.name);
        let secrets = [PASSWORD, "whispered words", "a guess that is wrong", &ann.access, &ann.refresh];
        for secret in secrets {
            assert!(!log.contains(secret), "{secret} in the log of {}", part.name);
        }
        let lines = log.lines().filter(|line| line.starts_with('{'));
        let mut services = Vec::new();
        for line in lines {
            let entry: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
            for field in ["timestamp", "level", "msg", "caller"] {
                assert!(entry.get(field).is_some(), "no {field}: {line}");
            }
            assert!(entry.get("request_id").is_none() || entry.get("service").is_some(), "no service: {line}");
            services.push(entry["service"].clone());
        }
        if part.roles.contains(&ServiceName::Auth) {
            assert!(services.contains(&json!("auth-service")), "{services:?}");
        }
    }
    world.end().await;
}

async fn health_names_every_dependency(topology: Topology) {
    let mut world = World::start(topology).await;
    for service in ServiceName::ALL {
        let ready = Rest::to(world.address(service)).get("/readyz").await;
        let body: Value = serde_json::from_slice(&ready.body).unwrap();
        assert!(body.is_object(), "{body}");
        if topology == Topology::FiveProcesses && service == Signaling {
            for dependency in ["store", "auth-service", "chat-service"] {
                assert_eq!(body["dependencies"][dependency]["state"], "up", "{body}");
            }
        }
    }
    if let Some(gateway) = topology.parts_of(Gateway).find(|part| *part != topology.chat_part()) {
        let rest = world.rest_at(gateway);
        world.kill(topology.chat_part()).await;
        wait::until("the gateway to say that it can't serve", async || {
            (rest.get("/readyz").await.status == 503).then_some(())
        })
        .await;
        assert_eq!(rest.get("/healthz").await.status, 200);
        if topology == Topology::FiveProcesses {
            let chat = [("dependency", "chat-service")];
            wait::until("signaling to say that chat does not answer", async || {
                let open = world.metrics(Signaling).await.sum("circuit_breaker_state", &chat) == 2.0;
                let ready = Rest::to(world.address(Signaling)).get("/readyz").await;
                let body: Value = serde_json::from_slice(&ready.body).unwrap();
                (open && body["dependencies"]["chat-service"]["state"] == "down").then_some(())
            })
            .await;
            world.restart(topology.chat_part()).await;
            wait::until("the breaker to close by itself", async || {
                (world.metrics(Signaling).await.sum("circuit_breaker_state", &chat) == 0.0).then_some(())
            })
            .await;
        }
    }
}
