//! What the five services of SecureConnect share below them.

pub mod limits;
pub mod store;
pub mod telemetry;
