//! Messages: sending, changing, deleting, reading back.
//!
//! An edit or a deletion is an entry of its own *and* rewrites the entry it is about, so that history and sync show the present
//! text; the text that was replaced moves to the revisions, which moderators read.

pub(crate) mod delete;
pub(crate) mod edit;
pub(crate) mod history;
pub(crate) mod revisions;
pub(crate) mod send;

use link::Refusal;
use protocol::limits::TEXT_CHARS_MAX;
use protocol::{ClientId, Seq, UserId};
use rusqlite::{Connection, OptionalExtension, params};

use crate::log::row::unsigned;
use crate::log::{Entry, Stream, Text, page};
use crate::refuse::{Stop, invalid, not_found};

/// A text that may be sent.
pub(crate) fn checked_text(text: &str) -> Result<(), Refusal> {
    // A text of so few bytes can't have too many characters.
    let too_long = text.len() > TEXT_CHARS_MAX && text.chars().count() > TEXT_CHARS_MAX;
    // SQLite ends a text at a NUL when it measures it.
    if too_long || text.trim().is_empty() || text.contains('\0') {
        return Err(invalid(format!("text: 1 to {TEXT_CHARS_MAX} characters, not only blanks, no NUL")));
    }
    Ok(())
}

/// Takes note of a client-made id; `false` when the sender has used it in this conversation before.
pub(crate) fn claim(
    connection: &Connection,
    stream_no: i64,
    sender: UserId,
    client_id: ClientId,
    seq: Seq,
) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO client_ids (stream, sender, client_id, seq) VALUES (?, ?, ?, ?)")?
        .execute(params![stream_no, sender.as_bytes(), client_id.as_bytes(), seq as i64])
        .map(|inserted| inserted == 1)
}

/// The entry that the sender made with this id.
pub(crate) fn claimed(
    connection: &Connection,
    stream: &Stream,
    sender: UserId,
    client_id: ClientId,
) -> rusqlite::Result<Option<Entry>> {
    let seq = connection
        .prepare_cached("SELECT seq FROM client_ids WHERE stream = ? AND sender = ? AND client_id = ?")?
        .query_row(params![stream.no, sender.as_bytes(), client_id.as_bytes()], |row| unsigned(row, 0))
        .optional()?;
    match seq {
        Some(seq) => page::entry(connection, stream, seq),
        None => Ok(None),
    }
}

/// The message with this number; anything else is not found.
pub(crate) fn message(connection: &Connection, stream: &Stream, seq: Seq) -> Result<Text, Stop> {
    let entry = page::entry(connection, stream, seq)?.ok_or_else(not_found)?;
    match entry.content {
        crate::log::Content::Message(text) => Ok(text),
        _ => Err(not_found()),
    }
}
