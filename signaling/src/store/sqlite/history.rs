//! What users have behind them: each call's record once, and a row for everyone who was in it or was called.

use protocol::{CallId, UserId};
use rusqlite::{Connection, params};

use super::super::unit::End;

/// Larger than every id that is made.
const AFTER_ALL: [u8; 16] = [0xff; 16];

/// A call that is over enters everyone's history.
pub(super) fn enter(tx: &Connection, call: CallId, end: &End) -> rusqlite::Result<()> {
    tx.prepare_cached("INSERT INTO records (call, ended_at, record) VALUES (?1, ?2, ?3)")?.execute(params![
        call.as_bytes(),
        end.at as i64,
        end.record
    ])?;
    let mut statement = tx.prepare_cached("INSERT INTO history (user, call, missed) VALUES (?1, ?2, ?3)")?;
    for (user, missed) in &end.people {
        statement.execute(params![user.as_bytes(), call.as_bytes(), missed])?;
    }
    Ok(())
}

/// A user's records, the latest first.
pub(super) fn page(
    tx: &Connection,
    user: UserId,
    before: Option<CallId>,
    limit: usize,
) -> rusqlite::Result<Vec<Vec<u8>>> {
    let before = before.map_or(AFTER_ALL, |call| *call.as_bytes());
    tx.prepare_cached(
        "SELECT record FROM history JOIN records USING (call)
         WHERE user = ?1 AND history.call < ?2 ORDER BY history.call DESC LIMIT ?3",
    )?
    .query_map(params![user.as_bytes(), before, limit as i64], |row| row.get(0))?
    .collect()
}

/// How many calls a user missed after the latest one that they have seen.
pub(super) fn missed(tx: &Connection, user: UserId) -> rusqlite::Result<u64> {
    tx.prepare_cached(
        "SELECT count(*) FROM history
         WHERE user = ?1 AND missed = 1 AND call > coalesce((SELECT call FROM seen WHERE user = ?1), x'')",
    )?
    .query_row(params![user.as_bytes()], |row| Ok(row.get::<_, i64>(0)? as u64))
}

/// Everyone's records, by their calls.
pub(super) fn records(tx: &Connection, after: Option<CallId>, limit: usize) -> rusqlite::Result<Vec<Vec<u8>>> {
    let after = after.as_ref().map_or(&[][..], |call| call.as_bytes());
    tx.prepare_cached("SELECT record FROM records WHERE call > ?1 ORDER BY call LIMIT ?2")?
        .query_map(params![after, limit as i64], |row| row.get(0))?
        .collect()
}

/// Up to which calls users have seen their histories.
pub(super) fn marks(tx: &Connection, after: Option<UserId>, limit: usize) -> rusqlite::Result<Vec<(UserId, CallId)>> {
    let after = after.as_ref().map_or(&[][..], |user| user.as_bytes());
    tx.prepare_cached("SELECT user, call FROM seen WHERE user > ?1 ORDER BY user LIMIT ?2")?
        .query_map(params![after, limit as i64], |row| {
            Ok((row.get::<_, [u8; 16]>(0)?.into(), row.get::<_, [u8; 16]>(1)?.into()))
        })?
        .collect()
}

/// The user has seen their history up to a call.
pub(super) fn seen(tx: &Connection, user: UserId, call: CallId) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO seen (user, call) VALUES (?1, ?2)
         ON CONFLICT (user) DO UPDATE SET call = excluded.call WHERE seen.call < excluded.call",
    )?
    .execute(params![user.as_bytes(), call.as_bytes()])?;
    Ok(())
}
