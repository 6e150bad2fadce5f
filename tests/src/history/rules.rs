//! Whether an entry is legal against the state folded from the entries before it: the rules of roles, written down a second
//! time, so that the store and the checker would have to be wrong in the same way.

use protocol::chat::{ConversationKind, Leaving, MemberRole};
use protocol::{Seq, UserId};

use super::content::Content;
use super::state::{MessageSoFar, State};

/// What the rules ask the log.
pub(crate) trait Before {
    /// The message with this number, if there is one.
    fn message(&self, seq: Seq) -> Option<MessageSoFar>;
    /// Whether the user sees the entry.
    fn sees(&self, user: UserId, seq: Seq) -> bool;
    /// Whether the user may delete everywhere.
    fn is_moderator(&self, user: UserId) -> bool;
}

type Verdict = Result<(), &'static str>;

fn must(condition: bool, otherwise: &'static str) -> Verdict {
    if condition { Ok(()) } else { Err(otherwise) }
}

/// Judges an entry after the first.
pub(crate) fn judge(state: &State, before: &impl Before, content: &Content) -> Verdict {
    match content {
        Content::Created { .. } => Err("a conversation is created once"),
        Content::Joined { user, role, by } => joined(state, *user, *role, *by),
        Content::Left { user, how, by } => left(state, *user, *how, *by),
        Content::Updated { by, title } => {
            changeable(state)?;
            at_least(state, *by, MemberRole::Admin)?;
            must(state.title != Some(*title), "the title was that already")
        }
        Content::Role { user, role, by } => {
            changeable(state)?;
            at_least(state, *by, MemberRole::Owner)?;
            let now = state.members.get(user).ok_or("a role of somebody who is no member")?;
            must(now != role, "the role was that already")?;
            must(*now != MemberRole::Owner || state.owners() > 1, "the last owner was demoted")
        }
        Content::Banned { user, by } => {
            changeable(state)?;
            at_least(state, *by, MemberRole::Admin)?;
            must(!state.members.contains_key(user), "a member is banned by being removed")?;
            must(!state.banned.contains(user), "they were banned already")
        }
        Content::Unbanned { user, by } => {
            changeable(state)?;
            at_least(state, *by, MemberRole::Admin)?;
            must(state.banned.contains(user), "they were not banned")
        }
        Content::Message(message) => {
            member(state, message.by)?;
            must(message.number == state.number + 1, "the running number is wrong")?;
            let Some(answered) = message.reply_to else { return Ok(()) };
            before.message(answered).ok_or("it answers what is no message")?;
            must(before.sees(message.by, answered), "it answers what its author does not see")
        }
        Content::Edited { target, revision, by, .. } => {
            member(state, *by)?;
            let message = before.message(*target).ok_or("an edit of what is no message")?;
            must(message.by == *by, "an edit by somebody else")?;
            must(before.sees(*by, *target), "an edit of what its author does not see")?;
            must(!message.deleted, "an edit of a deleted message")?;
            must(*revision == message.revision + 1, "the revision is wrong")
        }
        Content::Deleted { target, by } => {
            let message = before.message(*target).ok_or("a delete of what is no message")?;
            must(!message.deleted, "it was deleted already")?;
            if before.is_moderator(*by) {
                return Ok(());
            }
            let role = *member(state, *by)?;
            must(before.sees(*by, *target), "a delete of what they do not see")?;
            must(message.by == *by || role >= MemberRole::Admin, "a delete by somebody who may not")
        }
        Content::Called(record) => {
            must(record.status.is_over(), "a record of a call that goes on")?;
            must(!state.calls.contains(&record.call), "a call's record is written once")
        }
    }
}

fn joined(state: &State, user: UserId, role: MemberRole, by: UserId) -> Verdict {
    must(!state.members.contains_key(&user), "they were a member already")?;
    if state.founding && by == state.creator {
        let founder = user == state.creator && state.kind != ConversationKind::Direct;
        let right = if founder { MemberRole::Owner } else { MemberRole::Member };
        return must(role == right, "a first member in a wrong role");
    }
    must(!state.banned.contains(&user), "they are banned")?;
    must(role == MemberRole::Member, "who comes in is a plain member")?;
    match state.kind {
        ConversationKind::Direct => Err("a 1-1 conversation has always the same two"),
        ConversationKind::Channel => {
            must(user == by, "a channel is joined by oneself")?;
            must(!state.members.is_empty(), "everybody had left the channel")
        }
        ConversationKind::Group => at_least(state, by, MemberRole::Admin),
    }
}

fn left(state: &State, user: UserId, how: Leaving, by: UserId) -> Verdict {
    changeable(state)?;
    let role = *state.members.get(&user).ok_or("they were no member")?;
    if how == Leaving::Left {
        must(user == by, "only oneself leaves")?;
        let alone = state.members.len() == 1;
        return must(role != MemberRole::Owner || alone || state.owners() > 1, "the last owner left");
    }
    must(user != by, "nobody removes themselves")?;
    let actor = *member(state, by)?;
    must(actor >= MemberRole::Admin, "removed by a plain member")?;
    must(actor == MemberRole::Owner || role < actor, "removed by somebody not above them")
}

fn changeable(state: &State) -> Verdict {
    must(state.kind != ConversationKind::Direct, "a 1-1 conversation has always the same two and no title")
}

fn member(state: &State, user: UserId) -> Result<&MemberRole, &'static str> {
    state.members.get(&user).ok_or("by somebody who is no member")
}

fn at_least(state: &State, user: UserId, need: MemberRole) -> Verdict {
    must(*member(state, user)? >= need, "by a role that may not")
}
