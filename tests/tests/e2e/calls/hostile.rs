//! What a hostile device sends is refused by code, and nothing else happens: the register stays at its version, nobody hears of it.

use harness::calls::{SDP, audio, candidate, description};
use harness::world::Settings;
use harness::{Phone, Topology, World, on_every_topology};
use protocol::calls::{CALL_SIGNAL, Candidate, Description, DescriptionType, LegRef, SendSignal};
use protocol::limits::{CANDIDATE_BYTES_MAX, CANDIDATES_PER_SIGNAL_MAX, SDP_BYTES_MAX};
use protocol::{CallId, CloseCode, ErrorCode, UserId};
use serde_json::{Value, json};

use super::{Pair, Talk, epoch};

on_every_topology![
    a_signal_that_is_too_much_or_no_signal_is_refused,
    bodies_that_are_none_are_refused,
    epochs_of_others_and_of_before_are_refused,
    calls_that_one_is_not_in_take_nothing,
    floods_are_held_back_and_leave_no_gap,
];

/// That nothing has happened: the version is the same, and the other leg has heard nothing.
async fn nothing_happened(pair: &mut Pair, talk: Talk, version: u64) {
    assert_eq!(pair.a.get(talk.call).await.version, version);
    let last = SendSignal { candidates: vec![candidate(9)], ..signal(talk.b, pair.ann.id, talk.a) };
    pair.b.signal(talk.call, &last).await.unwrap();
    let heard = pair.a.hears(talk.call, talk.a).await;
    assert_eq!(heard.candidates, [candidate(9)], "the only one that came through");
}

fn signal(epoch: u64, user: UserId, to: u64) -> SendSignal {
    SendSignal { epoch, to: LegRef { user, epoch: to }, description: None, candidates: Vec::new() }
}

async fn a_signal_that_is_too_much_or_no_signal_is_refused(topology: Topology) {
    use ErrorCode::{InvalidRequest, PayloadTooLarge};
    let world = World::start(topology).await;
    let mut pair = Pair::of(&world).await;
    let talk = pair.talk().await;
    let version = pair.a.get(talk.call).await.version;
    let plain = signal(talk.b, pair.ann.id, talk.a);
    let described = |sdp: String| SendSignal {
        description: Some(Description { kind: DescriptionType::Offer, sdp }),
        ..plain.clone()
    };
    let with = |candidates: Vec<Candidate>| SendSignal { candidates, ..plain.clone() };
    let odd = |text: &str| with(vec![Candidate { candidate: text.to_owned(), ..candidate(1) }]);
    let line = format!("a={}\r\n", "x".repeat(1_000));
    let long = SDP.to_owned() + &line.repeat(SDP_BYTES_MAX / line.len() + 1);
    let media = SDP.to_owned() + &"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n".repeat(64);
    let cases = [
        (described(long), PayloadTooLarge),
        (described(media), InvalidRequest),
        (described(String::new()), InvalidRequest),
        (described("v=1\r\n".to_owned() + SDP), InvalidRequest),
        (described(SDP.to_owned() + "<script>alert(1)</script>\r\n"), InvalidRequest),
        (described(SDP.to_owned() + "a=\0\r\n"), InvalidRequest),
        (described(format!("{SDP}a={}\r\n", "x".repeat(3_000))), InvalidRequest),
        (with((0..=CANDIDATES_PER_SIGNAL_MAX as u16).map(candidate).collect()), PayloadTooLarge),
        (odd(&format!("{} {}", candidate(1).candidate, "x".repeat(CANDIDATE_BYTES_MAX))), PayloadTooLarge),
        (odd("candidate:"), InvalidRequest),
        (odd("javascript:alert(1)"), InvalidRequest),
        (odd("candidate:1 1 udp 1 192.0.2.1\r\n 1 typ host"), InvalidRequest),
        (plain.clone(), InvalidRequest),
    ];
    for (sent, code) in cases {
        let refused = pair.b.signal(talk.call, &sent).await;
        let words = serde_json::to_string(&sent).unwrap();
        assert_eq!(refused.unwrap_err(), code, "{}", &words[..words.len().min(300)]);
    }
    // A frame beyond all limits costs the sender its socket, and nobody else anything.
    let mut other = Phone::of(&pair.bob.login("tablet").await).await;
    let beyond = json!({ "epoch": talk.b, "candidates": "x".repeat(70_000) });
    other.socket.start("call.signal", Some(&talk.call.to_string()), &beyond).await;
    assert_eq!(other.socket.closed().await.code, CloseCode::FrameTooLarge.number());
    nothing_happened(&mut pair, talk, version).await;
    world.end().await;
}

