//! Conversations: their logs, members, messages, markers, and presence.
//!
//! Invariants:
//! - Every durable change in a conversation is one entry of its log, numbered without a gap; the log is the truth, what is
//!   published is a hint.
//! - Every command is judged inside the transaction that appends its entry, on the store's one writer: a kick at entry k is never
//!   followed by a send of the kicked at k+1.
//! - What one may not see answers exactly like what doesn't exist, before anything else is looked at.
//! - One client-made id makes one entry, for as long as the entry lives.
//!
//! Reading order: [`schema`] (the tables), `log` (entries, heads, visibility, pages), `members` and `conversations`, `messages`,
//! `markers`, `presence`, `commands` (from a name to what does it), `service` (the whole as a [`link::Service`]).

mod calls;
mod commands;
mod config;
mod conversations;
mod heads;
mod import;
mod log;
mod markers;
mod members;
mod messages;
mod metrics;
mod origin;
mod people;
mod presence;
mod refuse;
mod registers;
pub mod schema;
mod service;
mod shared;
mod tidy;
mod typing;

#[cfg(test)]
mod tests;

pub use config::Config;
pub use import::{ImportConversation, Imported};
pub use service::{Chat, Host, Peers, store_options};

/// The versions of the schema, for `migrate`.
pub fn migrations() -> &'static [runtime::store::Migration] {
    schema::MIGRATIONS
}
