//! The audit trail: one event shape, an append-only table in each service's own store, one JSON log line per event.
//!
//! What changes something is audited in the transaction that changes it ([`append`]): there is no change without its
//! event and no event without its change. A *denial* changes nothing, and whoever is denied can ask again a thousand
//! times a second; denials go through the [`Spool`], which is bounded, merges equal ones into one row with a count,
//! and never makes its caller wait. An audit trail that can be used to stop the service would not survive its first attack.
//!
//! The table refuses changes by trigger, and deletions of anything younger than [`KEEP_AT_LEAST_DAYS`]; age is the only
//! way out ([`expire`]).

mod event;
mod query;
mod spool;
mod table;

#[cfg(test)]
mod tests;

pub use event::{AuditResult, Event};
pub use query::{Filter, Record, query};
pub use spool::Spool;
pub use table::{KEEP_AT_LEAST_DAYS, MIGRATION_DOWN_SQL, MIGRATION_SQL, append, expire};
