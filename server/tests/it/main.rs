//! The binary as an operator meets it: what it refuses, what it tells, what its commands do with and without a running server.

mod admin;
mod configuration;
mod processes;
mod server;
mod stores;
mod tools;
