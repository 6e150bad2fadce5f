//! Redis: what several processes share because it is fast, and nothing that exists only there.
//!
//! One [`Redis`] a service: a multiplexed connection that is looked after by a task ([`supervise`]). Whoever asks never waits for a Redis that is not
//! there: a command is answered within [`ANSWER_WITHIN`] or refused, and refused at once while the connection is down. So a frozen
//! Redis is as harmless as a dead one. What a caller does then is its own ([`Failure`] says whether the command may have been done).
//!
//! - [`Standing`] tells users when it came back, and when what was in it may be lost: they write back what they hold.
//! - [`Lua`] changes several things in one step, on Redis' own time. [`Subscription`] hears a channel and ends when it may have missed something.
//! - Every key is made by [`Redis::key`]: the prefix, the epoch of the store, and one hash tag, so that a restored store never meets the keys of its other life.

mod config;
mod connect;
mod failure;
mod handle;
mod health;
mod lua;
mod meters;
mod subscribe;
mod supervise;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use config::{Config, SentinelConfig};
pub use failure::Failure;
pub use handle::{Redis, Settling};
pub use health::Standing;
pub use lua::{Lua, script};
pub use redis::{Cmd, FromRedisValue, Pipeline, ScriptInvocation, ToRedisArgs, Value, cmd, pipe};
pub use subscribe::Subscription;

/// A command that was not answered in this time has failed.
pub const ANSWER_WITHIN: Duration = Duration::from_millis(100);
