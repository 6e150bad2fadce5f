//! Whose word on the client's address counts (GW10): that of configured proxies, and of nobody else.

use std::net::{IpAddr, Ipv4Addr};

use harness::audit::Audit;
use harness::people::PASSWORD;
use harness::raw::{exchange, post};
use harness::rest::send;
use harness::socket::Opening;
use harness::world::Settings;
use harness::{Person, Rest, Topology, World, on_every_topology};
use protocol::ErrorCode;
use protocol::ServiceName::{Auth, Chat, Gateway};
use protocol::accounts::{Grant, Session, Sessions};
use serde_json::{Value, json};

on_every_topology![
    a_proxys_forwarding_header_names_the_client,
    a_strangers_forwarding_header_is_a_claim_like_any_other,
    limits_count_the_client_and_not_its_proxy,
    a_proxys_proxy_header_names_the_client_of_requests_and_sockets,
    a_proxy_header_that_is_missing_or_broken_ends_the_connection_without_an_answer,
    a_stranger_who_speaks_the_proxy_protocol_is_not_understood,
];

const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 9, 9, 9));
const STRANGER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 8, 8, 8));

fn behind_a_proxy() -> Settings {
    Settings::default().set("proxy.trusted", format!(r#"["{PROXY}/32"]"#))
}

fn speaking_the_proxy_protocol() -> Settings {
    behind_a_proxy().set("proxy.protocol", true)
}

/// Logs in under what a forwarding header says.
async fn login(rest: &Rest, forwarded_for: &str) -> Result<(), ErrorCode> {
    let body = json!({ "handle": "ann", "password": PASSWORD, "device": forwarded_for });
    let request = rest.command_request("auth.login", None, None, body);
    let answer = send(request.header("X-Forwarded-For", forwarded_for)).await;
    if answer.status == 200 { Ok(()) } else { Err(answer.refused()) }
}

/// The address of the session that was begun under this name.
async fn address_of(person: &Person, device: &str) -> String {
    let listed: Sessions = person.call("sessions.list", None, json!({})).await.data();
    let found = listed.sessions.into_iter().find(|session: &Session| session.device.as_deref() == Some(device));
    found.and_then(|session| session.address).unwrap_or_else(|| panic!("no session {device}"))
}

fn address_in_audit(world: &World) -> Option<String> {
    Audit::read(world, Auth).with_action("login")?.client_ip.clone()
}

async fn a_proxys_forwarding_header_names_the_client(topology: Topology) {
    let world = World::with(topology, behind_a_proxy()).await;
    let ann = world.person("ann").await;
    let proxy = world.rest().from_address(PROXY);
    let named = [
        ("198.51.100.7", "198.51.100.7"),
        // What stands to the left the client wrote itself.
        ("6.6.6.6, 198.51.100.8", "198.51.100.8"),
        ("6.6.6.6, 198.51.100.9, 127.9.9.9", "198.51.100.9"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        // Beyond what can't be read nothing is believed.
        ("198.51.100.7, unknown", "127.9.9.9"),
        ("198.51.100.999", "127.9.9.9"),
    ];
    for (header, expected) in named {
        login(&proxy, header).await.unwrap();
        assert_eq!(address_of(&ann, header).await, expected, "{header}");
        assert_eq!(address_in_audit(&world).as_deref(), Some(expected), "{header}");
    }
    world.end().await;
}

async fn a_strangers_forwarding_header_is_a_claim_like_any_other(topology: Topology) {
    let world = World::with(topology, behind_a_proxy()).await;
    let ann = world.person("ann").await;
    let stranger = world.rest().from_address(STRANGER);
    for claim in ["198.51.100.7", "127.9.9.9", "127.0.0.1"] {
        login(&stranger, claim).await.unwrap();
        assert_eq!(address_of(&ann, claim).await, STRANGER.to_string());
        assert_eq!(address_in_audit(&world), Some(STRANGER.to_string()));
    }
    world.end().await;
}

async fn limits_count_the_client_and_not_its_proxy(topology: Topology) {
    let world = World::with(topology, behind_a_proxy().limit("login_address", 3)).await;
    world.person("ann").await;
    let (proxy, stranger) = (world.rest().from_address(PROXY), world.rest().from_address(STRANGER));
    for _ in 0..3 {
        login(&proxy, "198.51.100.7").await.unwrap();
    }
    assert_eq!(login(&proxy, "198.51.100.7").await.unwrap_err(), ErrorCode::RateLimited);
    assert_eq!(login(&proxy, "6.6.6.6, 198.51.100.7").await.unwrap_err(), ErrorCode::RateLimited);
    login(&proxy, "198.51.100.8").await.unwrap();
    for claim in ["203.0.113.1", "203.0.113.2", "203.0.113.3"] {
        login(&stranger, claim).await.unwrap();
    }
    assert_eq!(login(&stranger, "203.0.113.4").await.unwrap_err(), ErrorCode::RateLimited);
}

/// A header of version 1.
fn version_1(client: &str) -> Vec<u8> {
    format!("PROXY TCP4 {client} 10.0.0.1 4711 443\r\n").into_bytes()
}

/// A header of version 2 with an extension that nobody knows.
fn version_2(client: Ipv4Addr) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x10".to_vec();
    header.extend(client.octets());
    header.extend([10, 0, 0, 1, 0x12, 0x67, 1, 187]);
    header.extend([0xe0, 0, 1, 9]);
    header
}

/// A login, and everything before it on the connection.
fn login_after(header: &[u8], device: &str) -> Vec<u8> {
    let body = json!({ "handle": "ann", "password": PASSWORD, "device": device });
    [header, &post("/v1/auth/login", &body)].concat()
}

async fn a_proxys_proxy_header_names_the_client_of_requests_and_sockets(topology: Topology) {
    let world = World::with(topology, speaking_the_proxy_protocol()).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let headers = [
        ("198.51.100.7", version_1("198.51.100.7")),
        ("198.51.100.8", version_2(Ipv4Addr::new(198, 51, 100, 8))),
        // In a health check of its own the proxy speaks for itself.
        ("127.9.9.9", b"PROXY UNKNOWN\r\n".to_vec()),
    ];
    for (client, header) in headers {
        let group = ann.group(client, &[&bob]).await;
        let answer = exchange(PROXY, world.gateway(), &login_after(&header, client)).await;
        let grant: Grant = answer.data();
        assert_eq!(grant.user.id, ann.id);
        assert_eq!(address_of(&ann, client).await, client);
        assert_eq!(address_in_audit(&world).as_deref(), Some(client));

        let opening = Opening { source: Some(PROXY), preface: header, ..Opening::default() };
        let mut device = ann.device_by(opening).await;
        device.done(group, "members.kick", json!({ "user": bob.id })).await;
        let kick = Audit::read(&world, Chat).with_action("kick").cloned().unwrap();
        assert_eq!(kick.client_ip.as_deref(), Some(client));
    }
    world.end().await;
}

async fn a_proxy_header_that_is_missing_or_broken_ends_the_connection_without_an_answer(topology: Topology) {
    let world = World::with(topology, speaking_the_proxy_protocol()).await;
    let ann = world.person("ann").await;
    let mut foreign_family = version_2(Ipv4Addr::LOCALHOST);
    foreign_family[13] = 0x41;
    let mut cut_short = version_2(Ipv4Addr::LOCALHOST);
    cut_short[15] = 3;
    let mut endless = version_2(Ipv4Addr::LOCALHOST);
    endless[14] = 0xff;
    let broken = [
        Vec::new(),
        b"PROXY TCP4 198.51.100.7 10.0.0.1 4711\r\n".to_vec(),
        b"PROXY TCP4 198.51.100.999 10.0.0.1 4711 443\r\n".to_vec(),
        b"PROXY TCP6 198.51.100.7 10.0.0.1 4711 443\r\n".to_vec(),
        b"proxy TCP4 198.51.100.7 10.0.0.1 4711 443\r\n".to_vec(),
        [b"PROXY ".to_vec(), vec![b'1'; 200], b"\r\n".to_vec()].concat(),
        foreign_family,
        cut_short,
        endless,
    ];
    let refused = async || {
        let metrics = world.metrics(Gateway).await;
        metrics.sum("http_connections_refused_total", &[("reason", "proxy_header")])
    };
    let before = refused().await;
    for header in &broken {
        let answer = exchange(PROXY, world.gateway(), &login_after(header, "smuggled")).await;
        assert_eq!(answer.0, "", "{}", String::from_utf8_lossy(header));
    }
    assert_eq!(refused().await - before, broken.len() as f64);
    let listed: Sessions = ann.call("sessions.list", None, json!({})).await.data();
    assert_eq!(listed.sessions.len(), 1, "nothing behind such a header is done");
    world.end().await;
}

async fn a_stranger_who_speaks_the_proxy_protocol_is_not_understood(topology: Topology) {
    let world = World::with(topology, speaking_the_proxy_protocol()).await;
    let ann = world.person("ann").await;
    for header in [version_1("198.51.100.7"), version_2(Ipv4Addr::new(198, 51, 100, 7))] {
        let answer = exchange(STRANGER, world.gateway(), &login_after(&header, "claimed")).await;
        assert!(answer.status().is_none_or(|status| status == 400), "{answer:?}");
    }
    let listed: Sessions = ann.call("sessions.list", None, json!({})).await.data();
    assert_eq!(listed.sessions.len(), 1);
    let plain = exchange(STRANGER, world.gateway(), &login_after(b"", "plain")).await;
    assert_eq!(plain.status(), Some(200));
    assert_eq!(address_of(&ann, "plain").await, STRANGER.to_string());
    let _: Value = ann.call("me.get", None, json!({})).await.data();
    world.end().await;
}
