//! The gateway's own TLS: what answers carry, a certificate that is renewed, and the one for development.

use harness::people::PASSWORD;
use harness::raw::connect_from;
use harness::rest::send;
use harness::socket::Opening;
use harness::tls::{Certificate, Trust};
use harness::world::Settings;
use harness::{Socket, Topology, World, on_every_topology, wait};
use protocol::ServiceName;
use serde_json::{Value, json};
use tempfile::TempDir;

on_every_topology![
    every_answer_over_tls_tells_browsers_to_stay_there,
    a_renewed_certificate_is_shown_to_new_clients_and_live_sockets_stay,
    a_renewal_that_can_not_be_used_changes_nothing,
    the_development_certificate_serves_the_page_and_the_socket_and_survives_a_restart,
];

/// A world whose gateway shows a certificate that is made for it in `folder`.
async fn encrypted(topology: Topology, folder: &TempDir) -> (World, Certificate) {
    let mut world = World::prepare(topology, Settings::default());
    let made = Certificate::make(folder.path(), world.host().into());
    let settings = world.settings().clone();
    *world.settings() = settings
        .set("tls.cert", made.cert.display())
        .set("tls.key", made.key.display())
        .clients_trust(made.cert.clone());
    world.start_all().await;
    (world, made)
}

/// Whether the gateway shows the certificate that is trusted.
async fn is_shown(world: &World, trust: &Trust) -> bool {
    let stream = connect_from(world.host().into(), world.gateway()).await;
    trust.handshake(stream, world.host().into()).await.is_ok()
}

async fn every_answer_over_tls_tells_browsers_to_stay_there(topology: Topology) {
    let folder = TempDir::new().unwrap();
    let (world, _) = encrypted(topology, &folder).await;
    for path in ["/", "/v1/me", "/v1/nothing", "/.well-known/jwks.json"] {
        let answer = world.rest().get(path).await;
        let header = |name| answer.header(name).unwrap_or_else(|| panic!("{path}: no {name}"));
        assert_eq!(header("strict-transport-security"), "max-age=31536000");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert!(!header("permissions-policy").is_empty());
        assert!(!header("content-security-policy").contains("unsafe-inline"));
    }
    // A page that came without TLS is not the server's own, whatever its host.
    let body = json!({ "handle": "ann", "name": "Ann", "password": PASSWORD });
    let register = || world.rest().command_request("auth.register", None, None, body.clone());
    let plain = world.rest().origin().replace("https://", "http://");
    assert_eq!(send(register().header("Origin", plain)).await.status, 403);
    assert_eq!(send(register().header("Origin", world.rest().origin())).await.status, 200);
    world.end().await;
}

async fn a_renewed_certificate_is_shown_to_new_clients_and_live_sockets_stay(topology: Topology) {
    let folder = TempDir::new().unwrap();
    let (world, made) = encrypted(topology, &folder).await;
    let [mut ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let mut device = bob.device().await;
    let old = Trust::in_file(&made.cert);
    assert!(is_shown(&world, &old).await);

    let renewed = Certificate::make(folder.path(), world.host().into());
    let new = Trust::in_file(&renewed.cert);
    wait::until("the new certificate to be shown", async || is_shown(&world, &new).await.then_some(())).await;
    assert!(!is_shown(&world, &old).await);
    ann.rest = world.rest();
    ann.say(conversation, "after the renewal").await;
    device.hears("after the renewal").await;
    device.socket.command("me.get", None, &json!({})).await.unwrap();
    let opening = Opening { trust: Some(new), ..Opening::default() };
    let mut fresh = Socket::open(world.gateway(), opening).await.expect("an upgrade");
    fresh.hello(&ann.access).await;
    world.end().await;
}

async fn a_renewal_that_can_not_be_used_changes_nothing(topology: Topology) {
    let folder = TempDir::new().unwrap();
    let (world, made) = encrypted(topology, &folder).await;
    let old = Trust::in_file(&made.cert);
    let key = std::fs::read(&made.key).unwrap();
    std::fs::write(&made.key, "half a key").unwrap();
    wait::until("the broken pair to be reported", async || {
        world.log(topology.gateway_part()).contains("the new certificate is not used").then_some(())
    })
    .await;
    assert!(is_shown(&world, &old).await);
    std::fs::write(&made.key, key).unwrap();
    assert!(is_shown(&world, &old).await);
}

async fn the_development_certificate_serves_the_page_and_the_socket_and_survives_a_restart(topology: Topology) {
    if topology.has_machines() {
        // Each would make one of its own: what is made for a phone in the same network is made by one server.
        return;
    }
    let mut world = World::prepare(topology, Settings::default());
    // As `make run LAN=1`; the configured address takes the place of the network's.
    let made = world.role_dir(ServiceName::Gateway).join("dev-cert.pem");
    *world.settings() = world.settings().clone().argument("--lan").clients_trust(made.clone());
    world.start_all().await;
    assert!(!world.host().is_unspecified() && world.host() != std::net::Ipv4Addr::LOCALHOST);
    let page = world.rest().get("/").await;
    assert_eq!(page.status, 200, "{page}");
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    assert!(page.header("strict-transport-security").is_some());
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let mut device = bob.device().await;
    ann.say(conversation, "hello, phone").await;
    device.hears("hello, phone").await;
    drop(device);

    let before = std::fs::read(&made).unwrap();
    let part = topology.gateway_part();
    assert_eq!(world.terminate(part).await.code(), Some(0));
    world.restart(part).await;
    assert!(std::fs::read(&made).unwrap() == before, "the phone is not asked again");
    let mut device = bob.device().await;
    ann.say(conversation, "hello again").await;
    device.hears("hello again").await;
    let _: Value = bob.done(conversation, "conversations.get", json!({})).await;
    assert!(world.log(topology.chat_part()).contains("listening"));
    world.end().await;
}
