//! `messages.delete`: for all, by the author, the conversation's admins and owners, and the server's moderators.
//!
//! Moderators of the server act on messages of every conversation, named by its id, whether they are members or not; everyone
//! else only on what they see.

use protocol::chat::{Appended, MemberRole};
use protocol::{ConversationId, ErrorCode, Seq};
use rusqlite::params;

use super::edit::keep_revision;
use super::message;
use crate::conversations::Conversation;
use crate::log::{Change, Content};
use crate::members::seat;
use crate::origin::Origin;
use crate::refuse::{Stop, not_found, refuse};

/// Deletes a message; deleting again changes nothing.
pub(crate) fn delete(
    change: &mut Change<'_, '_>,
    origin: &Origin,
    conversation: ConversationId,
    seq: Seq,
) -> Result<Appended, Stop> {
    let connection = change.connection();
    let mut conversation = Conversation::find(connection, conversation)?.ok_or_else(not_found)?;
    let stream = conversation.stream;
    let own = seat::find(connection, stream.no, origin.user)?;
    let sees = own.is_some() && seat::visibility(connection, stream.no, origin.user)?.sees(seq);
    if !sees && !origin.is_moderator() {
        return Err(not_found());
    }
    let before = message(connection, &stream, seq)?;
    let is_author = sees && before.by == origin.user;
    let is_admin = sees && own.is_some_and(|own| own.role >= MemberRole::Admin);
    if !is_author && !is_admin && !origin.is_moderator() {
        return Err(refuse(ErrorCode::Forbidden, "Its author, an admin or owner, or a moderator deletes a message."));
    }
    if before.deleted {
        return Ok(Appended { position: stream.head });
    }
    let position = change.append(&mut conversation.stream, Content::Deleted { target: seq, by: origin.user })?;
    keep_revision(change, stream.no, seq, before.revision, &before.text, origin.user, position.seq)?;
    connection
        .prepare_cached("UPDATE entries SET text = '', detail = 1 WHERE stream = ? AND seq = ?")?
        .execute(params![stream.no, seq as i64])?;
    // The entries of its edits say its text too. What replaced revision n is told by the entry that `replaced_in` names.
    connection
        .prepare_cached(
            "UPDATE entries SET text = '' WHERE stream = ?1 AND kind = 9 AND seq IN
                 (SELECT replaced_in FROM revisions WHERE stream = ?1 AND seq = ?2)",
        )?
        .execute(params![stream.no, seq as i64])?;
    if !is_author {
        change.audit(origin, "message.delete", conversation.id(), Some(before.by))?;
    }
    Ok(Appended { position })
}
