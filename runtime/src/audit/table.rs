//! The append-only table.

use rusqlite::{Connection, params};

use super::Event;
use super::event::now_ms;
use crate::store::WriteTx;

/// Younger events can't be deleted by anyone, not even by retention set too short.
pub const KEEP_AT_LEAST_DAYS: u64 = 30;

/// Rows that one call of [`expire`] deletes at most, so that it never holds up the writer.
const EXPIRE_ROWS_MAX: u32 = 1_000;

/// Creates the table; make it part of a migration of the service's own list.
pub const MIGRATION_SQL: &str = "
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id BLOB NOT NULL CHECK (length(event_id) = 16),
    at INTEGER NOT NULL,
    user_id BLOB CHECK (user_id IS NULL OR length(user_id) = 16),
    resource TEXT NOT NULL,
    action TEXT NOT NULL,
    result TEXT NOT NULL CHECK (result IN ('allowed', 'denied', 'failed')),
    reason TEXT,
    client_ip TEXT,
    request_id BLOB CHECK (request_id IS NULL OR length(request_id) = 16),
    trace_id TEXT,
    count INTEGER NOT NULL DEFAULT 1 CHECK (count > 0)
) STRICT;
CREATE INDEX audit_by_user ON audit (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX audit_by_time ON audit (at);
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END;
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
WHEN old.at > (unixepoch() - 30 * 86400) * 1000
BEGIN SELECT RAISE(ABORT, 'audit events of the last 30 days are kept'); END;
";

/// Takes the table away again.
pub const MIGRATION_DOWN_SQL: &str = "
DROP TRIGGER audit_is_kept;
DROP TRIGGER audit_is_never_changed;
DROP TABLE audit;
";

/// Adds an event to the transaction; its log line is written once that is committed.
pub fn append(tx: &WriteTx<'_>, event: &Event) -> rusqlite::Result<()> {
    insert(tx, event, 1)?;
    let (service, event) = (tx.service(), event.clone());
    tx.on_commit(move || event.log(service, 1));
    Ok(())
}

/// Deletes the oldest events that are older than `keep_days`, a bounded number at a time; answers how many it deleted.
pub fn expire(tx: &WriteTx<'_>, keep_days: u64) -> rusqlite::Result<usize> {
    let keep_ms = keep_days.max(KEEP_AT_LEAST_DAYS).saturating_mul(86_400_000);
    // A second of grace, so that the trigger's clock never disagrees.
    let before = now_ms().saturating_sub(keep_ms).saturating_sub(1_000);
    tx.prepare_cached("DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ?1 ORDER BY at LIMIT ?2)")?
        .execute(params![before as i64, EXPIRE_ROWS_MAX])
}

pub(super) fn insert(connection: &Connection, event: &Event, count: u64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO audit (event_id, at, user_id, resource, action, result, reason, client_ip, request_id, trace_id, count)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            event.event_id.as_bytes(),
            event.at as i64,
            event.user_id.map(|id| id.0.into_bytes()),
            event.resource,
            event.action,
            event.result.as_str(),
            event.reason,
            event.client_ip.map(|ip| ip.to_string()),
            event.request_id.map(|id| id.0.into_bytes()),
            event.trace_id,
            i64::try_from(count).unwrap_or(i64::MAX),
        ])
        .map(|_| ())
}
