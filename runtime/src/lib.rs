//! What the five services of SecureConnect share below them.

pub mod audit;
pub mod breaker;
pub mod http;
pub mod lifecycle;
pub mod limits;
pub mod listen;
pub mod ops;
pub mod store;
pub mod telemetry;
