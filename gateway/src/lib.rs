//! The edge of SecureConnect: REST and sockets in, commands out to the services, events back to whoever may hear them.
//!
//! Invariants:
//! - It knows no chat: what it must know of a command stands in `protocol::commands::COMMANDS`, bodies pass through unread.
//! - The log is the truth, a push is a hint: whatever is lost on the way is read again, in order, exactly once.
//! - A login has several connections, one for each tab of its browser, up to a bound: a hello resumes the one it names or begins
//!   another. They live and drop apart; they end together with the login, and share its budget of frames.
//! - Everything is bounded: queues in bytes, commands in flight, parked sessions, limiters, labels.
//!
//! The modules: `gateway` (how it is put together), `edge` (HTTP), `token` (who speaks), `limits`, `session` (a
//! connection's pure state), `hub` (who hears what), `identities` (who a
//! connection is, beyond this gateway), `socket` (the task of each connection), `devices`, `drain`.

mod clock;
mod codec;
mod config;
mod devices;
mod drain;
mod edge;
mod gateway;
mod hash;
mod hub;
mod identities;
mod limits;
mod meters;
mod session;
mod socket;
mod token;

pub use config::Config;
pub use gateway::{Gateway, Parts, Services};
