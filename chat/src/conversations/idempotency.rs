//! The memory of `Idempotency-Key`s: the same key with the same request gets the same answer for 24 hours.

use protocol::{ErrorCode, Millis, UserId};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::refuse::{Stop, refuse};

/// How long a key is remembered.
pub(crate) const KEPT_MS: Millis = 24 * 60 * 60 * 1000;

/// Keys that one clean-up forgets at most, so that it never holds the writer up.
const FORGET_MAX: u32 = 1_000;

/// The answer that this request got before.
pub(crate) fn answered(
    connection: &Connection,
    user: UserId,
    key: Uuid,
    request: &[u8],
    now: Millis,
) -> Result<Option<Vec<u8>>, Stop> {
    let found = connection
        .prepare_cached("SELECT request, answer FROM idempotency WHERE user = ? AND key = ? AND at > ?")?
        .query_row(params![user.as_bytes(), key.as_bytes(), now.saturating_sub(KEPT_MS) as i64], |row| {
            Ok((row.get_ref(0)?.as_blob()? == request, row.get::<_, Vec<u8>>(1)?))
        })
        .optional()?;
    match found {
        None => Ok(None),
        Some((true, answer)) => Ok(Some(answer)),
        Some((false, _)) => Err(refuse(ErrorCode::IdempotencyKeyReused, ErrorCode::IdempotencyKeyReused.meaning())),
    }
}

/// Remembers an answer.
pub(crate) fn remember(
    connection: &Connection,
    user: UserId,
    key: Uuid,
    request: &[u8],
    answer: &[u8],
    now: Millis,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO idempotency (user, key, request, answer, at) VALUES (?, ?, ?, ?, ?)")?
        .execute(params![user.as_bytes(), key.as_bytes(), request, answer, now as i64])?;
    Ok(())
}

/// Forgets keys that are too old; answers how many.
pub(crate) fn forget_old(connection: &Connection, now: Millis) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM idempotency WHERE (user, key) IN
                 (SELECT user, key FROM idempotency WHERE at <= ? ORDER BY at LIMIT ?)",
        )?
        .execute(params![now.saturating_sub(KEPT_MS) as i64, FORGET_MAX])
}
