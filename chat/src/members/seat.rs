//! A membership as it is stored: one interval of the log, with a role and the markers.

use protocol::chat::{MemberRole, ReadMarker};
use protocol::{ConversationId, Seq, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::conversations::Conversation;
use crate::log::row::{code, id, unsigned};
use crate::log::visibility::{Interval, Visibility};
use crate::refuse::{Stop, not_found};

/// A membership that lasts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Seat {
    pub(crate) user: UserId,
    pub(crate) role: MemberRole,
    pub(crate) joined_seq: Seq,
    pub(crate) first_seq: Seq,
    pub(crate) read: ReadMarker,
    pub(crate) delivered_seq: Seq,
    /// The running number of own messages.
    pub(crate) own_number: u64,
}

/// The columns of [`read`], in its order.
pub(crate) const COLUMNS: &str =
    "user, role, joined_seq, first_seq, read_seq, read_number, read_own, delivered_seq, own_number";

/// Reads a row of [`COLUMNS`] that begins at `from`.
pub(crate) fn read(row: &Row<'_>, from: usize) -> rusqlite::Result<Seat> {
    Ok(Seat {
        user: id(row, from)?.into(),
        role: code(row, from + 1)?,
        joined_seq: unsigned(row, from + 2)?,
        first_seq: unsigned(row, from + 3)?,
        read: ReadMarker {
            seq: unsigned(row, from + 4)?,
            number: unsigned(row, from + 5)?,
            own_number: unsigned(row, from + 6)?,
        },
        delivered_seq: unsigned(row, from + 7)?,
        own_number: unsigned(row, from + 8)?,
    })
}

/// The user's present membership.
pub(crate) fn find(connection: &Connection, stream_no: i64, user: UserId) -> rusqlite::Result<Option<Seat>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM memberships WHERE stream = ? AND user = ? AND left_seq IS NULL"
        ))?
        .query_row(params![stream_no, user.as_bytes()], |row| read(row, 0))
        .optional()
}

/// The conversation and the caller's seat in it; for anyone else it does not exist.
pub(crate) fn enter(
    connection: &Connection,
    conversation: ConversationId,
    user: UserId,
) -> Result<(Conversation, Seat), Stop> {
    let conversation = Conversation::find(connection, conversation)?.ok_or_else(not_found)?;
    let seat = find(connection, conversation.stream.no, user)?.ok_or_else(not_found)?;
    Ok((conversation, seat))
}

/// What the user may see of a conversation's log, by all their memberships.
pub(crate) fn visibility(connection: &Connection, stream_no: i64, user: UserId) -> rusqlite::Result<Visibility> {
    let mut statement =
        connection.prepare_cached("SELECT first_seq, left_seq FROM memberships WHERE stream = ? AND user = ?")?;
    let intervals = statement
        .query_map(params![stream_no, user.as_bytes()], |row| {
            Ok(Interval { first: unsigned(row, 0)?, last: row.get::<_, Option<i64>>(1)?.map(|seq| seq as Seq) })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(Visibility::new(intervals))
}

/// The running number of own messages at which somebody's last membership ended; 0 for who was never in.
pub(crate) fn former_own_number(connection: &Connection, stream_no: i64, user: UserId) -> rusqlite::Result<u64> {
    let last = connection
        .prepare_cached(
            "SELECT own_number FROM memberships WHERE stream = ? AND user = ? ORDER BY joined_seq DESC LIMIT 1",
        )?
        .query_row(params![stream_no, user.as_bytes()], |row| unsigned(row, 0))
        .optional()?;
    Ok(last.unwrap_or(0))
}

/// Whether some present membership shows the log only from behind this entry on.
pub(crate) fn began_after(connection: &Connection, stream_no: i64, seq: Seq) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM memberships WHERE stream = ? AND first_seq > ? AND left_seq IS NULL")?
        .exists(params![stream_no, seq as i64])
}

/// How many owners there are; never more than asked for.
pub(crate) fn owners(connection: &Connection, stream_no: i64, at_most: u32) -> rusqlite::Result<u32> {
    connection
        .prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM memberships
             WHERE stream = ? AND left_seq IS NULL AND role = 2 LIMIT ?)",
        )?
        .query_row(params![stream_no, at_most], |row| row.get(0))
}

/// Whether the user is kept out.
pub(crate) fn is_banned(connection: &Connection, stream_no: i64, user: UserId) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM bans WHERE stream = ? AND user = ?")?
        .exists(params![stream_no, user.as_bytes()])
}
