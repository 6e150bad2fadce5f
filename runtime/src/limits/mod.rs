//! Rate limits as pure arithmetic on a clock that the caller passes in.
//!
//! Two shapes, because one number cannot say both things an operator means by "a limit":
//!
//! * [`SlidingWindow`] is exact: never more than `count` in *any* span of `window_ms`. It remembers each
//!   admission, so it is for small counts that protect something valuable (logins, registrations, joins).
//! * [`Gcra`] is eight bytes whatever the count: an even pace plus a stated burst. It is for budgets that
//!   are spent thousands of times (requests per user, frames per socket).
//!
//! [`Keyed`] holds one limiter per user or address. It is bounded: keys whose limiter has returned to its
//! resting state are forgotten, and when every key is in use a *new* key is refused. Failing open there would
//! hand an attacker with many addresses the way around every limit. Addresses are keyed by their [`Network`].
//!
//! [`Exact`] and [`Paced`] are rows of such limiters that several nodes share over Redis, and that each counts for itself without one.
//!
//! No limiter reads a clock, so tests run on virtual time, and a clock that steps back neither locks a user
//! out nor hands out a second budget: time is held at the newest instant a limiter has seen.

mod gcra;
mod keyed;
mod network;
mod shared;
mod window;

pub use gcra::Gcra;
pub use keyed::{Keyed, KeyedFull};
pub use network::Network;
pub use shared::{Exact, Paced, Refused, draw, settle};
pub use window::SlidingWindow;

/// Milliseconds on whatever clock the caller uses throughout (Unix time or time since start).
pub type Millis = u64;

/// What a limiter allows: `count` per `window_ms`, and for [`Gcra`] how much of it may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// How many units a full window allows. Zero allows nothing.
    pub count: u32,
    /// The length of the window in milliseconds.
    pub window_ms: u64,
    /// How many units may be spent at once from rest ([`Gcra`] only; an exact window ignores it).
    pub burst: u32,
}

impl Rule {
    /// `count` per `window_ms`, with the whole count as burst.
    pub const fn new(count: u32, window_ms: u64) -> Self {
        Self { count, window_ms, burst: count }
    }

    /// `count` per minute.
    pub const fn per_minute(count: u32) -> Self {
        Self::new(count, 60_000)
    }

    /// `count` per second.
    pub const fn per_second(count: u32) -> Self {
        Self::new(count, 1_000)
    }

    /// The same pace with another burst.
    pub const fn with_burst(mut self, burst: u32) -> Self {
        self.burst = burst;
        self
    }
}

/// A limiter's answer; it holds all that `X-RateLimit-*` and `Retry-After` need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether the request may go on. A refusal spends nothing.
    pub allowed: bool,
    /// What may be spent from rest (`X-RateLimit-Limit`).
    pub limit: u32,
    /// What may still be spent right now (`X-RateLimit-Remaining`).
    pub remaining: u32,
    /// Milliseconds until the limiter is at rest again (`X-RateLimit-Reset`).
    pub reset_ms: u64,
    /// Milliseconds until this very request would be allowed; zero when it was.
    pub retry_after_ms: u64,
}

/// One key's limiter: state without its rule, so that a rule can change at run time and a million keys do not
/// each carry a copy of it.
pub trait Limiter: Default {
    /// Spends `cost` at `now` if the rule allows it.
    fn take(&mut self, rule: &Rule, now: Millis, cost: u32) -> Decision;

    /// Answers as [`take`](Self::take) would, spending nothing.
    fn peek(&self, rule: &Rule, now: Millis, cost: u32) -> Decision;

    /// From when on this limiter can't be told from a new one, and may be forgotten.
    fn idle_at(&self, rule: &Rule) -> Millis;
}
