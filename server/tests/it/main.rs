//! The binary as an operator meets it: what it refuses, what it tells, what its commands do with and without a running server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test states what must be: a panic is how it says no")]

mod admin;
mod configuration;
mod processes;
mod server;
mod stores;
mod tools;
