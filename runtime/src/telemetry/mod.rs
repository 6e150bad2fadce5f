//! Logs and metrics: what an operator sees of a running service.
//!
//! - [`logs`]: JSON lines on stdout (readable lines on a terminal), with the request's names taken from the span.
//! - [`metrics`]: one recorder, one exposition per service, one documented catalogue of names.

pub mod logs;
pub mod metrics;
