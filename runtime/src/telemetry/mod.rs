//! Logs, metrics and trace context: what an operator sees of a running service.
//!
//! - [`logs`]: JSON lines on stdout (readable lines on a terminal), with the request's names taken from the span.
//! - [`trace`]: W3C trace context and request ids, parsed from untrusted headers.
//! - [`metrics`]: one recorder, one exposition per service, one documented catalogue of names.

pub mod logs;
pub mod metrics;
pub mod trace;
