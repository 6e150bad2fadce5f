//! What the service does by itself: deadlines, outputs, the return after a restart, and housekeeping.

mod deadlines;
mod outputs;
mod recover;
mod tidy;

pub(crate) use deadlines::run as keep_deadlines;
pub(crate) use outputs::run as perform_outputs;
pub(crate) use recover::recover;
pub(crate) use tidy::run as tidy;
