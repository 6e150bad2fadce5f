//! `messages.edit`.

use protocol::chat::{Appended, EditMessage};
use protocol::{ConversationId, ErrorCode, Seq, UserId};
use rusqlite::params;

use super::{claim, claimed, message};
use crate::conversations::Conversation;
use crate::log::{Change, Content};
use crate::members::seat;
use crate::refuse::{Stop, not_found, refuse};

/// Changes the text of an own message; a resend of the same edit gets the answer of the first.
pub(crate) fn edit(
    change: &mut Change<'_, '_>,
    caller: UserId,
    conversation: ConversationId,
    request: EditMessage,
) -> Result<Appended, Stop> {
    let connection = change.connection();
    let mut conversation = Conversation::find(connection, conversation)?.ok_or_else(not_found)?;
    let stream = conversation.stream;
    if !claim(connection, stream.no, caller, request.client_id, stream.head.seq + 1)? {
        let entry = claimed(connection, &stream, caller, request.client_id)?.ok_or_else(not_found)?;
        return match entry.content {
            Content::Edited { target, .. } if target == request.seq => Ok(Appended { position: entry.position }),
            _ => Err(refuse(ErrorCode::Conflict, "client_id: it was used for something else; make a new one.")),
        };
    }
    seat::find(connection, stream.no, caller)?.ok_or_else(not_found)?;
    if !seat::visibility(connection, stream.no, caller)?.sees(request.seq) {
        return Err(not_found());
    }
    let before = message(connection, &stream, request.seq)?;
    if before.by != caller {
        return Err(refuse(ErrorCode::Forbidden, "Only its author edits a message."));
    }
    if before.deleted {
        return Err(refuse(ErrorCode::MessageDeleted, ErrorCode::MessageDeleted.meaning()));
    }
    let revision = before.revision + 1;
    connection
        .prepare_cached("UPDATE entries SET text = ?, edited_at = ?, revision = ? WHERE stream = ? AND seq = ?")?
        .execute(params![request.text, change.now as i64, revision, stream.no, request.seq as i64])?;
    let content = Content::Edited {
        target: request.seq,
        text: request.text,
        revision,
        by: caller,
        client_id: request.client_id,
        by_rights: seat::began_after(connection, stream.no, request.seq)?,
    };
    let position = change.append(&mut conversation.stream, content)?;
    keep_revision(change, stream.no, request.seq, before.revision, &before.text, caller, position.seq)?;
    Ok(Appended { position })
}

/// Moves a text that was replaced to the revisions.
pub(crate) fn keep_revision(
    change: &Change<'_, '_>,
    stream_no: i64,
    seq: Seq,
    revision: u32,
    text: &str,
    replaced_by: UserId,
    replaced_in: Seq,
) -> Result<(), Stop> {
    change
        .connection()
        .prepare_cached(
            "INSERT INTO revisions (stream, seq, revision, text, replaced_at, replaced_by, replaced_in)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            stream_no,
            seq as i64,
            revision,
            text,
            change.now as i64,
            replaced_by.as_bytes(),
            replaced_in as i64
        ])?;
    Ok(())
}
