//! What is counted. The counters of the packet path are kept by handle, so that counting is one addition.

use metrics::{Counter, Gauge};
use protocol::ServiceName;
use runtime::telemetry::metrics::declare;

use crate::allocation::Direction;

const SERVICE: ServiceName = ServiceName::Turn;

/// How a request for an allocation ended.
const RESULTS: [&str; 5] = ["made", "user_quota", "address_quota", "capacity", "bad_request"];
/// Why credentials were not let in.
const AUTH_FAILURES: [&str; 5] = ["malformed", "expired", "revoked", "password", "other_user"];
/// Where a peer was named that must not be reached.
const WAYS: [&str; 5] = ["permission", "channel_bind", "send", "channel_data", "from_peer"];
/// Why a packet was dropped.
const DROPS: [&str; 7] = ["malformed", "unasked", "no_permission", "bandwidth", "queue", "socket", "too_many_answers"];
/// Why a TCP connection was closed.
const TCP_REFUSALS: [&str; 4] = ["full", "address", "idle", "bad_frame"];
const DIRECTIONS: [&str; 2] = ["to_peer", "to_client"];

/// The counters.
#[derive(Debug)]
pub(crate) struct Meters {
    /// Allocations that live.
    pub(crate) active: Gauge,
    /// TCP connections that are open.
    pub(crate) tcp: Gauge,
    relayed: [(Counter, Counter); 2],
}

impl Meters {
    /// All of them, at zero.
    pub(crate) fn new() -> Self {
        let all: [(&'static str, &'static str, &[&str]); 5] = [
            ("turn_allocations_total", "result", &RESULTS),
            ("turn_auth_failures_total", "reason", &AUTH_FAILURES),
            ("turn_denied_peers_total", "way", &WAYS),
            ("turn_dropped_packets_total", "reason", &DROPS),
            ("turn_tcp_refused_total", "reason", &TCP_REFUSALS),
        ];
        for (name, label, values) in all {
            for value in values {
                declare(SERVICE, name, &[(label, value)]);
            }
        }
        let service = SERVICE.as_str();
        let relayed = DIRECTIONS.map(|direction| {
            declare(SERVICE, "turn_relayed_bytes_total", &[("direction", direction)]);
            declare(SERVICE, "turn_relayed_packets_total", &[("direction", direction)]);
            (
                metrics::counter!("turn_relayed_bytes_total", "service" => service, "direction" => direction),
                metrics::counter!("turn_relayed_packets_total", "service" => service, "direction" => direction),
            )
        });
        Self {
            active: metrics::gauge!("turn_allocations_active", "service" => service),
            tcp: metrics::gauge!("turn_tcp_connections", "service" => service),
            relayed,
        }
    }

    /// A packet went through.
    pub(crate) fn relayed(&self, direction: Direction, bytes: usize) {
        let (all_bytes, packets) = &self.relayed[match direction {
            Direction::ToPeer => 0,
            Direction::ToClient => 1,
        }];
        all_bytes.increment(bytes as u64);
        packets.increment(1);
    }

    /// A request for an allocation ended like this.
    pub(crate) fn allocation(&self, result: &'static str) {
        metrics::counter!("turn_allocations_total", "service" => SERVICE.as_str(), "result" => result).increment(1);
    }

    /// Credentials were not let in.
    pub(crate) fn auth_failed(&self, reason: &'static str) {
        metrics::counter!("turn_auth_failures_total", "service" => SERVICE.as_str(), "reason" => reason).increment(1);
    }

    /// A peer was named that must not be reached.
    pub(crate) fn denied(&self, way: &'static str) {
        metrics::counter!("turn_denied_peers_total", "service" => SERVICE.as_str(), "way" => way).increment(1);
    }

    /// A packet was dropped.
    pub(crate) fn dropped(&self, reason: &'static str) {
        metrics::counter!("turn_dropped_packets_total", "service" => SERVICE.as_str(), "reason" => reason).increment(1);
    }

    /// A TCP connection was closed.
    pub(crate) fn tcp_refused(&self, reason: &'static str) {
        metrics::counter!("turn_tcp_refused_total", "service" => SERVICE.as_str(), "reason" => reason).increment(1);
    }
}
