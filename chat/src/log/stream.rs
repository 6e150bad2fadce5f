//! The head of a log.

use protocol::{Position, Seq, StreamId, Tag};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::row::unsigned;

/// A log's head, as it stands in the transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stream {
    pub(crate) id: StreamId,
    /// Its number in this store.
    pub(crate) no: i64,
    pub(crate) head: Position,
    /// The running number of messages at the head.
    pub(crate) number: u64,
    /// The last message, 0 when there is none.
    pub(crate) last_message: Seq,
}

/// The columns of [`read`], in its order.
pub(crate) const COLUMNS: &str = "streams.no, head_seq, head_tag, number, last_message";

/// Reads a row of [`COLUMNS`].
pub(crate) fn read(id: StreamId, row: &Row<'_>) -> rusqlite::Result<Stream> {
    Ok(Stream {
        id,
        no: row.get(0)?,
        head: Position { seq: unsigned(row, 1)?, tag: Tag(row.get(2)?) },
        number: unsigned(row, 3)?,
        last_message: unsigned(row, 4)?,
    })
}

impl Stream {
    /// The log of this name, if it was ever begun.
    pub(crate) fn find(connection: &Connection, id: StreamId) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached("SELECT no, head_seq, head_tag, number, last_message FROM streams WHERE key = ?")?
            .query_row([id.to_key()], |row| read(id, row))
            .optional()
    }

    /// A new, empty log.
    pub(crate) fn create(connection: &Connection, id: StreamId) -> rusqlite::Result<Self> {
        connection.prepare_cached("INSERT INTO streams (key) VALUES (?)")?.execute([id.to_key()])?;
        let no = connection.last_insert_rowid();
        Ok(Self { id, no, head: Position::default(), number: 0, last_message: 0 })
    }

    /// The log of this name, begun where it is new.
    pub(crate) fn find_or_create(connection: &Connection, id: StreamId) -> rusqlite::Result<Self> {
        match Self::find(connection, id)? {
            Some(stream) => Ok(stream),
            None => Self::create(connection, id),
        }
    }

    /// Writes the head down.
    pub(crate) fn save(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection
            .prepare_cached("UPDATE streams SET head_seq = ?, head_tag = ?, number = ?, last_message = ? WHERE no = ?")?
            .execute(params![
                self.head.seq as i64,
                self.head.tag.0,
                self.number as i64,
                self.last_message as i64,
                self.no
            ])?;
        Ok(())
    }
}
