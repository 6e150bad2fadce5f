//! Real servers that tests start, and the faults that they put between them.
//!
//! It stands below everything, because the tests of a single crate need a real Redis as much as the end-to-end scenarios do. Nothing here
//! knows SecureConnect.
//!
//! - [`Program`]: a process that is signalled, awaited, and never outlives its test. [`wait`]: conditions instead of pauses.
//! - [`RedisServer`]: a Redis of the test's own, that it can freeze, kill, flush and start again at the same address.
//!   [`Sentinels`]: two of them with three sentinels, for failovers.
//! - [`Cable`]: a TCP connection's way, that can be cut, frozen, slowed and split; all by the test's word or its seed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a rig that can't be set up fails the test, and says why"
)]

mod address;
mod cable;
pub mod program;
mod redis;
mod sentinels;
pub mod wait;

pub use address::{free_port, own_address};
pub use cable::{Cable, Way};
pub use program::Program;
pub use redis::RedisServer;
pub use sentinels::Sentinels;
