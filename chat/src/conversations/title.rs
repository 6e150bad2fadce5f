//! Titles: their form, and `conversations.update`.

use link::Refusal;
use protocol::chat::{Appended, MemberRole};
use protocol::limits::TITLE_CHARS_MAX;
use protocol::{ConversationId, UserId};
use rusqlite::params;

use super::folded;
use crate::log::{Change, Content};
use crate::members::{rank, seat};
use crate::refuse::{Stop, invalid};

/// A title without blanks around it, if it is one.
pub(crate) fn checked(title: String) -> Result<String, Refusal> {
    let trimmed = title.trim();
    let chars = trimmed.chars().count();
    if chars == 0 || chars > TITLE_CHARS_MAX || trimmed.chars().any(char::is_control) {
        return Err(invalid(format!("title: 1 to {TITLE_CHARS_MAX} characters, no control characters")));
    }
    Ok(if trimmed.len() == title.len() { title } else { trimmed.to_owned() })
}

/// Changes the title.
pub(crate) fn update(
    change: &mut Change<'_, '_>,
    caller: UserId,
    conversation: ConversationId,
    title: String,
) -> Result<Appended, Stop> {
    let (mut conversation, seat) = seat::enter(change.connection(), conversation, caller)?;
    rank::not_direct(conversation.kind)?;
    rank::at_least(seat.role, MemberRole::Admin)?;
    if conversation.title.as_ref() == Some(&title) {
        return Ok(Appended { position: conversation.stream.head });
    }
    change
        .connection()
        .prepare_cached("UPDATE conversations SET title = ?, title_folded = ? WHERE no = ?")?
        .execute(params![title, folded(&title), conversation.stream.no])?;
    let position = change.append(&mut conversation.stream, Content::Updated { title, by: caller })?;
    Ok(Appended { position })
}
