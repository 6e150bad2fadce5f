//! The store's own metrics and its log of slow queries.
//!
//! Series are looked up by label once per thread, not once per query: at 60,000 writes a second the registry
//! would cost more than the row.

use std::collections::HashMap;
use std::time::Duration;

use ::metrics::{Gauge, Histogram, counter, gauge, histogram};
use protocol::ServiceName;

use crate::telemetry::metrics;

/// From here on a query is logged.
const SLOW: Duration = Duration::from_millis(100);

/// Splits `table/operation`; a label without a slash is an operation on no one table.
pub(crate) fn table_and_operation(label: &'static str) -> (&'static str, &'static str) {
    label.split_once('/').unwrap_or(("none", label))
}

/// One thread's series.
pub(crate) struct Observer {
    service: &'static str,
    durations: HashMap<&'static str, Histogram>,
}

impl Observer {
    pub(crate) fn new(service: ServiceName) -> Self {
        Self { service: service.as_str(), durations: HashMap::new() }
    }

    /// Records one query's time, and logs it when it was slow.
    pub(crate) fn took(&mut self, label: &'static str, elapsed: Duration) {
        let service = self.service;
        self.durations
            .entry(label)
            .or_insert_with(|| {
                let (table, operation) = table_and_operation(label);
                histogram!("db_query_duration_seconds",
                    "service" => service, "operation" => operation, "table" => table)
            })
            .record(elapsed);
        if elapsed >= SLOW {
            let (table, operation) = table_and_operation(label);
            tracing::warn!(service, table, operation, elapsed_ms = elapsed.as_millis() as u64, "slow query");
        }
    }

    /// Counts one failed query under SQLite's name for the failure.
    pub(crate) fn failed(&self, label: &'static str, error: &'static str) {
        let (table, operation) = table_and_operation(label);
        counter!("db_query_errors_total",
            "service" => self.service, "operation" => operation, "table" => table, "error" => error)
        .increment(1);
    }
}

/// Shows labels at zero before their first query.
pub(crate) fn declare(service: ServiceName, labels: &[&'static str]) {
    for label in labels {
        let (table, operation) = table_and_operation(label);
        let labels = [("operation", operation), ("table", table)];
        metrics::declare(service, "db_query_duration_seconds", &labels);
        let [operation, table] = labels;
        metrics::declare(service, "db_query_errors_total", &[operation, table, ("error", "other")]);
    }
}

/// The connections of one store: all, in use, at rest.
pub(crate) struct Connections {
    active: Gauge,
    idle: Gauge,
    total: Gauge,
}

impl Connections {
    pub(crate) fn new(service: ServiceName) -> Self {
        let service = service.as_str();
        Self {
            active: gauge!("db_connections_active", "service" => service),
            idle: gauge!("db_connections_idle", "service" => service),
            total: gauge!("db_connections_total", "service" => service),
        }
    }

    pub(crate) fn opened(&self) {
        self.total.increment(1.0);
        self.idle.increment(1.0);
    }

    pub(crate) fn closed(&self) {
        self.total.decrement(1.0);
        self.idle.decrement(1.0);
    }

    pub(crate) fn busy(&self) {
        self.active.increment(1.0);
        self.idle.decrement(1.0);
    }

    pub(crate) fn free(&self) {
        self.active.decrement(1.0);
        self.idle.increment(1.0);
    }
}

/// SQLite's primary result code by name; a bounded label.
pub(crate) fn error_name(extended_code: i32) -> &'static str {
    use rusqlite::ffi;
    match extended_code & 0xff {
        ffi::SQLITE_CONSTRAINT => "constraint",
        ffi::SQLITE_BUSY => "busy",
        ffi::SQLITE_FULL => "full",
        ffi::SQLITE_IOERR => "io",
        ffi::SQLITE_CORRUPT => "corrupt",
        ffi::SQLITE_INTERRUPT => "interrupted",
        ffi::SQLITE_READONLY => "readonly",
        ffi::SQLITE_NOMEM => "memory",
        _ => "other",
    }
}
