//! Who may do what to whom: pure rules, without a store.
//!
//! Each role includes the ones before it. Nobody acts on someone of an equal or a higher role; an owner may act on everyone.
//! In a 1-1 conversation there is nobody to act on: both stay.

use link::Refusal;
use protocol::ErrorCode;
use protocol::chat::{ConversationKind, MemberRole};

/// Acting as at least this role.
pub(crate) fn at_least(have: MemberRole, need: MemberRole) -> Result<(), Refusal> {
    if have >= need {
        return Ok(());
    }
    Err(Refusal::new(
        ErrorCode::Forbidden,
        match need {
            MemberRole::Owner => "Only an owner of this conversation may do that.",
            MemberRole::Admin | MemberRole::Member => "Only an owner or admin of this conversation may do that.",
        },
    ))
}

/// Removing, banning or changing somebody of this role; `None` is somebody who is no member.
pub(crate) fn over(actor: MemberRole, target: Option<MemberRole>) -> Result<(), Refusal> {
    at_least(actor, MemberRole::Admin)?;
    if actor == MemberRole::Owner || target.is_none_or(|target| target < actor) {
        return Ok(());
    }
    Err(Refusal::new(ErrorCode::Forbidden, "Their role is not below yours: ask an owner."))
}

/// Changing members at all.
pub(crate) fn not_direct(kind: ConversationKind) -> Result<(), Refusal> {
    match kind {
        ConversationKind::Direct => {
            Err(Refusal::new(ErrorCode::Conflict, "A 1-1 conversation has always the same two members and no title."))
        }
        ConversationKind::Group | ConversationKind::Channel => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MemberRole::{Admin, Member, Owner};

    #[test]
    fn nobody_acts_on_an_equal_or_higher_role_but_owners_act_on_all() {
        for (actor, target, allowed) in [
            (Member, None, false),
            (Member, Some(Member), false),
            (Admin, None, true),
            (Admin, Some(Member), true),
            (Admin, Some(Admin), false),
            (Admin, Some(Owner), false),
            (Owner, Some(Member), true),
            (Owner, Some(Admin), true),
            (Owner, Some(Owner), true),
        ] {
            assert_eq!(over(actor, target).is_ok(), allowed, "{actor:?} on {target:?}");
        }
    }

    #[test]
    fn a_role_includes_the_ones_before_it() {
        for have in [Member, Admin, Owner] {
            for need in [Member, Admin, Owner] {
                assert_eq!(at_least(have, need).is_ok(), have >= need);
            }
        }
    }
}
