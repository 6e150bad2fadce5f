//! What an operator sees of calls: figures from the first scrape, and a line of the log for every step.

use harness::{Person, Phone, Topology, World, on_every_topology, wait};
use protocol::CallId;
use protocol::ServiceName::Signaling;
use protocol::calls::{CallStatus, ParticipantStatus};
use serde_json::{Value, json};

use super::{Pair, Talk, epoch};

on_every_topology![calls_are_counted_from_zero, every_step_of_a_call_has_a_line_with_its_id];

const NAMES: &[&str] = &[
    "calls_total",
    "calls_active",
    "calls_duration_seconds",
    "calls_failed_total",
    "calls_recovered_total",
    "calls_disconnects_total",
    "call_signals_total",
    "call_quality_reports_total",
    "call_quality_round_trip_seconds",
    "call_quality_jitter_seconds",
    "call_quality_lost_ratio",
    "call_quality_incoming_bits_per_second",
    "call_quality_outgoing_bits_per_second",
];

async fn calls_are_counted_from_zero(topology: Topology) {
    let world = World::start(topology).await;
    let first = world.metrics(Signaling).await;
    for name in NAMES {
        assert!(first.has(name), "no {name}");
        let counted = [*name, &format!("{name}_count")].map(|name| first.sum(name, &[]));
        assert_eq!(counted, [0.0, 0.0], "{name}");
    }
    let labels = |status| [("type", "audio"), ("status", status)];
    for status in ["initiated", "ended", "missed", "declined", "busy", "cancelled", "failed"] {
        assert!(first.values_of("calls_total", "status").contains(&status), "no {status}");
    }

    let mut pair = Pair::of(&world).await;
    let call = pair.a.call(pair.conversation).await.call.id;
    pair.b.done(call, "call.decline", json!({})).await;
    let started = pair.a.call(pair.conversation).await;
    pair.a.leave(started.call.id, epoch(&started)).await;
    let Talk { call, a, b } = pair.talk().await;
    let during = world.metrics(Signaling).await;
    assert_eq!((during.sum("calls_active", &[]), during.sum("calls_total", &labels("initiated"))), (1.0, 3.0));
    let peer = json!({
        "user": pair.ann.id, "round_trip_ms": 50, "jitter_ms": 5, "lost_per_10000": 100, "incoming_kbps": 64,
        "outgoing_kbps": 64, "relayed": true,
    });
    pair.b.on(call, "call.quality", json!({ "epoch": b, "peers": [peer] })).await.unwrap();
    pair.a.leave(call, a).await;
    pair.b.sees_end(call, CallStatus::Ended).await;

    let after = world.metrics(Signaling).await;
    assert_eq!(after.sum("calls_active", &[]), 0.0);
    for (status, count) in [("initiated", 3.0), ("declined", 1.0), ("cancelled", 1.0), ("ended", 1.0), ("failed", 0.0)]
    {
        assert_eq!(after.sum("calls_total", &labels(status)), count, "{status}");
    }
    assert_eq!(after.sum("calls_duration_seconds_count", &[]), 1.0, "only what was answered lasted");
    assert_eq!(after.sum("call_quality_round_trip_seconds_sum", &[]), 0.05);
    assert_eq!(after.sum("call_quality_lost_ratio_sum", &[]), 0.01);
    assert_eq!(after.sum("call_quality_reports_total", &[("relayed", "true")]), 1.0);
    world.end().await;
}

/// Awaits lines of the log that name the call, one for each of these steps, and that name the person.
async fn lines(world: &World, call: CallId, of: &Person, steps: &[&str]) {
    wait::until("the lines of the log", async || {
        let log = world.logs_of(Signaling);
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let said: Vec<Value> = lines.filter(|line| line["call"] == call.to_string()).collect();
        let each = steps.iter().all(|step| said.iter().any(|line| line["msg"] == *step));
        (each && said.iter().any(|line| line["user_id"] == of.id.to_string())).then_some(())
    })
    .await;
}

async fn every_step_of_a_call_has_a_line_with_its_id(topology: Topology) {
    let world = World::start(topology).await;
    let mut pair = Pair::of(&world).await;
    let call = pair.a.call(pair.conversation).await.call.id;
    pair.b.on(call, "call.ring", json!({})).await.unwrap();
    pair.b.done(call, "call.decline", json!({})).await;
    lines(&world, call, &pair.bob, &["call initiated", "call ringing", "call declined", "call over"]).await;

    let Talk { call, a, b } = pair.talk().await;
    pair.b.cut();
    pair.a.sees_user(call, pair.bob.id, ParticipantStatus::Reconnecting).await;
    let mut again = Phone::of(&pair.bob).await;
    again.come_back(call, b, 0).await.unwrap();
    let mut other = Phone::of(&pair.bob.login("tablet").await).await;
    other.join(call).await;
    pair.a.leave(call, a).await;
    other.sees_end(call, CallStatus::Ended).await;
    let steps = ["initiated", "joined", "answered", "disconnected", "reconnected", "taken_over", "left", "over"];
    let steps = steps.map(|step| format!("call {step}"));
    lines(&world, call, &pair.bob, &steps.each_ref().map(String::as_str)).await;
    assert_eq!(world.metrics(Signaling).await.sum("calls_disconnects_total", &[("type", "audio")]), 1.0);
    world.end().await;
}
