//! Every metric by name: its kind, its labels, its services, what it means, and its buckets if it is a histogram.

use protocol::ServiceName::{self, Auth, Chat, Gateway, Signaling, Turn};

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Samples in buckets.
    Histogram,
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// Who has it.
    pub services: &'static [ServiceName],
    /// What it says.
    pub help: &'static str,
    /// Upper bounds in the metric's unit; empty unless it is a histogram.
    pub buckets: &'static [f64],
}

/// From a page out of memory to the deadline of a request.
const REQUEST_SECONDS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// From a cached row to the read deadline.
const QUERY_SECONDS: &[f64] = &[
    0.000_01, 0.000_025, 0.000_05, 0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.5,
    5.0,
];

/// From a wrong number to a day's end.
const CALL_SECONDS: &[f64] = &[5.0, 15.0, 30.0, 60.0, 180.0, 600.0, 1_800.0, 3_600.0, 14_400.0, 86_400.0];

/// From one room to a satellite.
const NETWORK_SECONDS: &[f64] = &[0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6];

/// From what nobody hears to what nobody understands.
const RATIOS: &[f64] = &[0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];

/// From speech to a screen at full size.
const BIT_RATES: &[f64] = &[16e3, 32e3, 64e3, 128e3, 256e3, 512e3, 1e6, 2e6, 4e6, 8e6];

const ALL: &[ServiceName] = &ServiceName::ALL;

/// Who has a Redis, where one is configured.
const USES_REDIS: &[ServiceName] = &[Gateway, Auth, Chat, Signaling];

const fn counter(
    name: &'static str,
    labels: &'static [&'static str],
    services: &'static [ServiceName],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Counter, labels, services, help, buckets: &[] }
}

const fn gauge(
    name: &'static str,
    labels: &'static [&'static str],
    services: &'static [ServiceName],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Gauge, labels, services, help, buckets: &[] }
}

const fn histogram(
    name: &'static str,
    labels: &'static [&'static str],
    services: &'static [ServiceName],
    help: &'static str,
    buckets: &'static [f64],
) -> Metric {
    Metric { name, kind: Kind::Histogram, labels, services, help, buckets }
}

