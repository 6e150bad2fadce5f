//! The client as a whole: on virtual time against recorded vectors and a lossy server, and over real sockets.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says no by a panic")]

mod lossy;
mod script;
mod server;
mod shell;
mod vectors;
mod views;
mod world;
