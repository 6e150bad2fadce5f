//! Tallies and known places in the store: they survive a restart, else a crash would be a way to guess on.

use protocol::{Millis, UserId};
use runtime::limits::Network;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Subject, Tally};
use crate::sql::{number, read_number};

/// Known places that an account has at most; the oldest make room.
const PLACES_MAX: u32 = 50;

/// What is remembered of a subject.
pub(super) fn tally(store: &Connection, subject: &Subject) -> rusqlite::Result<Tally> {
    let tally = store
        .prepare_cached("SELECT failures, level, failed_at, locked_until FROM tallies WHERE subject = ?1")?
        .query_row([subject], |row| {
            Ok(Tally {
                failures: row.get(0)?,
                level: row.get(1)?,
                failed_at: read_number(row, 2)?,
                locked_until: read_number(row, 3)?,
            })
        })
        .optional()?;
    Ok(tally.unwrap_or_default())
}

/// Remembers a subject until `forget_at`.
pub(super) fn keep(store: &Connection, subject: &Subject, tally: &Tally, forget_at: Millis) -> rusqlite::Result<()> {
    store
        .prepare_cached(
            "INSERT OR REPLACE INTO tallies (subject, failures, level, failed_at, locked_until, forget_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            subject,
            tally.failures,
            tally.level,
            number(tally.failed_at),
            number(tally.locked_until),
            number(forget_at)
        ])?;
    Ok(())
}

/// Forgets a subject.
pub(super) fn forget(store: &Connection, subject: &Subject) -> rusqlite::Result<()> {
    store.prepare_cached("DELETE FROM tallies WHERE subject = ?1")?.execute([subject])?;
    Ok(())
}

/// Whether the account logged in from this network since.
pub(crate) fn known_place(
    store: &Connection,
    account: UserId,
    network: Network,
    since: Millis,
) -> rusqlite::Result<bool> {
    store
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM places WHERE account = ?1 AND network = ?2 AND seen_at >= ?3)")?
        .query_row(params![account.as_bytes(), network.to_string(), number(since)], |row| row.get(0))
}

/// Remembers that the account logged in from this network.
pub(crate) fn remember_place(
    store: &Connection,
    account: UserId,
    network: Network,
    now: Millis,
) -> rusqlite::Result<()> {
    store
        .prepare_cached("INSERT OR REPLACE INTO places (account, network, seen_at) VALUES (?1, ?2, ?3)")?
        .execute(params![account.as_bytes(), network.to_string(), number(now)])?;
    store
        .prepare_cached(
            "DELETE FROM places WHERE account = ?1 AND network NOT IN
             (SELECT network FROM places WHERE account = ?1 ORDER BY seen_at DESC LIMIT ?2)",
        )?
        .execute(params![account.as_bytes(), PLACES_MAX])?;
    Ok(())
}
