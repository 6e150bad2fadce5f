//! `members.role`.

use protocol::chat::{Appended, MemberRole, SetMemberRole};
use protocol::{ConversationId, ErrorCode};
use rusqlite::params;

use super::{rank, seat};
use crate::log::codes::Code;
use crate::log::{Change, Content};
use crate::origin::Origin;
use crate::refuse::{Stop, refuse};

/// Gives a member a role. The last owner can't give it up.
pub(crate) fn set(
    change: &mut Change<'_, '_>,
    origin: &Origin,
    conversation: ConversationId,
    request: &SetMemberRole,
) -> Result<Appended, Stop> {
    let (mut conversation, own) = seat::enter(change.connection(), conversation, origin.user)?;
    rank::not_direct(conversation.kind)?;
    rank::at_least(own.role, MemberRole::Owner)?;
    let stream_no = conversation.stream.no;
    let Some(target) = seat::find(change.connection(), stream_no, request.user)? else {
        return Err(refuse(ErrorCode::NotFound, "They are no member of this conversation."));
    };
    if target.role == request.role {
        return Ok(Appended { position: conversation.stream.head });
    }
    if target.role == MemberRole::Owner && seat::owners(change.connection(), stream_no, 2)? < 2 {
        return Err(refuse(ErrorCode::LastOwner, ErrorCode::LastOwner.meaning()));
    }
    change
        .connection()
        .prepare_cached("UPDATE memberships SET role = ? WHERE stream = ? AND user = ? AND joined_seq = ?")?
        .execute(params![request.role.code(), stream_no, request.user.as_bytes(), target.joined_seq as i64])?;
    let content = Content::RoleChanged { user: request.user, role: request.role, by: origin.user };
    let position = change.append(&mut conversation.stream, content)?;
    change.audit(origin, "member.role", conversation.id(), Some(request.user))?;
    Ok(Appended { position })
}
