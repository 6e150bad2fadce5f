//! The whole of `docker-compose.production.yml` on this machine, and people who use it through its proxy.

use std::net::{IpAddr, Ipv4Addr};

use harness::people::PASSWORD;
use harness::{Person, Phone, Rest, Witness, wait};
use protocol::accounts::{Session, Sessions};
use rig::free_port;
use serde_json::json;
use tokio::process::Command;

use crate::engine::{Engine, five};
use crate::proxy::Proxy;

/// A client's address that is not the proxy's.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 8, 8, 8));

#[tokio::test]
async fn people_talk_through_the_proxy_to_what_the_compose_file_starts() {
    let mut engine = Engine::new();
    engine.start_redis().await;
    engine.start_services().await;
    let proxy = Proxy::start(&mut engine).await;
    let (rest, witness) = (proxy.rest().from_address(CLIENT), Witness::default());
    let ann = Person::register(&rest, proxy.secure, "ann", &witness).await;
    let bob = Person::register(&rest, proxy.secure, "bob", &witness).await.login("phone").await;
    let conversation = ann.direct(&bob).await;
    let (mut hers, mut his) = (ann.device().await, bob.device().await);
    hers.say(conversation, "hello").await;
    his.hears("hello").await;
    his.say(conversation, "hello yourself").await;
    hers.hears("hello").await;
    hers.hears("hello yourself").await;

    the_client_is_known_by_its_own_address(&bob).await;
    what_is_for_operators_does_not_exist_here(&rest).await;
    let plain = Rest::to(proxy.plain).get("/").await;
    assert!((300..400).contains(&plain.status), "{plain}");
    assert!(plain.header("location").is_some_and(|to| to.starts_with("https://")), "{plain}");
    let page = rest.get("/").await;
    assert!(page.header("strict-transport-security").is_some(), "{:?}", page.headers);

    drop((hers, his));
    what_the_runbooks_say_works(&engine).await;
    no_secret_shows(&engine);
    engine.stop("caddy").await;
    for service in five() {
        engine.stop(service.as_str()).await;
    }
    engine.stop("redis").await;
}

async fn the_client_is_known_by_its_own_address(bob: &Person) {
    let body = json!({ "handle": "bob", "password": PASSWORD, "device": "forger" });
    let login = bob.rest.command_request("auth.login", None, None, body);
    let answer = harness::rest::send(login.header("X-Forwarded-For", "198.51.100.7")).await;
    assert_eq!(answer.status, 200, "{answer}");
    let listed: Sessions = bob.call("sessions.list", None, json!({})).await.data();
    let addresses: Vec<_> = listed.sessions.into_iter().map(|session: Session| session.address).collect();
    assert_eq!(addresses, vec![Some(CLIENT.to_string()); 3]);
}

async fn what_is_for_operators_does_not_exist_here(rest: &Rest) {
    for path in ["/metrics", "/healthz", "/readyz"] {
        assert_eq!(rest.get(path).await.status, 404, "{path}");
    }
}

/// Commands inside of a container, where only its own service can be asked for more than its files.
async fn what_the_runbooks_say_works(engine: &Engine) {
    let said = engine.exec("auth-service", &["secureconnect", "users", "role", "ann", "admin"]).await;
    assert!(said.contains("ann is now admin"), "{said}");
    engine.exec("auth-service", &["secureconnect", "keys", "rotate"]).await;
    for service in five() {
        engine.exec(service.as_str(), &["secureconnect", "log", "info"]).await;
        let said = engine.exec(service.as_str(), &["secureconnect", "healthcheck"]).await;
        assert_eq!(said.trim(), format!("{}: ready", service.role()));
    }
    let said = engine.exec("chat-service", &["secureconnect", "migrate", "status"]).await;
    assert!(said.contains("applied") && !said.contains("pending"), "{said}");
}

/// Neither in a log nor on a command line.
fn no_secret_shows(engine: &Engine) {
    for secret in ["turn_secret", "redis_password"].map(|name| engine.secret(name)) {
        for (name, program) in engine.programs() {
            assert!(!program.log().contains(&secret), "a secret in the log of {name}");
            let words = std::fs::read(format!("/proc/{}/cmdline", program.pid())).unwrap();
            assert!(!String::from_utf8_lossy(&words).contains(&secret), "a secret on the command line of {name}");
        }
    }
}

#[tokio::test]
async fn redis_starts_with_the_shipped_configuration_and_lets_nobody_in_without_the_password() {
    let mut engine = Engine::new();
    let address = engine.start_redis().await;
    let (host, port) = (address.ip(), address.port());
    let stranger = ["-h", &host.to_string(), "-p", &port.to_string(), "ping"].map(str::to_owned);
    let output = Command::new("redis-cli").args(stranger).output().await.unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("NOAUTH"), "{output:?}");
    no_secret_shows(&engine);
    engine.stop("redis").await;
}

#[tokio::test]
async fn a_calls_credentials_are_good_at_coturn_which_relays_to_no_private_address() {
    let mut engine = Engine::new();
    let (host, port) = (engine.host(), free_port(engine.host()));
    let edits = [("listening-port=3478", format!("listening-port={port}\nlistening-ip={host}\nrelay-ip={host}"))];
    engine.start("coturn", &edits);
    engine.start_redis().await;
    engine.start_services().await;
    let proxy = Proxy::start(&mut engine).await;
    let (rest, witness) = (proxy.rest(), Witness::default());
    let ann = Person::register(&rest, proxy.secure, "ann", &witness).await;
    let bob = Person::register(&rest, proxy.secure, "bob", &witness).await;
    let conversation = ann.direct(&bob).await;
    let joined = Phone::of(&ann).await.call(conversation).await;
    let [server] = joined.ice.servers.as_slice() else { panic!("one server: {:?}", joined.ice) };
    assert_eq!(server.urls, ["udp", "tcp"].map(|transport| format!("turn:{host}:3478?transport={transport}")));
    let name = server.username.as_deref().unwrap();
    let password = server.credential.as_deref().unwrap();

    let said = wait::until("coturn to answer", async || {
        let said = relayed(host, port, name, password).await;
        said.contains("403").then_some(said)
    });
    // Both clients got what they asked for; what is refused is the way to each other, on this machine's own address.
    let said = said.await;
    assert!(said.contains("Received relay addr") && said.contains("Forbidden IP"), "{said}");
    let said = relayed(host, port, name, "wrong").await;
    assert!(said.contains("Cannot complete Allocation"), "{said}");
    no_secret_shows(&engine);

    // It is only that: where this machine's own addresses count as public, the same configuration relays.
    engine.kill("coturn").await;
    let own = ("denied-peer-ip=127.0.0.0-127.255.255.255", "allow-loopback-peers".to_owned());
    engine.start("coturn", &[edits[0].clone(), own]);
    wait::until("coturn to relay", async || {
        let said = relayed(host, port, name, password).await;
        said.contains("Total lost packets 0 (0.000000%)").then_some(())
    })
    .await;
}

/// Two clients of the server that want to send to each other; answers what coturn's own client says of it.
async fn relayed(host: Ipv4Addr, port: u16, name: &str, password: &str) -> String {
    let (port, host) = (port.to_string(), host.to_string());
    let words = ["-v", "-y", "-c", "-m", "1", "-n", "1", "-u", name, "-w", password, "-p", &port, &host];
    let output =
        wait::within("coturn's client", Command::new("turnutils_uclient").args(words).kill_on_drop(true).output());
    let output = output.await.unwrap_or_else(|error| panic!("turnutils_uclient: {error}; run scripts/setup"));
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
