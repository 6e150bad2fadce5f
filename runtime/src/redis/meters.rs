//! What a service does with Redis.

use std::time::Duration;

use metrics::Gauge;
use protocol::ServiceName;

/// Handles of the gauges, and the names of the rest.
pub(super) struct Meters {
    service: &'static str,
    up: Gauge,
    degraded: Gauge,
    breaker: Gauge,
    connections: Gauge,
}

impl Meters {
    pub(super) fn new(service: ServiceName) -> Self {
        let service = service.as_str();
        let meters = Self {
            service,
            up: metrics::gauge!("redis_up", "service" => service),
            degraded: metrics::gauge!("redis_degraded_mode", "service" => service),
            breaker: metrics::gauge!("circuit_breaker_state", "service" => service, "dependency" => "redis"),
            connections: metrics::gauge!("redis_connections", "service" => service),
        };
        meters.up(false);
        meters.degraded(true);
        meters.connections.set(0.0);
        meters
    }

    pub(super) fn up(&self, up: bool) {
        self.up.set(if up { 1.0 } else { 0.0 });
        self.breaker.set(if up { 0.0 } else { 2.0 });
    }

    pub(super) fn degraded(&self, degraded: bool) {
        self.degraded.set(if degraded { 1.0 } else { 0.0 });
    }

    pub(super) fn connected(&self, by: f64) {
        self.connections.increment(by);
    }

    pub(super) fn command(&self, command: &'static str, took: Duration) {
        metrics::counter!("redis_commands_total", "service" => self.service, "command" => command).increment(1);
        metrics::histogram!("redis_command_duration_seconds", "service" => self.service, "command" => command)
            .record(took.as_secs_f64());
    }

    pub(super) fn error(&self, command: &'static str, error: &'static str) {
        metrics::counter!("redis_errors_total", "service" => self.service, "command" => command, "error" => error)
            .increment(1);
    }
}
