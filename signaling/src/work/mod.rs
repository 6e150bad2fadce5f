//! What the service does by itself: deadlines, outputs, the return after a restart, and housekeeping.

mod deadlines;
mod outputs;
mod recover;
mod tidy;

#[cfg(test)]
pub(crate) use deadlines::apply as apply_deadlines;
pub(crate) use deadlines::run as keep_deadlines;
pub(crate) use outputs::run as perform_outputs;
#[cfg(test)]
pub(crate) use outputs::{perform, perform_some};
pub(crate) use recover::recover;
pub(crate) use tidy::run as tidy;
