//! One request is found by its names, `request_id` and `trace_id`, in the log of every process that it crosses.

use harness::calls::audio;
use harness::rest::send;
use harness::world::Settings;
use harness::{Topology, World, on_every_topology};
use protocol::ServiceName::{self, Auth, Chat, Gateway, Signaling};
use serde_json::{Value, json};
use uuid::Uuid;

on_every_topology![
    a_request_is_found_in_every_process_that_it_crosses,
    a_command_of_a_socket_goes_on_with_the_trace_that_its_frame_names,
];

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn traceparent() -> String {
    format!("00-{TRACE}-00f067aa0ba902b7-01")
}

/// Every command leaves a line.
async fn talkative(topology: Topology) -> World {
    World::with(topology, Settings::default().set("log.filter", "info,command=debug")).await
}

/// What a service has logged under a name.
fn lines(world: &World, service: ServiceName, name: &str, value: &str) -> Vec<Value> {
    let log = world.logs_of(service);
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["service"] == service.as_str() && line[name] == value).collect()
}

async fn a_request_is_found_in_every_process_that_it_crosses(topology: Topology) {
    let world = talkative(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let id = Uuid::now_v7().to_string();
    let body = json!({ "kind": "direct", "members": [bob.id] });
    let request = ann.rest.command_request("conversations.create", Some(&ann.access), None, body);
    let answer = send(request.header("X-Request-ID", &id).header("traceparent", traceparent())).await;
    assert!((200..300).contains(&answer.status), "{answer}");
    // Chat asks auth whether bob exists.
    for (service, command, user) in [
        (Gateway, "conversations.create", Some(ann.id)),
        (Chat, "conversations.create", Some(ann.id)),
        (Auth, "users.find", None),
    ] {
        let lines = lines(&world, service, "request_id", &id);
        assert!(lines.iter().all(|line| line["trace_id"] == TRACE), "{service:?}: {lines:?}");
        let line = lines.iter().find(|line| line["command"] == command);
        let line = line.unwrap_or_else(|| panic!("{service:?}: {lines:?}"));
        assert!(user.is_none_or(|user| line["user_id"] == user.to_string()), "{service:?}: {line}");
    }
    assert_eq!(lines(&world, Signaling, "request_id", &id), Vec::<Value>::new());
    world.end().await;
}

async fn a_command_of_a_socket_goes_on_with_the_trace_that_its_frame_names(topology: Topology) {
    let world = talkative(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let mut device = ann.device().await;
    let frame = |id: u64, traceparent: &str| json!({ "id": id, "type": "call.start", "to": conversation, "traceparent": traceparent, "body": audio() });
    // One that is not well-formed is no reason to refuse the command.
    for (id, traceparent) in [(901, traceparent()), (902, "evil\r\n".to_owned())] {
        device.socket.send_text(frame(id, &traceparent).to_string()).await;
        device.socket.reply(id).await.unwrap();
    }
    // Signaling asks chat whom to call.
    let mut names = Vec::new();
    for (service, command) in [(Gateway, "call.start"), (Signaling, "call.start"), (Chat, "calls.audience")] {
        let lines = lines(&world, service, "trace_id", TRACE);
        let found = lines.iter().find(|line| line["command"] == command);
        names.push(found.unwrap_or_else(|| panic!("{service:?}: {lines:?}"))["request_id"].clone());
        assert!(lines.iter().all(|line| line["request_id"] == names[0]), "{service:?}: {lines:?}");
    }
    let others = lines(&world, Gateway, "command", "call.start");
    assert!(others.iter().any(|line| line["trace_id"] != TRACE), "{others:?}");
    world.end().await;
}
