//! The server as its clients meet it: on real sockets, by a client of our own and by coturn's.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test states what must be: a panic is how it says no")]

mod allocations;
mod client;
mod coturn;
mod limits;
mod relaying;
mod world;
