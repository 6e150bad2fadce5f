//! Who may hear of whom: those who share a conversation.

use protocol::limits::PRESENCE_PUSH_MEMBERS_MAX;
use protocol::{Millis, UserId};
use rusqlite::{Connection, OptionalExtension, params};

use crate::log::row::{id, unsigned};

/// The most people one change is told to.
const AUDIENCE_MAX: i64 = 20_000;

/// Everybody in the conversations of up to 100 that the user is in.
pub(crate) fn pushed_to(connection: &Connection, user: UserId) -> rusqlite::Result<Vec<UserId>> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT theirs.user
         FROM memberships AS own
             CROSS JOIN conversations ON conversations.no = own.stream AND conversations.members <= ?2
             CROSS JOIN memberships AS theirs ON theirs.stream = own.stream AND theirs.left_seq IS NULL
         WHERE own.user = ?1 AND own.left_seq IS NULL AND theirs.user <> ?1 LIMIT ?3",
    )?;
    statement
        .query_map(params![user.as_bytes(), PRESENCE_PUSH_MEMBERS_MAX as i64, AUDIENCE_MAX], |row| {
            id(row, 0).map(UserId::from)
        })?
        .collect()
}

/// Whether the two are in one conversation, of whatever size. Everybody may see themselves.
pub(crate) fn share(connection: &Connection, one: UserId, other: UserId) -> rusqlite::Result<bool> {
    if one == other {
        return Ok(true);
    }
    connection
        .prepare_cached(
            "SELECT 1 FROM memberships AS own CROSS JOIN memberships AS theirs
                 ON theirs.stream = own.stream AND theirs.user = ?2 AND theirs.left_seq IS NULL
             WHERE own.user = ?1 AND own.left_seq IS NULL",
        )?
        .exists(params![one.as_bytes(), other.as_bytes()])
}

/// What was written down of somebody: when they were last seen, and under which version that was told.
pub(crate) fn written(connection: &Connection, user: UserId) -> rusqlite::Result<Option<(Millis, u64)>> {
    connection
        .prepare_cached("SELECT last_seen_at, version FROM presence WHERE user = ?")?
        .query_row([user.as_bytes()], |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?)))
        .optional()
}
