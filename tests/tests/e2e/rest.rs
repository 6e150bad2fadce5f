//! The rules that hold for every REST request.

use harness::rest::send;
use harness::world::Settings;
use harness::{Rest, Topology, World, on_every_topology};
use protocol::chat::Conversation;
use protocol::commands::COMMANDS;
use protocol::{ErrorCode, ServiceName};
use serde_json::{Value, json};
use uuid::Uuid;

on_every_topology![
    every_answer_names_its_request,
    a_trace_goes_on_through_the_server,
    unknown_routes_and_methods_are_refused_and_nothing_internal_is_there,
    what_is_no_json_of_the_commands_form_is_refused,
    a_body_over_the_limit_is_refused,
    every_command_for_users_wants_a_token,
    creating_requests_want_a_key_and_repeat_under_it,
    every_answer_tells_the_budget_and_who_is_over_it_waits,
    registrations_are_counted_by_address,
    a_forwarded_address_counts_only_from_a_configured_proxy,
    operators_routes_are_not_there_through_a_proxy,
];

async fn every_answer_names_its_request(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let id = Uuid::now_v7().to_string();
    let request = ann.rest.command_request("me.get", Some(&ann.access), None, json!({}));
    let answer = send(request.header("X-Request-ID", &id)).await;
    assert_eq!(answer.header("x-request-id"), Some(id.as_str()));
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["meta"]["request_id"], id.as_str());

    let refused = ann.rest.get("/v1/nothing").await;
    let body: Value = serde_json::from_slice(&refused.body).unwrap();
    let made = refused.header("x-request-id").expect("an id is made");
    assert_eq!(body["error"]["request_id"], made);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    world.end().await;
}

async fn a_trace_goes_on_through_the_server(topology: Topology) {
    let world = World::start(topology).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = world.rest().request("GET", "/v1/me");
    let sent = format!("00-{trace}-00f067aa0ba902b7-01");
    let answer = send(request.header("traceparent", sent)).await;
    let returned = answer.header("traceparent").expect("a traceparent");
    assert!(returned.starts_with(&format!("00-{trace}-")), "{returned}");
    world.end().await;
}

async fn unknown_routes_and_methods_are_refused_and_nothing_internal_is_there(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    for path in ["/v1/nothing", "/v1/", "/v1/admin", "/admin/users", "/v1/auth/register/x"] {
        let answer = ann.rest.get(path).await;
        assert_eq!(answer.refused(), ErrorCode::UnknownCommand, "{path}");
    }
    let wrong = send(ann.rest.request("DELETE", "/v1/me").bearer_auth(&ann.access)).await;
    assert_eq!(wrong.refused(), ErrorCode::MethodNotAllowed);
    assert!(wrong.header("allow").unwrap().contains("PATCH"));
    world.end().await;
}

async fn what_is_no_json_of_the_commands_form_is_refused(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let patch = || ann.rest.request("PATCH", "/v1/me").bearer_auth(&ann.access);
    let text = send(patch().header("content-type", "text/plain").body("{}")).await;
    assert_eq!(text.refused(), ErrorCode::UnsupportedMediaType);
    let form = patch().header("content-type", "application/json");
    for body in ["{", "[]", "\"x\"", r#"{"name": 5}"#, r#"{"nam": "x"}"#] {
        let answer = send(form.try_clone().unwrap().body(body)).await;
        assert_eq!(answer.refused(), ErrorCode::InvalidRequest, "{body}");
    }
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let answer = send(form.try_clone().unwrap().body(deep)).await;
    assert_eq!(answer.refused(), ErrorCode::InvalidRequest);
    let query = send(ann.rest.request("GET", "/v1/conversations?limitt=5").bearer_auth(&ann.access)).await;
    assert_eq!(query.refused(), ErrorCode::InvalidRequest);
    let number = send(ann.rest.request("GET", "/v1/conversations?limit=five").bearer_auth(&ann.access)).await;
    assert_eq!(number.refused(), ErrorCode::InvalidRequest);
    world.end().await;
}

async fn a_body_over_the_limit_is_refused(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let name = "x".repeat(protocol::limits::BODY_BYTES_MAX);
    let answer = ann.call("me.update", None, json!({ "name": name })).await;
    assert_eq!(answer.refused(), ErrorCode::PayloadTooLarge);
    world.end().await;
}

async fn every_command_for_users_wants_a_token(topology: Topology) {
    let world = World::start(topology).await;
    let rest = world.rest();
    let id = Uuid::now_v7().to_string();
    let users = COMMANDS.iter().filter(|c| c.access != protocol::commands::Access::Anonymous);
    for command in users.filter(|c| c.rest.is_some()) {
        let body = json!({ "session": id, "user": id, "seq": 1 });
        for token in [None, Some("not.a.token")] {
            let answer = rest.command(command.name, token, Some(&id), body.clone()).await;
            assert_eq!(answer.refused(), ErrorCode::Unauthenticated, "{}", command.name);
        }
    }
    world.end().await;
}

