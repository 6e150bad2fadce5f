//! The state of one connection, pure: `(state, now, input) -> outputs`. Sockets and tasks are in [`crate::socket`], the
//! subscriptions in [`crate::hub`].
//!
//! - [`machine`]: the life of a session: syncing, open, parked, and its deadlines.
//! - [`delivery`]: what is pushed, what is read, what falls behind.
//! - [`track`]: where it stands in each stream.
//! - [`outbox`]: what waits to be written.

mod delivery;
mod machine;
mod outbox;
#[cfg(test)]
mod tests;
mod track;

pub(crate) use delivery::{Job, Paged};
pub(crate) use machine::{Close, Phase, Session, Settings, Token};
pub(crate) use outbox::{Budget, Kind};
