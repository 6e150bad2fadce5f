//! Our types in SQLite's columns.

use protocol::{Millis, SessionId, UserId};
use rusqlite::Row;
use rusqlite::types::{FromSqlError, Type};

/// Times and counts are below 2^63 for the next 292 million years; SQLite knows signed integers only.
pub(crate) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A time or a count.
pub(crate) fn read_number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    Ok(u64::try_from(value).unwrap_or(0))
}

/// A time that may be absent.
pub(crate) fn read_time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Millis>> {
    let value: Option<i64> = row.get(column)?;
    Ok(value.map(|value| u64::try_from(value).unwrap_or(0)))
}

/// A user's id.
pub(crate) fn read_user(row: &Row<'_>, column: usize) -> rusqlite::Result<UserId> {
    row.get::<_, [u8; 16]>(column).map(UserId::from)
}

/// A session's id.
pub(crate) fn read_session(row: &Row<'_>, column: usize) -> rusqlite::Result<SessionId> {
    row.get::<_, [u8; 16]>(column).map(SessionId::from)
}

/// A text that is one of a known few.
pub(crate) fn read_word<T>(row: &Row<'_>, column: usize, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
    let word: String = row.get(column)?;
    parse(&word).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(FromSqlError::InvalidType))
    })
}
