//! Faults by seed: what breaks, when, for how long, and how it is put right again.
//!
//! A run is a [`Plan`], which one number determines, so that a failure names all that is needed to see it again, as far as a race can
//! be repeated. At most two things are broken at once: more is an outage and no fault, and no single cause would be found in it.
//!
//! - [`fault`]: what can break. [`plan`]: which of it when, pure. [`perform`]: does it to a [`World`](crate::World), [`redis`] to its Redis.

mod fault;
mod perform;
mod plan;
mod redis;
#[cfg(test)]
mod tests;

pub use fault::{Direction, Fault, Kind, Shared, Trouble};
pub use perform::perform;
pub use plan::{AT_ONCE_MAX, Plan, Step};
pub use redis::shared_redis;
