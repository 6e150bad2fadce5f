//! The service's own metrics, and a log line for every step of a call.

use metrics::{Counter, Gauge, Histogram};
use parking_lot::Mutex;
use protocol::ServiceName;
use protocol::calls::{CallFailure, CallKind, CallStatus};
use runtime::telemetry::metrics::declare;

use crate::machine::{CallState, Outcome, Step};

const SERVICE: &str = ServiceName::Signaling.as_str();
const KINDS: [CallKind; 2] = [CallKind::Audio, CallKind::Video];
/// The label of a call that was started; the others are how it ended.
const INITIATED: &str = "initiated";
const ENDINGS: [CallStatus; 6] = [
    CallStatus::Ended,
    CallStatus::Missed,
    CallStatus::Declined,
    CallStatus::Busy,
    CallStatus::Cancelled,
    CallStatus::Failed,
];
const FAILURES: [CallFailure; 3] = [CallFailure::ConnectionLost, CallFailure::Revoked, CallFailure::Expired];

/// Handles that are looked up once.
pub(crate) struct Meters {
    pub(crate) signals: Counter,
    active: Mutex<Gauge>,
    quality: Quality,
}

/// How calls sound and look, as clients report it.
struct Quality {
    round_trip: Histogram,
    jitter: Histogram,
    lost: Histogram,
    incoming: Histogram,
    outgoing: Histogram,
    relayed: [Counter; 2],
}

impl Meters {
    /// Registers every series at zero, so that it shows from the first scrape.
    pub(crate) fn new() -> Self {
        let service = ServiceName::Signaling;
        for kind in KINDS.map(CallKind::as_str) {
            for status in ENDINGS.map(CallStatus::as_str).into_iter().chain([INITIATED]) {
                declare(service, "calls_total", &[("type", kind), ("status", status)]);
            }
            for reason in FAILURES.map(CallFailure::as_str) {
                declare(service, "calls_failed_total", &[("type", kind), ("reason", reason)]);
            }
            for name in ["calls_duration_seconds", "calls_recovered_total", "calls_disconnects_total"] {
                declare(service, name, &[("type", kind)]);
            }
        }
        let relayed = ["false", "true"].map(|relayed| {
            declare(service, "call_quality_reports_total", &[("relayed", relayed)]);
            metrics::counter!("call_quality_reports_total", "service" => SERVICE, "relayed" => relayed)
        });
        Self {
            signals: metrics::counter!("call_signals_total", "service" => SERVICE),
            active: Mutex::new(metrics::gauge!("calls_active", "service" => SERVICE)),
            quality: Quality {
                round_trip: metrics::histogram!("call_quality_round_trip_seconds", "service" => SERVICE),
                jitter: metrics::histogram!("call_quality_jitter_seconds", "service" => SERVICE),
                lost: metrics::histogram!("call_quality_lost_ratio", "service" => SERVICE),
                incoming: metrics::histogram!("call_quality_incoming_bits_per_second", "service" => SERVICE),
                outgoing: metrics::histogram!("call_quality_outgoing_bits_per_second", "service" => SERVICE),
                relayed,
            },
        }
    }

    /// A version was written.
    pub(crate) fn version(&self, before: Option<&CallState>, call: &CallState, outcome: &Outcome) {
        let kind = call.kind.as_str();
        if before.is_none() {
            metrics::counter!("calls_total", "service" => SERVICE, "type" => kind, "status" => INITIATED).increment(1);
            tracing::info!(call = %call.id, conversation = %call.conversation, user_id = %call.by, kind, "call initiated");
        }
        for step in &outcome.steps {
            self.step(call, *step, kind);
        }
    }

    /// So many calls go on here. They are counted by one at a time, so that no older number follows a newer one.
    pub(crate) fn active(&self, count: impl FnOnce() -> usize) {
        self.active.lock().set(count() as f64);
    }

    fn step(&self, call: &CallState, step: Step, kind: &'static str) {
        let id = call.id;
        match step.user() {
            Some(user) => tracing::info!(call = %id, user_id = %user, "call {}", step.as_str()),
            None => tracing::info!(call = %id, "call {}", step.as_str()),
        }
        match step {
            Step::Disconnected(_) => {
                metrics::counter!("calls_disconnects_total", "service" => SERVICE, "type" => kind).increment(1);
            }
            Step::Recovered => {
                metrics::counter!("calls_recovered_total", "service" => SERVICE, "type" => kind).increment(1);
            }
            Step::Over(status) => self.over(call, status, kind),
            _ => {}
        }
    }

    fn over(&self, call: &CallState, status: CallStatus, kind: &'static str) {
        let record = call.record();
        metrics::counter!("calls_total", "service" => SERVICE, "type" => kind, "status" => status.as_str())
            .increment(1);
        if call.answered_at.is_some() {
            metrics::histogram!("calls_duration_seconds", "service" => SERVICE, "type" => kind)
                .record(record.duration_ms as f64 / 1_000.0);
        }
        if let Some(failure) = call.failure {
            metrics::counter!("calls_failed_total", "service" => SERVICE, "type" => kind, "reason" => failure.as_str())
                .increment(1);
        }
        let failure = call.failure.map(CallFailure::as_str);
        tracing::info!(call = %call.id, status = status.as_str(), failure, duration_ms = record.duration_ms, "call over");
    }

    /// A client's report of one peer connection.
    pub(crate) fn quality(&self, peer: &protocol::calls::PeerQuality) {
        let Quality { round_trip, jitter, lost, incoming, outgoing, relayed } = &self.quality;
        relayed[usize::from(peer.relayed)].increment(1);
        let record = |histogram: &Histogram, value: Option<u32>, unit: f64| {
            if let Some(value) = value {
                histogram.record(f64::from(value) * unit);
            }
        };
        record(round_trip, peer.round_trip_ms, 0.001);
        record(jitter, peer.jitter_ms, 0.001);
        record(lost, peer.lost_per_10000, 0.0001);
        record(incoming, peer.incoming_kbps, 1_000.0);
        record(outgoing, peer.outgoing_kbps, 1_000.0);
    }
}
