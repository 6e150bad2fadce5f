//! Going out, by oneself or not: `members.leave`, `members.kick`, `members.ban`, `members.unban`.

use protocol::chat::{Appended, Leaving, MemberRole};
use protocol::{ConversationId, ErrorCode, UserId};
use rusqlite::params;

use super::passage::go_out;
use super::seat::Seat;
use super::{rank, seat};
use crate::conversations::Conversation;
use crate::log::{Change, Content};
use crate::origin::Origin;
use crate::refuse::{Stop, refuse};

/// Leaves a group or channel. The last owner stays until there is another one, or nobody else.
pub(crate) fn leave(
    change: &mut Change<'_, '_>,
    origin: &Origin,
    conversation: ConversationId,
) -> Result<Appended, Stop> {
    let (mut conversation, own) = seat::enter(change.connection(), conversation, origin.user)?;
    rank::not_direct(conversation.kind)?;
    if own.role == MemberRole::Owner
        && conversation.members > 1
        && seat::owners(change.connection(), conversation.stream.no, 2)? < 2
    {
        return Err(refuse(ErrorCode::LastOwner, ErrorCode::LastOwner.meaning()));
    }
    let position = go_out(change, &mut conversation, &own, Leaving::Left, origin.user)?;
    change.audit(origin, "member.leave", conversation.id(), None)?;
    Ok(Appended { position })
}

/// Removes a member.
pub(crate) fn kick(
    change: &mut Change<'_, '_>,
    origin: &Origin,
    conversation: ConversationId,
    user: UserId,
) -> Result<Appended, Stop> {
    let (mut conversation, own) = judged(change, origin, conversation)?;
    let target = target(change, &conversation, origin, &own, user)?;
    let Some(target) = target else {
        return Err(refuse(ErrorCode::NotFound, "They are no member of this conversation."));
    };
    let position = go_out(change, &mut conversation, &target, Leaving::Kicked, origin.user)?;
    change.audit(origin, "member.kick", conversation.id(), Some(user))?;
    Ok(Appended { position })
}

/// Removes a user if they are in, and keeps them out. `unknown`: they have no account.
pub(crate) fn ban(
    change: &mut Change<'_, '_>,
    origin: &Origin,
    conversation: ConversationId,
    user: UserId,
    unknown: bool,
) -> Result<Appended, Stop> {
    let (mut conversation, own) = judged(change, origin, conversation)?;
    let target = target(change, &conversation, origin, &own, user)?;
    if unknown {
        return Err(refuse(ErrorCode::NotFound, format!("There is no user {user}.")));
    }
    let stream_no = conversation.stream.no;
    let banned = change
        .connection()
        .prepare_cached("INSERT OR IGNORE INTO bans (stream, user, at) VALUES (?, ?, ?)")?
        .execute(params![stream_no, user.as_bytes(), change.now as i64])?;
    if banned == 0 {
        return Ok(Appended { position: conversation.stream.head });
    }
    let position = match target {
        Some(target) => go_out(change, &mut conversation, &target, Leaving::Banned, origin.user)?,
        None => change.append(&mut conversation.stream, Content::Banned { user, by: origin.user })?,
    };
    change.audit(origin, "member.ban", conversation.id(), Some(user))?;
    Ok(Appended { position })
}

/// Lifts a ban.
pub(crate) fn unban(
    change: &mut Change<'_, '_>,
    origin: &Origin,
    conversation: ConversationId,
    user: UserId,
) -> Result<Appended, Stop> {
    let (mut conversation, _) = judged(change, origin, conversation)?;
    let lifted = change
        .connection()
        .prepare_cached("DELETE FROM bans WHERE stream = ? AND user = ?")?
        .execute(params![conversation.stream.no, user.as_bytes()])?;
    if lifted == 0 {
        return Ok(Appended { position: conversation.stream.head });
    }
    let position = change.append(&mut conversation.stream, Content::Unbanned { user, by: origin.user })?;
    change.audit(origin, "member.unban", conversation.id(), Some(user))?;
    Ok(Appended { position })
}

/// The conversation and the seat of a caller who may remove people at all.
fn judged(
    change: &Change<'_, '_>,
    origin: &Origin,
    conversation: ConversationId,
) -> Result<(Conversation, Seat), Stop> {
    let (conversation, own) = seat::enter(change.connection(), conversation, origin.user)?;
    rank::not_direct(conversation.kind)?;
    rank::at_least(own.role, MemberRole::Admin)?;
    Ok((conversation, own))
}

/// The seat of a target that the caller may act on; `None` when they are no member.
fn target(
    change: &Change<'_, '_>,
    conversation: &Conversation,
    origin: &Origin,
    own: &Seat,
    user: UserId,
) -> Result<Option<Seat>, Stop> {
    if user == origin.user {
        return Err(refuse(ErrorCode::Conflict, "That is yourself: leave the conversation instead."));
    }
    let target = seat::find(change.connection(), conversation.stream.no, user)?;
    rank::over(own.role, target.map(|target| target.role))?;
    Ok(target)
}