async fn bodies_that_are_none_are_refused(topology: Topology) {
    let world = World::start(topology).await;
    let mut pair = Pair::of(&world).await;
    let talk = pair.talk().await;
    let version = pair.a.get(talk.call).await.version;
    let to = json!({ "user": pair.ann.id, "epoch": talk.a });
    let peers = vec![json!({ "user": pair.ann.id }); 17];
    let bodies = [
        ("call.join", json!({ "epoch": "1" })),
        ("call.join", json!({ "epoch": -1 })),
        ("call.join", json!({ "media": { "audio": 1 } })),
        ("call.join", json!({ "host": true })),
        ("call.leave", json!({})),
        ("call.leave", json!({ "epoch": 1e300 })),
        ("call.media", json!({ "epoch": talk.b })),
        ("call.media", json!({ "epoch": talk.b, "media": null })),
        ("call.signal", json!({ "epoch": talk.b, "to": to, "description": { "type": "rollback", "sdp": SDP } })),
        ("call.signal", json!({ "epoch": talk.b, "to": to, "description": { "type": "offer", "sdp": 1 } })),
        ("call.signal", json!({ "epoch": talk.b, "to": pair.ann.id, "candidates": [candidate(1)] })),
        ("call.signal", json!({ "epoch": talk.b, "to": to, "candidates": [{ "candidate": "", "sdpMLineIndex": -1 }] })),
        ("call.quality", json!({ "epoch": talk.b, "peers": peers })),
        ("call.quality", json!({ "epoch": talk.b, "peers": [{ "user": pair.ann.id, "jitter_ms": -1 }] })),
        ("call.remove", json!({ "user": "everyone" })),
        ("call.admit", json!(null)),
    ];
    for (command, body) in bodies {
        let refused = pair.b.refused(talk.call, command, body.clone()).await;
        assert_eq!(refused, ErrorCode::InvalidRequest, "{command} {body}");
    }
    let mut start = serde_json::to_value(audio()).unwrap();
    start["kind"] = json!("hologram");
    let refused = pair.b.socket.command("call.start", Some(&pair.conversation.to_string()), &start).await;
    assert_eq!(refused.unwrap_err().code, ErrorCode::InvalidRequest);
    for to in ["", "x", "../../etc", "00000000-0000-0000-0000-000000000000"] {
        let refused = pair.b.socket.command("call.get", Some(to), &json!({})).await.unwrap_err().code;
        assert!(matches!(refused, ErrorCode::NotFound | ErrorCode::InvalidRequest), "{to:?}: {refused:?}");
    }
    for (command, body) in
        [("calls.list", json!({ "limit": 101 })), ("calls.list", json!({ "limit": 0 })), ("calls.seen", json!({}))]
    {
        let refused = pair.b.socket.command(command, None, &body).await;
        assert_eq!(refused.unwrap_err().code, ErrorCode::InvalidRequest, "{command} {body}");
    }
    // A leg stands on a socket: REST has no way in.
    for path in ["join", "start", "signal", "ice", "ring"] {
        let request = world.rest().request("POST", &format!("/v1/calls/{}/{path}", talk.call));
        let answer = harness::rest::send(request.bearer_auth(&pair.bob.access).json(&json!({}))).await;
        assert_eq!(answer.refused(), ErrorCode::UnknownCommand, "{path}");
    }
    nothing_happened(&mut pair, talk, version).await;
    world.end().await;
}

async fn epochs_of_others_and_of_before_are_refused(topology: Topology) {
    let world = World::start(topology).await;
    let mut pair = Pair::of(&world).await;
    let before = pair.talk().await;
    let renewed = epoch(&pair.b.join(before.call).await);
    let talk = Talk { b: renewed, ..before };
    let version = pair.a.get(talk.call).await.version;
    for (stolen, code) in [
        (talk.a, ErrorCode::CallTakenOver),
        (before.b, ErrorCode::CallTakenOver),
        (talk.b + 1, ErrorCode::NotInCall),
        (u64::MAX, ErrorCode::NotInCall),
        (0, ErrorCode::NotInCall),
    ] {
        let one = SendSignal { candidates: vec![candidate(1)], ..signal(stolen, pair.ann.id, talk.a) };
        assert_eq!(pair.b.signal(talk.call, &one).await.unwrap_err(), code, "{stolen}");
        for (command, body) in [
            ("call.join", json!({ "epoch": stolen })),
            ("call.leave", json!({ "epoch": stolen })),
            ("call.media", json!({ "epoch": stolen, "media": {} })),
            ("call.ice", json!({ "epoch": stolen })),
            ("call.quality", json!({ "epoch": stolen, "peers": [] })),
        ] {
            assert_eq!(pair.b.refused(talk.call, command, body).await, code, "{command} {stolen}");
        }
    }
    for (user, to) in [(pair.ann.id, talk.a + 1), (pair.ann.id, 0), (UserId::now(), talk.a), (pair.bob.id, talk.b)] {
        let one = SendSignal { candidates: vec![candidate(1)], ..signal(talk.b, user, to) };
        assert_eq!(pair.b.signal(talk.call, &one).await.unwrap_err(), ErrorCode::NotInCall, "{user} {to}");
    }
    for command in ["call.admit", "call.mute", "call.remove"] {
        let refused = pair.b.refused(talk.call, command, json!({ "user": pair.ann.id })).await;
        assert_eq!(refused, ErrorCode::Forbidden, "{command}");
    }
    assert_eq!(pair.b.refused(talk.call, "call.end", json!({})).await, ErrorCode::Forbidden);
    nothing_happened(&mut pair, talk, version).await;
    world.end().await;
}

