//! How a process ends: phases, tracked tasks, signals.
//!
//! A drain has an order (RS4): first the service says that it is not ready, so that load balancers look elsewhere; then it stops
//! accepting and tells its clients to reconnect while work in flight goes on; then everything stops. [`Shutdown`] is
//! that order as a value, handed to whoever needs it; there is no global state, so tests drain one service of many.
//! [`Tasks`] knows every task by name, contains its panics, and can say at the deadline who did not finish.

mod shutdown;
mod signals;
mod tasks;

pub use shutdown::{Phase, Shutdown};
pub use signals::{DrainTimes, drain_on_signal};
pub use tasks::Tasks;
