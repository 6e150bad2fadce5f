//! Upkeep: states that nobody asks for any more, and history that is older than it is kept.

use protocol::Millis;
use protocol::limits::CALL_TTL_MS;
use rusqlite::{Connection, params};

/// Forgets the oldest of both, at most `limit` of each; answers how many.
pub(super) fn forget(tx: &Connection, now: Millis, history_before: Millis, limit: usize) -> rusqlite::Result<usize> {
    let states = tx
        .prepare_cached(
            "DELETE FROM calls WHERE no IN
             (SELECT no FROM calls WHERE ended_at <= ?1 ORDER BY ended_at, id LIMIT ?2)",
        )?
        .execute(params![now.saturating_sub(CALL_TTL_MS) as i64, limit as i64])?;
    // Everyone's rows go with it.
    let records = tx
        .prepare_cached(
            "DELETE FROM records WHERE call IN
             (SELECT call FROM records WHERE ended_at < ?1 ORDER BY ended_at, call LIMIT ?2)",
        )?
        .execute(params![i64::try_from(history_before).unwrap_or(i64::MAX), limit as i64])?;
    Ok(states + records)
}
