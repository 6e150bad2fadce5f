//! Members: who is in a conversation, what they may do to each other, and the commands that change it.
//!
//! [`seat`] is a membership as it is stored, [`rank`] the pure rules of roles, [`passage`] coming in and going out with all that
//! belongs to it; the commands are [`invite`], [`removal`] (leave, kick, ban, unban), [`role`] and [`list`].

pub(crate) mod invite;
pub(crate) mod list;
pub(crate) mod passage;
pub(crate) mod rank;
pub(crate) mod removal;
pub(crate) mod role;
pub(crate) mod seat;
