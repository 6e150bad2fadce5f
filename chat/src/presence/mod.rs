//! Presence: who is there, for those who share a conversation with them.
//!
//! [`machine`] merges what gateways report into one state per user, purely; [`watches`] are explicit lists of users;
//! [`leases`] carry it over a restart; [`audience`] reads who may hear of whom; [`introductions`] are for who comes into a conversation; [`shell`] puts them together with the clock and the publisher, and writes down
//! when somebody was last seen. Nothing here is a log: presence is a register, and a device that connects is sent the whole.

pub(crate) mod audience;
mod introductions;
pub(crate) mod leases;
pub(crate) mod machine;
pub(crate) mod shell;
pub(crate) mod watches;

pub(crate) use shell::Presences;
