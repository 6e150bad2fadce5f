//! The Rust client of SecureConnect, used by the tests and the bench, and good for a program of one's own.
//!
//! - [`core`]: the client as a pure state machine: resume, order, deduplication, resend. Everything difficult is there.

pub mod core;
