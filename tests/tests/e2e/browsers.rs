//! What protects a browser: the refresh token out of reach of scripts, origins, headers.

use harness::people::PASSWORD;
use harness::rest::send;
use harness::socket::Opening;
use harness::world::Settings;
use harness::{Answer, Socket, Topology, World, on_every_topology};
use protocol::ErrorCode;
use protocol::accounts::Grant;
use serde_json::json;

on_every_topology![
    a_browser_keeps_its_refresh_token_where_no_script_can_read_it,
    a_page_of_another_origin_can_neither_change_nor_connect,
    an_origin_on_the_list_is_answered_by_name,
    every_answer_carries_the_security_headers,
];

/// The cookie of an answer: name and value, then its attributes.
fn cookie(answer: &Answer) -> (String, Vec<String>) {
    let text = answer.header("set-cookie").unwrap_or_else(|| panic!("no cookie: {answer}"));
    let mut parts = text.split(';').map(|part| part.trim().to_owned());
    (parts.next().unwrap(), parts.collect())
}

async fn a_browser_keeps_its_refresh_token_where_no_script_can_read_it(topology: Topology) {
    let world = World::start(topology).await;
    let rest = world.rest();
    let body = json!({ "handle": "ann", "name": "Ann", "password": PASSWORD, "cookie": true });
    let registered = rest.command("auth.register", None, None, body).await;
    let grant: Grant = registered.data();
    assert_eq!(grant.refresh_token, None);
    let (first, attributes) = cookie(&registered);
    assert!(first.starts_with("sc_refresh="), "{first}");
    for attribute in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/v1/auth"] {
        assert!(attributes.iter().any(|a| a == attribute), "{attribute} in {attributes:?}");
    }

    let refresh = async |cookie: &str, origin: &str| {
        let request = rest.request("POST", "/v1/auth/refresh").json(&json!({}));
        send(request.header("Cookie", cookie).header("Origin", origin)).await
    };
    let foreign = refresh(&first, "https://evil.example").await;
    assert_eq!(foreign.refused(), ErrorCode::OriginNotAllowed);
    let refreshed = refresh(&first, rest.origin()).await;
    assert_eq!(refreshed.data::<Grant>().session, grant.session);
    let (second, _) = cookie(&refreshed);
    assert_ne!(first, second);

    let request = rest.request("POST", "/v1/auth/logout").json(&json!({}));
    let logout = send(request.header("Cookie", &second).header("Origin", rest.origin())).await;
    let (_, attributes) = cookie(&logout);
    assert!(attributes.iter().any(|a| a == "Max-Age=0"), "{attributes:?}");
    assert_eq!(refresh(&second, rest.origin()).await.refused(), ErrorCode::RefreshTokenInvalid);
    world.end().await;
}

async fn a_page_of_another_origin_can_neither_change_nor_connect(topology: Topology) {
    let mut world = World::start(topology).await;
    world.clients_use(topology.gateway_part());
    let ann = world.person("ann").await;
    let request = ann.rest.command_request("me.update", Some(&ann.access), None, json!({"name": "x"}));
    let refused = send(request.header("Origin", "https://evil.example")).await;
    assert_eq!(refused.refused(), ErrorCode::OriginNotAllowed);
    assert_eq!(refused.header("access-control-allow-origin"), None);

    let from = |origin: &str| Opening { headers: vec![("origin", origin.to_owned())], ..Opening::default() };
    let foreign = Socket::open(world.gateway(), from("https://evil.example")).await;
    assert_eq!(foreign.err().expect("no upgrade").status(), 403);
    let own = Socket::open(world.gateway(), from(ann.rest.origin())).await;
    own.expect("an upgrade").hello(&ann.access).await;
    world.end().await;
}

async fn an_origin_on_the_list_is_answered_by_name(topology: Topology) {
    let settings = Settings::default().set("gateway.allowed_origins", r#"["https://app.example"]"#);
    let world = World::with(topology, settings).await;
    let rest = world.rest();
    let preflight = rest
        .request("OPTIONS", "/v1/conversations")
        .header("Origin", "https://app.example")
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "authorization,content-type,idempotency-key");
    let answer = send(preflight).await;
    assert!((200..300).contains(&answer.status), "{answer}");
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"));
    let methods = answer.header("access-control-allow-methods").unwrap();
    assert!(methods.contains("POST"), "{methods}");
    world.end().await;
}

async fn every_answer_carries_the_security_headers(topology: Topology) {
    let world = World::start(topology).await;
    for path in ["/", "/v1/me", "/v1/nothing"] {
        let answer = world.rest().get(path).await;
        let header = |name| answer.header(name).unwrap_or_else(|| panic!("{path}: no {name}"));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("referrer-policy"), "no-referrer");
        let policy = header("content-security-policy");
        assert!(policy.contains("default-src 'self'") || policy.contains("default-src 'none'"));
        assert!(!policy.contains("unsafe-inline"), "{policy}");
    }
    world.end().await;
}
