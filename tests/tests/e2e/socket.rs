//! How a socket begins, what it may say, and how it ends.

use harness::socket::Opening;
use harness::{Socket, Topology, World, on_every_topology};
use protocol::frames::{EVENT_LIVE, SUBPROTOCOL_BEARER, SUBPROTOCOL_JSON};
use protocol::{CloseCode, ErrorCode};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

on_every_topology![
    a_token_comes_in_the_header_the_subprotocol_or_the_hello,
    a_token_in_the_address_is_no_token,
    a_bad_token_is_refused_for_good,
    nothing_but_hello_comes_first,
    a_socket_that_says_nothing_is_closed,
    what_is_no_frame_ends_the_socket,
    a_frame_over_the_limit_ends_the_socket,
    a_beat_is_answered,
    an_unknown_command_is_refused_and_the_socket_stays,
    frames_are_counted,
    only_commands_of_the_socket_are_taken_there,
];

async fn a_token_comes_in_the_header_the_subprotocol_or_the_hello(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let header = Opening { headers: vec![("authorization", format!("Bearer {}", ann.access))], ..Opening::default() };
    let subprotocol = Opening {
        subprotocols: vec![SUBPROTOCOL_JSON.to_owned(), format!("{SUBPROTOCOL_BEARER}{}", ann.access)],
        ..Opening::default()
    };
    for opening in [header, subprotocol] {
        let mut socket = Socket::open(world.gateway(), opening).await.expect("an upgrade");
        let welcome = socket.command("hello", None, &json!({})).await.unwrap();
        assert_eq!(welcome["user"], ann.id.to_string());
    }
    let (_, welcome) = Socket::live(world.gateway(), Opening::default(), &ann.access, None).await;
    assert_eq!((welcome.user, welcome.session), (ann.id, ann.session));
    assert_eq!(welcome.heartbeat_ms, protocol::limits::HEARTBEAT_MS);
    assert!(!welcome.resumed);
    world.end().await;
}

async fn a_token_in_the_address_is_no_token(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let query = format!("?token={0}&access_token={0}", ann.access);
    let opening = Opening { query, ..Opening::default() };
    if let Ok(mut socket) = Socket::open(world.gateway(), opening).await {
        socket.start("hello", None, &json!({})).await;
        assert_eq!(socket.closed().await.code, CloseCode::Unauthenticated.number());
    }
    assert!(!world.log(topology.gateway_part()).contains(&ann.access));
    world.end().await;
}

async fn a_bad_token_is_refused_for_good(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let (signed, signature) = ann.access.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", signature.chars().rev().collect::<String>());
    for token in ["", "nonsense", &forged] {
        let mut socket = Socket::open(world.gateway(), Opening::default()).await.expect("an upgrade");
        socket.start("hello", None, &json!({ "token": token })).await;
        assert_eq!(socket.closed().await.code, CloseCode::Unauthenticated.number(), "{token}");
    }
    world.end().await;
}

async fn nothing_but_hello_comes_first(topology: Topology) {
    let world = World::start(topology).await;
    let mut socket = Socket::open(world.gateway(), Opening::default()).await.expect("an upgrade");
    socket.start("me.get", None, &json!({})).await;
    let closed = socket.closed().await.code;
    let allowed = [CloseCode::ProtocolViolation, CloseCode::Unauthenticated];
    assert!(allowed.iter().any(|code| code.number() == closed), "{closed}");
    world.end().await;
}

async fn a_socket_that_says_nothing_is_closed(topology: Topology) {
    let world = World::start(topology).await;
    let mut socket = Socket::open(world.gateway(), Opening::default()).await.expect("an upgrade");
    assert_eq!(socket.closed().await.code, CloseCode::HelloTimeout.number());
    world.end().await;
}

async fn what_is_no_frame_ends_the_socket(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let frames = [
        Message::text("no json"),
        Message::text("[]"),
        Message::text(r#"{"id": -1, "type": "me.get"}"#),
        Message::binary(vec![1, 2, 3]),
    ];
    for frame in frames {
        let mut socket = Socket::open(world.gateway(), Opening::default()).await.expect("an upgrade");
        socket.hello(&ann.access).await;
        socket.try_send(frame.clone()).await.unwrap();
        let closed = socket.closed().await.code;
        assert_eq!(closed, CloseCode::ProtocolViolation.number(), "{frame:?}");
    }
    world.end().await;
}

async fn a_frame_over_the_limit_ends_the_socket(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let mut device = ann.device().await;
    let text = "x".repeat(protocol::limits::FRAME_BYTES_MAX);
    let frame = json!({ "id": 9, "type": "me.get", "body": { "text": text } });
    device.socket.send_text(frame.to_string()).await;
    assert_eq!(device.socket.closed().await.code, CloseCode::FrameTooLarge.number());
    world.end().await;
}

async fn a_beat_is_answered(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let mut device = ann.device().await;
    device.socket.send_text(json!({ "type": "ping" }).to_string()).await;
    loop {
        match device.socket.next().await {
            harness::Incoming::Pong => break,
            harness::Incoming::Closed(closed) => panic!("{closed:?}"),
            _ => {}
        }
    }
    world.end().await;
}

async fn an_unknown_command_is_refused_and_the_socket_stays(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let mut device = ann.device().await;
    let error = device.socket.command("messages.frobnicate", None, &json!({})).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::UnknownCommand);
    device.socket.command("me.get", None, &json!({})).await.unwrap();
    world.end().await;
}

async fn frames_are_counted(topology: Topology) {
    let settings = harness::world::Settings::default().limit("socket_frames", 10);
    let world = World::with(topology, settings).await;
    let ann = world.person("ann").await;
    let mut socket = Socket::open(world.gateway(), Opening::default()).await.expect("an upgrade");
    socket.hello(&ann.access).await;
    socket.sync(Vec::new()).await;
    socket.event(EVENT_LIVE).await;
    for _ in 0..2_000 {
        let ping = Message::text(json!({ "type": "ping" }).to_string());
        if socket.try_send(ping).await.is_err() {
            break;
        }
    }
    assert_eq!(socket.closed().await.code, CloseCode::RateLimited.number());
    world.end().await;
}

async fn only_commands_of_the_socket_are_taken_there(topology: Topology) {
    let world = World::start(topology).await;
    let ann = world.person("ann").await;
    let mut device = ann.device().await;
    for command in protocol::commands::COMMANDS.iter().filter(|command| !command.socket) {
        let error = device.socket.command(command.name, None, &json!({})).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::UnknownCommand, "{}", command.name);
    }
    world.end().await;
}