async fn calls_that_one_is_not_in_take_nothing(topology: Topology) {
    let world = World::start(topology).await;
    let mut pair = Pair::of(&world).await;
    let started = pair.a.call(pair.conversation).await;
    let (call, a) = (started.call.id, epoch(&started));
    let mut other = Phone::of(&pair.bob.login("tablet").await).await;
    let rings = other.rings().await;
    // Who only rings has no leg, and is none that could be spoken to.
    let one = SendSignal { description: Some(description(DescriptionType::Answer)), ..signal(a, pair.ann.id, a) };
    assert_eq!(other.signal(call, &one).await.unwrap_err(), ErrorCode::NotInCall);
    let back = SendSignal { candidates: vec![candidate(1)], ..signal(a, pair.bob.id, rings.version) };
    assert_eq!(pair.a.signal(call, &back).await.unwrap_err(), ErrorCode::NotInCall);
    assert_eq!(pair.a.get(call).await.version, rings.version);

    let b = epoch(&pair.b.join(call).await);
    pair.a.leave(call, a).await;
    let over = pair.b.get(call).await;
    let late: [(&str, Value); 9] = [
        ("call.join", json!({})),
        ("call.join", json!({ "epoch": b })),
        ("call.ring", json!({})),
        ("call.decline", json!({})),
        ("call.leave", json!({ "epoch": b })),
        ("call.media", json!({ "epoch": b, "media": {} })),
        ("call.ice", json!({ "epoch": b })),
        ("call.end", json!({})),
        ("call.admit", json!({ "user": pair.ann.id })),
    ];
    for (command, body) in late {
        assert_eq!(pair.b.refused(call, command, body).await, ErrorCode::CallOver, "{command}");
    }
    let answer = SendSignal { description: Some(description(DescriptionType::Answer)), ..signal(b, pair.ann.id, a) };
    assert_eq!(pair.b.signal(call, &answer).await.unwrap_err(), ErrorCode::CallOver);
    assert_eq!(pair.b.get(call).await, over);
    assert_eq!(pair.a.refused(CallId::now(), "call.get", json!({})).await, ErrorCode::NotFound);
    world.end().await;
}

async fn floods_are_held_back_and_leave_no_gap(topology: Topology) {
    const SENT: usize = 260;
    let settings = Settings::default().limit("call_signals", 600).limit("calls_user", 5);
    let world = World::with(topology, settings).await;
    let mut pair = Pair::of(&world).await;
    let talk = pair.talk().await;
    let to = talk.call.to_string();
    let mut ids = Vec::new();
    for _ in 0..SENT {
        let one = SendSignal { candidates: vec![candidate(1)], ..signal(talk.b, pair.ann.id, talk.a) };
        ids.push(pair.b.socket.start("call.signal", Some(&to), &one).await);
    }
    let mut taken = 0;
    for id in ids {
        match pair.b.socket.reply(id).await {
            Ok(_) => taken += 1,
            Err(refused) => {
                assert_eq!(refused.code, ErrorCode::RateLimited);
                assert!(refused.retry_after_ms.is_some(), "{refused:?}");
            }
        }
    }
    assert!((200..SENT).contains(&taken), "{taken}");
    for _ in 0..taken {
        pair.a.hears(talk.call, talk.a).await;
    }
    assert!(!pair.a.socket.take_events().iter().any(|event| event.name == CALL_SIGNAL));
    let mut joins = Vec::new();
    for _ in 0..6 {
        joins.push(pair.b.try_join(talk.call).await.map(|_| ()));
    }
    assert_eq!(joins.iter().filter(|join| **join == Err(ErrorCode::RateLimited)).count(), 2, "{joins:?}");
    world.end().await;
}
