//! The state of a conversation, folded from its log: who is in, as what, and who is kept out.

use std::collections::{HashMap, HashSet};

use protocol::chat::{ConversationKind, Leaving, MemberRole};
use protocol::{CallId, Seq, UserId};

use super::content::{Content, TextHash};

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) kind: ConversationKind,
    pub(crate) creator: UserId,
    pub(crate) title: Option<TextHash>,
    pub(crate) members: HashMap<UserId, MemberRole>,
    pub(crate) banned: HashSet<UserId>,
    /// The calls whose records were written.
    pub(crate) calls: HashSet<CallId>,
    /// Nothing but the creation and its first members so far.
    pub(crate) founding: bool,
    /// The running number of messages.
    pub(crate) number: u64,
}

/// A message as the log has it so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageSoFar {
    pub(crate) by: UserId,
    pub(crate) revision: u32,
    pub(crate) deleted: bool,
}

impl State {
    /// Of a log with this first entry.
    pub(crate) fn begin(first: &Content) -> Option<Self> {
        let Content::Created { kind, title, by } = first else { return None };
        Some(Self {
            kind: *kind,
            creator: *by,
            title: *title,
            members: HashMap::new(),
            banned: HashSet::new(),
            calls: HashSet::new(),
            founding: true,
            number: 0,
        })
    }

    pub(crate) fn owners(&self) -> usize {
        self.members.values().filter(|role| **role == MemberRole::Owner).count()
    }

    /// Takes the next entry, legal or not.
    pub(crate) fn apply(&mut self, content: &Content) {
        self.founding &= matches!(content, Content::Joined { by, .. } if *by == self.creator);
        match content {
            Content::Updated { title, .. } => self.title = Some(*title),
            Content::Joined { user, role, .. } | Content::Role { user, role, .. } => {
                self.members.insert(*user, *role);
            }
            Content::Left { user, how, .. } => {
                self.members.remove(user);
                if *how == Leaving::Banned {
                    self.banned.insert(*user);
                }
            }
            Content::Banned { user, .. } => {
                self.banned.insert(*user);
            }
            Content::Unbanned { user, .. } => {
                self.banned.remove(user);
            }
            Content::Message(_) => self.number += 1,
            Content::Called(record) => {
                self.calls.insert(record.call);
            }
            Content::Created { .. } | Content::Edited { .. } | Content::Deleted { .. } => {}
        }
    }
}

/// One membership: what its holder sees, and when it lasted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Membership {
    /// The first entry it shows.
    pub(crate) first: Seq,
    /// From here on it certainly shows entries. (Who was added right after the creation may have been a founder or not.)
    pub(crate) surely_from: Seq,
    /// The entry that began it.
    pub(crate) joined: Seq,
    /// The entry that ended it, the last one it shows.
    pub(crate) left: Option<Seq>,
}

impl Membership {
    pub(crate) fn last(&self) -> Seq {
        self.left.unwrap_or(Seq::MAX)
    }

    /// Whether it lasted at this entry.
    pub(crate) fn lasts_at(&self, seq: Seq) -> bool {
        self.joined <= seq && self.left.is_none_or(|left| seq < left)
    }
}