/// All metrics of this build.
pub const CATALOGUE: &[Metric] = &[
    // HTTP
    counter(
        "http_requests_total",
        &["service", "method", "endpoint", "status"],
        ALL,
        "Requests answered; endpoint is the route pattern",
    ),
    histogram(
        "http_request_duration_seconds",
        &["service", "method", "endpoint"],
        ALL,
        "Time from the request's head to the answer's head",
        REQUEST_SECONDS,
    ),
    gauge("http_requests_in_flight", &["service"], ALL, "Requests being worked on"),
    gauge("http_connections", &["service"], ALL, "Open connections of the listener, sockets included"),
    counter(
        "http_connections_refused_total",
        &["service", "reason"],
        ALL,
        "Connections closed before a request was read",
    ),
    gauge("service_ready", &["service"], ALL, "1 while /readyz says that the service can serve, judged at each scrape"),
    // Store
    gauge("db_connections_active", &["service"], &[Auth, Chat, Signaling], "Database connections in use"),
    gauge("db_connections_idle", &["service"], &[Auth, Chat, Signaling], "Database connections at rest"),
    gauge("db_connections_total", &["service"], &[Auth, Chat, Signaling], "Database connections open"),
    histogram(
        "db_query_duration_seconds",
        &["service", "operation", "table"],
        &[Auth, Chat, Signaling],
        "Time of a database operation; wal/commit is the fsync shared by a batch",
        QUERY_SECONDS,
    ),
    counter(
        "db_query_errors_total",
        &["service", "operation", "table", "error"],
        &[Auth, Chat, Signaling],
        "Database operations that failed",
    ),
    // Redis
    counter("redis_commands_total", &["service", "command"], USES_REDIS, "Commands and scripts sent to Redis"),
    histogram(
        "redis_command_duration_seconds",
        &["service", "command"],
        USES_REDIS,
        "Time until Redis answered, or was given up on after 0.1 s",
        QUERY_SECONDS,
    ),
    gauge("redis_connections", &["service"], USES_REDIS, "Connections to Redis that are open"),
    counter(
        "redis_errors_total",
        &["service", "command", "error"],
        USES_REDIS,
        "Commands without an answer: Redis was gone, the answer was lost, or it was a refusal",
    ),
    gauge("redis_up", &["service"], USES_REDIS, "Whether Redis answers"),
    gauge(
        "redis_degraded_mode",
        &["service"],
        USES_REDIS,
        "1 while the service lives on its own memory, until what it did meanwhile is back in Redis",
    ),
    counter(
        "command_answers_total",
        &["service", "result"],
        &[Gateway],
        "Commands answered over REST and sockets: ok, refused (the client's reason) or failed (the server's)",
    ),
    // Sockets
    gauge("websocket_connections", &["service"], &[Gateway], "Open sockets"),
    counter("websocket_messages_total", &["service", "type", "direction"], &[Gateway], "Frames by type and direction"),
    counter("websocket_errors_total", &["service", "error"], &[Gateway], "Sockets that ended by an error"),
    // Messages
    counter("messages_total", &["service", "type"], &[Chat], "Messages stored"),
    counter("messages_sent_total", &["service", "type"], &[Chat], "Messages acknowledged to their sender"),
    counter("messages_received_total", &["service", "type"], &[Chat], "Messages accepted from clients"),
    // Calls
    counter(
        "calls_total",
        &["service", "type", "status"],
        &[Signaling],
        "Calls that were initiated, and how they ended",
    ),
    gauge("calls_active", &["service"], &[Signaling], "Calls that go on"),
    histogram(
        "calls_duration_seconds",
        &["service", "type"],
        &[Signaling],
        "From the answer of a call to its end",
        CALL_SECONDS,
    ),
    counter("calls_failed_total", &["service", "type", "reason"], &[Signaling], "Calls that broke"),
    counter("calls_recovered_total", &["service", "type"], &[Signaling], "Calls that went on after a restart"),
    counter("calls_disconnects_total", &["service", "type"], &[Signaling], "Participants whose socket dropped"),
    counter("call_signals_total", &["service"], &[Signaling], "Descriptions and candidates that were relayed"),
    counter(
        "call_quality_reports_total",
        &["service", "relayed"],
        &[Signaling],
        "Peer connections that clients reported on",
    ),
    histogram(
        "call_quality_round_trip_seconds",
        &["service"],
        &[Signaling],
        "Round trip between two participants",
        NETWORK_SECONDS,
    ),
    histogram("call_quality_jitter_seconds", &["service"], &[Signaling], "Jitter of what comes in", NETWORK_SECONDS),
    histogram("call_quality_lost_ratio", &["service"], &[Signaling], "Part of the packets that were lost", RATIOS),
    histogram(
        "call_quality_incoming_bits_per_second",
        &["service"],
        &[Signaling],
        "What a participant receives from another",
        BIT_RATES,
    ),
    histogram(
        "call_quality_outgoing_bits_per_second",
        &["service"],
        &[Signaling],
        "What a participant sends to another",
        BIT_RATES,
    ),
    // Accounts
    counter("auth_attempts_total", &["service", "method"], &[Auth], "Attempts to authenticate"),
    counter("auth_success_total", &["service", "method"], &[Auth], "Attempts that succeeded"),
    counter("auth_failures_total", &["service", "method", "reason"], &[Auth], "Attempts that failed"),
    counter("auth_login_success_total", &["service"], &[Auth], "Logins that succeeded"),
    counter("auth_login_failed_total", &["service"], &[Auth], "Logins that failed"),
    gauge(
        "auth_login_failed_by_ip",
        &["service", "ip"],
        &[Auth],
        "Failed logins of the top offenders; the rest is under other",
    ),
    counter("auth_account_locked_total", &["service"], &[Auth], "Accounts locked after failed logins"),
    counter("auth_refresh_token_success_total", &["service"], &[Auth], "Refresh tokens exchanged"),
    counter("auth_refresh_token_invalid_total", &["service"], &[Auth], "Refresh tokens refused as unknown or expired"),
    counter("auth_refresh_token_blacklisted_total", &["service"], &[Auth], "Refresh tokens refused as used or revoked"),
    counter("auth_token_blacklisted_total", &["service"], &[Auth], "Access tokens revoked before their time"),
    counter("auth_logout_total", &["service"], &[Auth], "Logouts"),
    // Relayed media
    gauge("turn_allocations_active", &["service"], &[Turn], "Allocations that live"),
    counter("turn_allocations_total", &["service", "result"], &[Turn], "Requests for an allocation by how they ended"),
    counter("turn_relayed_bytes_total", &["service", "direction"], &[Turn], "Payload that was relayed"),
    counter("turn_relayed_packets_total", &["service", "direction"], &[Turn], "Packets that were relayed"),
    counter(
        "turn_denied_peers_total",
        &["service", "way"],
        &[Turn],
        "Peers that must not be reached, by where they were named",
    ),
    counter("turn_dropped_packets_total", &["service", "reason"], &[Turn], "Packets that were dropped"),
    counter("turn_auth_failures_total", &["service", "reason"], &[Turn], "Credentials that were not let in"),
    gauge("turn_tcp_connections", &["service"], &[Turn], "Clients' TCP connections that are open"),
    counter("turn_tcp_refused_total", &["service", "reason"], &[Turn], "TCP connections that were closed"),
    // Limits and failures
    counter("rate_limit_hits_total", &["endpoint"], &[Gateway], "Requests that were counted against a limit"),
    counter("rate_limit_blocked_total", &["endpoint"], &[Gateway], "Requests that a limit refused"),
    gauge("circuit_breaker_state", &["service", "dependency"], ALL, "0 closed, 1 half open, 2 open"),
    counter("audit_events_total", &["service", "result"], ALL, "Audit events, denials of a flood counted one by one"),
    counter("audit_dropped_total", &["service"], ALL, "Denials that were only counted, not recorded one by one"),
    counter("panics_total", &["service"], ALL, "Panics, each contained to its task"),
];

/// A metric by name.
pub(super) fn find(name: &str) -> Option<&'static Metric> {
    CATALOGUE.iter().find(|metric| metric.name == name)
}

/// Hands the help texts to the recorder.
pub(super) fn describe() {
    for metric in CATALOGUE {
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(metric.name, metric.help),
            Kind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
            Kind::Histogram => metrics::describe_histogram!(metric.name, metric.help),
        }
    }
}
