//! Deadlines: a lease moves a call's time on to where the lease ends, and the next version sets it anew.

use protocol::{CallId, Millis};
use rusqlite::{Connection, OptionalExtension, params};

use super::find::ids;

/// Leases calls whose time has come, what was due first before the rest.
pub(super) fn claim(tx: &Connection, now: Millis, lease_ms: Millis, limit: usize) -> rusqlite::Result<Vec<CallId>> {
    let mut statement = tx.prepare_cached("SELECT id FROM calls WHERE due <= ?1 ORDER BY due, id LIMIT ?2")?;
    let calls: Vec<CallId> = ids(&mut statement, params![now as i64, limit as i64])?;
    let mut lease = tx.prepare_cached("UPDATE calls SET due = ?2 WHERE id = ?1")?;
    let until = now.saturating_add(lease_ms) as i64;
    for call in &calls {
        lease.execute(params![call.as_bytes(), until])?;
    }
    Ok(calls)
}

/// When the next one has to be looked at.
pub(super) fn next(tx: &Connection) -> rusqlite::Result<Option<Millis>> {
    tx.prepare_cached("SELECT due FROM calls WHERE due IS NOT NULL ORDER BY due LIMIT 1")?
        .query_row([], |row| Ok(row.get::<_, i64>(0)? as Millis))
        .optional()
}
