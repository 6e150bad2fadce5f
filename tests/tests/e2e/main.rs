//! The end-to-end scenarios: each is written once and runs on every topology, against the real binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test states what must be")]

mod accounts;
mod browsers;
mod calls;
mod conversations;
mod drain;
mod encrypted;
mod followed;
mod health;
mod invisible;
mod limits;
mod links;
mod lockout;
mod markers;
mod members;
mod messages;
mod nodes;
mod operators;
mod presence;
mod proxies;
mod rest;
mod resume;
mod revoked;
mod sessions;
mod socket;
mod sync;
mod tabs;
mod tokens;
