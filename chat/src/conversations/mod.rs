//! Conversations: what they are, making them, showing them, their title, and public channels.

pub(crate) mod channels;
pub(crate) mod create;
pub(crate) mod idempotency;
pub(crate) mod title;
pub(crate) mod view;

use protocol::chat::ConversationKind;
use protocol::{ConversationId, Millis, StreamId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::log::codes::Code;
use crate::log::row::{code, unsigned};
use crate::log::{Stream, stream};

/// A conversation as it stands in the transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Conversation {
    pub(crate) stream: Stream,
    pub(crate) kind: ConversationKind,
    pub(crate) title: Option<String>,
    pub(crate) created_at: Millis,
    pub(crate) members: u64,
}

/// The columns of [`Conversation::read`] behind those of the stream.
const COLUMNS: &str = "kind, title, created_at, members";

impl Conversation {
    pub(crate) fn id(&self) -> ConversationId {
        ConversationId(self.stream.id.id)
    }

    /// The conversation of this id.
    pub(crate) fn find(connection: &Connection, id: ConversationId) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached(&format!(
                "SELECT {}, {COLUMNS} FROM conversations JOIN streams USING (no) WHERE conversations.id = ?",
                stream::COLUMNS
            ))?
            .query_row([id.as_bytes()], |row| Self::read(id, row))
            .optional()
    }

    /// Reads a row of the stream's columns and ours.
    fn read(id: ConversationId, row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            stream: stream::read(StreamId::conversation(id), row)?,
            kind: code(row, 5)?,
            title: row.get(6)?,
            created_at: unsigned(row, 7)?,
            members: unsigned(row, 8)?,
        })
    }

    /// A new conversation without entries and members.
    pub(crate) fn insert(
        connection: &Connection,
        id: ConversationId,
        kind: ConversationKind,
        title: Option<String>,
        created_at: Millis,
    ) -> rusqlite::Result<Self> {
        let stream = Stream::create(connection, StreamId::conversation(id))?;
        connection
            .prepare_cached(
                "INSERT INTO conversations (no, id, kind, title, title_folded, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                stream.no,
                id.as_bytes(),
                kind.code(),
                title,
                title.as_deref().map(folded),
                created_at as i64
            ])?;
        Ok(Self { stream, kind, title, created_at, members: 0 })
    }

    /// Writes the number of members down.
    pub(crate) fn save_members(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection
            .prepare_cached("UPDATE conversations SET members = ? WHERE no = ?")?
            .execute(params![self.members as i64, self.stream.no])?;
        Ok(())
    }
}

/// A title as it is searched: without regard to upper and lower case.
pub(crate) fn folded(title: &str) -> String {
    title.to_lowercase()
}
