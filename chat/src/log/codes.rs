//! The numbers that stand in the store for kinds, roles and ways of leaving. They never change their meaning.

use protocol::chat::{ConversationKind, Leaving, MemberRole};

pub(crate) const CREATED: i64 = 1;
pub(crate) const UPDATED: i64 = 2;
pub(crate) const JOINED: i64 = 3;
pub(crate) const LEFT: i64 = 4;
pub(crate) const ROLE_CHANGED: i64 = 5;
pub(crate) const BANNED: i64 = 6;
pub(crate) const UNBANNED: i64 = 7;
pub(crate) const MESSAGE: i64 = 8;
pub(crate) const EDITED: i64 = 9;
pub(crate) const DELETED: i64 = 10;
pub(crate) const CALLED: i64 = 11;
pub(crate) const ENTERED: i64 = 20;
pub(crate) const GONE: i64 = 21;
pub(crate) const READ_MOVED: i64 = 22;

/// A value that stands in the store as a small number.
pub(crate) trait Code: Copy {
    fn code(self) -> i64;
    fn of(code: i64) -> Option<Self>;
}

macro_rules! codes {
    ($name:ident: $($variant:ident = $code:literal),*) => {
        impl Code for $name {
            fn code(self) -> i64 {
                match self { $(Self::$variant => $code,)* }
            }
            fn of(code: i64) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

codes!(ConversationKind: Direct = 0, Group = 1, Channel = 2);
codes!(MemberRole: Member = 0, Admin = 1, Owner = 2);
codes!(Leaving: Left = 0, Kicked = 1, Banned = 2);
