//! `messages.revisions`: former texts of a message, for the server's moderators, of every conversation by its id.

use protocol::chat::{Revision, Revisions};
use protocol::{ConversationId, ErrorCode, Seq};
use rusqlite::{Connection, params};

use super::message;
use crate::conversations::Conversation;
use crate::log::row::{id, unsigned};
use crate::origin::Origin;
use crate::refuse::{Stop, not_found, refuse};

/// Former texts, the oldest first.
pub(crate) fn revisions(
    connection: &Connection,
    origin: &Origin,
    conversation: ConversationId,
    seq: Seq,
) -> Result<Revisions, Stop> {
    if !origin.is_moderator() {
        return Err(refuse(ErrorCode::Forbidden, "Only moderators read former texts."));
    }
    let conversation = Conversation::find(connection, conversation)?.ok_or_else(not_found)?;
    message(connection, &conversation.stream, seq)?;
    let mut statement = connection.prepare_cached(
        "SELECT revision, text, replaced_at, replaced_by FROM revisions WHERE stream = ? AND seq = ? ORDER BY revision",
    )?;
    let revisions = statement
        .query_map(params![conversation.stream.no, seq as i64], |row| {
            Ok(Revision {
                revision: row.get(0)?,
                text: row.get(1)?,
                replaced_at: unsigned(row, 2)?,
                replaced_by: id(row, 3)?.into(),
            })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(Revisions { revisions })
}
