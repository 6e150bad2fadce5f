//! What the service does by itself: deadlines, outputs, the return after a restart, life beside other processes, and housekeeping.

mod deadlines;
mod heirs;
mod outputs;
mod recover;
mod share;
mod tidy;

#[cfg(test)]
pub(crate) use deadlines::apply as apply_deadlines;
pub(crate) use deadlines::run as keep_deadlines;
#[cfg(test)]
pub(crate) use heirs::{await_legs, follow_the_silent};
pub(crate) use outputs::run as perform_outputs;
#[cfg(test)]
pub(crate) use outputs::{perform, perform_some};
pub(crate) use recover::recover;
#[cfg(test)]
pub(crate) use share::{catch_up, listen as hear_others};
pub(crate) use share::{meet_redis, run as share};
pub(crate) use tidy::run as tidy;
