//! Coming in and going out: the conversation's entry, the membership, the count, and the entry in the user's own log, together.

use link::Refusal;
use protocol::chat::{ConversationJoined, ConversationKind, ConversationLeft, Leaving, MemberRole};
use protocol::limits::{MEMBERS_MAX, PRESENCE_PUSH_MEMBERS_MAX};
use protocol::{ConversationId, ErrorCode, Position, Seq, UserId};
use rusqlite::params;

use super::seat::{self, Seat};
use crate::conversations::Conversation;
use crate::log::{Change, Content};
use crate::refuse::Stop;

/// Somebody comes in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entrance {
    pub(crate) user: UserId,
    pub(crate) role: MemberRole,
    pub(crate) by: UserId,
    /// The first entry they see; `None` for the rule of the kind: a channel's members see all of it, a group's from their
    /// joining on.
    pub(crate) first_seq: Option<Seq>,
    /// The other person of a 1-1 conversation.
    pub(crate) peer: Option<UserId>,
}

/// Lets somebody in who is not in.
pub(crate) fn come_in(
    change: &mut Change<'_, '_>,
    conversation: &mut Conversation,
    entrance: Entrance,
) -> Result<Position, Stop> {
    if conversation.members >= MEMBERS_MAX as u64 {
        return Err(Refusal::new(ErrorCode::Conflict, "The conversation is full.").into());
    }
    let Entrance { user, role, by, first_seq, peer } = entrance;
    let number = conversation.stream.number;
    let own_number = seat::former_own_number(change.connection(), conversation.stream.no, user)?;
    let position = change.append(&mut conversation.stream, Content::Joined { user, role, by })?;
    let first_seq = first_seq.unwrap_or(match conversation.kind {
        ConversationKind::Channel => 1,
        ConversationKind::Direct | ConversationKind::Group => position.seq,
    });
    conversation.members += 1;
    conversation.save_members(change.connection())?;
    change
        .connection()
        .prepare_cached(
            "INSERT INTO memberships
                 (stream, user, joined_seq, first_seq, role, read_seq, read_number, delivered_seq, own_number, read_own)
             VALUES (?1, ?2, ?3, ?4, ?5, ?3, ?6, ?3, ?7, ?7)",
        )?
        .execute(params![
            conversation.stream.no,
            user.as_bytes(),
            position.seq as i64,
            first_seq as i64,
            crate::log::codes::Code::code(role),
            number as i64,
            own_number as i64,
        ])?;
    let body = ConversationJoined {
        conversation: conversation.id(),
        kind: conversation.kind,
        title: conversation.title.clone(),
        peer,
        role,
        first_seq,
        joined_seq: position.seq,
        number,
        own_number,
    };
    change.append_to_user(user, Content::Entered(body, position.tag))?;
    if conversation.members <= PRESENCE_PUSH_MEMBERS_MAX as u64 {
        change.came_in(conversation.id(), user);
    }
    Ok(position)
}

/// Ends a membership.
pub(crate) fn go_out(
    change: &mut Change<'_, '_>,
    conversation: &mut Conversation,
    seat: &Seat,
    how: Leaving,
    by: UserId,
) -> Result<Position, Stop> {
    let position = change.append(&mut conversation.stream, Content::Left { user: seat.user, how, by })?;
    conversation.members = conversation.members.saturating_sub(1);
    conversation.save_members(change.connection())?;
    change
        .connection()
        .prepare_cached(
            "UPDATE memberships SET left_seq = ?, untold = 0 WHERE stream = ? AND user = ? AND joined_seq = ?",
        )?
        .execute(params![position.seq as i64, conversation.stream.no, seat.user.as_bytes(), seat.joined_seq as i64])?;
    let body =
        ConversationLeft { conversation: ConversationId(conversation.stream.id.id), left_seq: position.seq, how };
    change.append_to_user(seat.user, Content::Gone(body, position.tag))?;
    Ok(position)
}