async fn creating_requests_want_a_key_and_repeat_under_it(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let create = async |title: &str, key: Option<&str>| {
        let body = json!({ "kind": "group", "title": title });
        let request = ann.rest.request("POST", "/v1/conversations").bearer_auth(&ann.access).json(&body);
        send(match key {
            Some(key) => request.header("Idempotency-Key", key),
            None => request,
        })
        .await
    };
    for key in [None, Some("not-a-uuid")] {
        assert_eq!(create("one", key).await.refused(), ErrorCode::IdempotencyKeyRequired);
    }
    let key = Uuid::new_v4().to_string();
    let first: Conversation = create("one", Some(&key)).await.data();
    let second: Conversation = create("one", Some(&key)).await.data();
    assert_eq!(first.id, second.id);
    let other = create("two", Some(&key)).await;
    assert_eq!(other.refused(), ErrorCode::IdempotencyKeyReused);
    let bob = world.person("bob").await;
    let body = json!({ "kind": "group", "title": "one" });
    let request = bob.rest.request("POST", "/v1/conversations").bearer_auth(&bob.access).json(&body);
    let theirs: Conversation = send(request.header("Idempotency-Key", &key)).await.data();
    assert_ne!(theirs.id, first.id, "a key is the caller's own");
    world.end().await;
}

async fn every_answer_tells_the_budget_and_who_is_over_it_waits(topology: Topology) {
    let world = World::with(topology, Settings::default().limit("general", 5)).await;
    let ann = world.person("ann").await;
    let bob = world.person("bob").await;
    for left in (0..5).rev() {
        let answer = ann.call("me.get", None, json!({})).await;
        assert_eq!(answer.status, 200, "{answer}");
        assert_eq!(answer.header("x-ratelimit-limit"), Some("5"));
        assert_eq!(answer.header("x-ratelimit-remaining"), Some(left.to_string().as_str()));
        assert!(answer.header("x-ratelimit-reset").is_some());
    }
    let over = ann.call("me.get", None, json!({})).await;
    assert_eq!(over.refused(), ErrorCode::RateLimited);
    let wait: u64 = over.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(bob.call("me.get", None, json!({})).await.status, 200, "each has a budget");
    let metrics = world.metrics(ServiceName::Gateway).await;
    assert!(metrics.sum("rate_limit_blocked_total", &[]) >= 1.0);
    world.end().await;
}

async fn registrations_are_counted_by_address(topology: Topology) {
    let world = World::with(topology, Settings::default().limit("register_address", 5)).await;
    let register = async |rest: &Rest, handle: &str| {
        let body = json!({ "handle": handle, "name": "x", "password": harness::people::PASSWORD });
        rest.command("auth.register", None, None, body).await
    };
    for n in 0..5 {
        let made = register(&world.rest(), &format!("user{n}")).await;
        assert_eq!(made.status, 200, "{made}");
    }
    let sixth = register(&world.rest(), "user6").await;
    assert_eq!(sixth.refused(), ErrorCode::RateLimited);
    let elsewhere = world.rest().from_address("127.8.8.8".parse().unwrap());
    let made = register(&elsewhere, "user7").await;
    assert_eq!(made.status, 200, "{made}");
    world.end().await;
}

async fn a_forwarded_address_counts_only_from_a_configured_proxy(topology: Topology) {
    let settings = Settings::default().set("proxy.trusted", r#"["127.7.7.0/24"]"#);
    let world = World::with(topology, settings).await;
    let ann = world.person("ann").await;
    let login = async |rest: &Rest| {
        let body = json!({ "handle": "ann", "password": harness::people::PASSWORD });
        let request = rest.command_request("auth.login", None, None, body);
        let forwarded = request.header("X-Forwarded-For", "198.51.100.1, 203.0.113.7");
        let grant: protocol::accounts::Grant = send(forwarded).await.data();
        let listed: protocol::accounts::Sessions = ann.call("sessions.list", None, json!({})).await.data();
        let session = listed.sessions.into_iter().find(|session| session.id == grant.session);
        session.unwrap().address.unwrap()
    };
    assert_eq!(login(&world.rest()).await, "127.0.0.1", "anyone can write a header");
    let proxy = world.rest().from_address("127.7.7.1".parse().unwrap());
    assert_eq!(login(&proxy).await, "203.0.113.7", "the hop that the proxy saw");
    world.end().await;
}

async fn operators_routes_are_not_there_through_a_proxy(topology: Topology) {
    let world = World::start(topology).await;
    for service in ServiceName::ALL {
        let rest = Rest::to(world.address(service));
        for path in ["/metrics", "/healthz", "/readyz"] {
            assert_eq!(rest.get(path).await.status, 200, "{} {path}", service.as_str());
            let request = rest.request("GET", path).header("X-Forwarded-For", "203.0.113.7");
            assert_eq!(send(request).await.status, 404, "{} {path}", service.as_str());
        }
    }
    world.end().await;
}
