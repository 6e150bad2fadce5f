//! What every HTTP request of every service goes through: its names for logs and traces, and its metrics.

mod context;
mod measure;

#[cfg(test)]
mod tests;

pub use context::context_layer;
pub use measure::{declare_endpoint, metrics_layer};
