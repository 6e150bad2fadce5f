//! Budgets that several nodes count together, over Redis, and each by itself while Redis is gone.
//!
//! Two rows, as there are two limiters, because exactness costs a round trip and not every budget is worth one:
//!
//! - [`Exact`] asks before it admits. Memory refuses first, without a question: what this node has admitted Redis has too. What memory would admit one script
//!   decides, in one round trip for all budgets of the request and on Redis' own time: all of them are drawn from or none. Memory is then drawn from as
//!   well, so that a Redis that goes away leaves the node with all that it admitted.
//! - [`Paced`] admits from memory, and [`settle`] tells Redis afterwards what was spent and learns what the other nodes have spent. Between two settlements
//!   a node can admit at most its burst of what others have spent already; that is owed from then on, so that the average holds.
//!
//! Nothing is let through unlimited: without Redis each node counts in memory, which is one budget for each node. What was paced while Redis was away
//! is not told it afterwards: it has long grown back, and to charge it late would lock out whoever kept to the pace.

mod exact;
mod pace;
mod paced;
#[cfg(test)]
mod tests;
mod window;

pub use exact::{Exact, Refused, draw};
pub use paced::{Paced, settle};
