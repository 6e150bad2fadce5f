//! Who is in a call gets credentials for the TURN server, which takes them; nobody else gets any.

use harness::calls::audio;
use harness::{Phone, Topology, World, on_every_topology, wait};
use protocol::ErrorCode;
use protocol::calls::{Ice, Joined, StartCall};
use serde_json::json;
use tokio::process::Command;

use super::{Pair, epoch, group};

on_every_topology![credentials_go_to_who_is_in_and_to_nobody_else, the_credentials_of_a_call_relay,];

fn credentials(ice: &Ice) -> (&str, &str) {
    let [server] = ice.servers.as_slice() else { panic!("one server: {ice:?}") };
    assert!(!server.urls.is_empty() && server.urls.iter().all(|url| url.starts_with("turn")), "{ice:?}");
    (server.username.as_deref().expect("a name"), server.credential.as_deref().expect("a password"))
}

async fn credentials_go_to_who_is_in_and_to_nobody_else(topology: Topology) {
    let world = World::start(topology).await;
    let (conversation, people, [mut a, mut b, mut c]) = group(&world, ["ann", "bob", "carl"]).await;
    let start = StartCall { waiting_room: true, ..audio() };
    let started: Joined = a.start(conversation, &start).await.unwrap();
    let (call, own) = (started.call.id, epoch(&started));
    let (name, _) = credentials(&started.ice);
    assert!(name.ends_with(&format!("{}.{call}.{own}", people[0].id)), "it names the leg: {name}");
    assert!(started.ice.expires_at.is_some_and(|until| until > started.call.created_at));

    // Who rings, and who waits.
    b.rings().await;
    assert_eq!(b.refused(call, "call.ice", json!({ "epoch": own })).await, ErrorCode::NotInCall);
    c.done(call, "call.decline", json!({})).await;
    let waiting = c.join(call).await;
    assert_eq!((waiting.epoch, &waiting.ice), (None, &Ice::default()));
    assert_eq!(c.refused(call, "call.ice", json!({ "epoch": own })).await, ErrorCode::NotInCall);

    // Once in: of one's own leg, and no longer than that lasts.
    let joined = b.join(call).await;
    let (theirs, _) = credentials(&joined.ice);
    assert_ne!(theirs, name);
    let fresh: Ice = b.ask("call.ice", &call.to_string(), &json!({ "epoch": epoch(&joined) })).await.unwrap();
    credentials(&fresh);
    b.leave(call, epoch(&joined)).await;
    assert!(b.on(call, "call.ice", json!({ "epoch": epoch(&joined) })).await.is_err());
    assert!(b.get(call).await.participant(people[1].id).unwrap().epoch.is_none());
    world.end().await;
}

async fn the_credentials_of_a_call_relay(topology: Topology) {
    let world = World::start(topology).await;
    let mut pair = Pair::of(&world).await;
    let started = pair.a.call(pair.conversation).await;
    let (name, password) = credentials(&started.ice);
    let url =
        started.ice.servers[0].urls.iter().find(|url| url.ends_with("udp")).unwrap_or(&started.ice.servers[0].urls[0]);
    let address = url.strip_prefix("turn:").and_then(|rest| rest.split('?').next()).expect("turn:host:port");
    let (host, port) = address.rsplit_once(':').expect("a port");
    let mut command = Command::new("turnutils_uclient");
    // Two clients of the server send ten messages to each other; coturn judges.
    command.args(["-y", "-c", "-m", "2", "-n", "10", "-l", "171", "-z", "5", "-u", name, "-w", password]);
    command.args(["-p", port, host]);
    let output = wait::within("the relay", command.kill_on_drop(true).output()).await.expect("turnutils_uclient");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("tot_recv_msgs=20\n"), "{said}");
    let mut other = Phone::of(&pair.bob).await;
    other.rings().await;
    world.end().await;
}
