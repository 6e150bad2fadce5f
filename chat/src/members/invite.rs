//! `members.invite`.

use std::collections::HashSet;

use link::Refusal;
use protocol::chat::{Appended, ConversationKind, Invite, MemberRole};
use protocol::limits::MEMBERS_PER_REQUEST_MAX;
use protocol::{ConversationId, ErrorCode, UserId};

use super::passage::{Entrance, come_in};
use super::{rank, seat};
use crate::log::Change;
use crate::origin::Origin;
use crate::refuse::{Stop, invalid, refuse};

/// Whom the request names, each once.
pub(crate) fn named(request: Invite) -> Result<Vec<UserId>, Refusal> {
    let mut users = request.users;
    if users.is_empty() || users.len() > MEMBERS_PER_REQUEST_MAX {
        return Err(invalid(format!("users: name 1 to {MEMBERS_PER_REQUEST_MAX}")));
    }
    let mut seen = HashSet::new();
    users.retain(|user| seen.insert(*user));
    Ok(users)
}

/// Adds users to a group. `unknown` are those of them who have no account; that is told only to who may invite.
pub(crate) fn invite(
    change: &mut Change<'_, '_>,
    origin: &Origin,
    conversation: ConversationId,
    users: &[UserId],
    unknown: &[UserId],
) -> Result<Appended, Stop> {
    let (mut conversation, own) = seat::enter(change.connection(), conversation, origin.user)?;
    rank::not_direct(conversation.kind)?;
    if conversation.kind == ConversationKind::Channel {
        return Err(refuse(ErrorCode::Conflict, "A channel is public: people join it by themselves."));
    }
    rank::at_least(own.role, MemberRole::Admin)?;
    if let Some(user) = unknown.first() {
        return Err(refuse(ErrorCode::NotFound, format!("There is no user {user}.")));
    }
    for user in users {
        if seat::is_banned(change.connection(), conversation.stream.no, *user)? {
            return Err(refuse(ErrorCode::Conflict, format!("{user} is banned here: lift the ban first.")));
        }
    }
    for user in users {
        if seat::find(change.connection(), conversation.stream.no, *user)?.is_some() {
            continue;
        }
        let entrance = Entrance { user: *user, role: MemberRole::Member, by: origin.user, first_seq: None, peer: None };
        come_in(change, &mut conversation, entrance)?;
        change.audit(origin, "member.invite", conversation.id(), Some(*user))?;
    }
    Ok(Appended { position: conversation.stream.head })
}
