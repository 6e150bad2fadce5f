//! The auth service through its door, as the gateway sees it: commands in, replies and revocations out, on a clock that tests move.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test states what must be: a panic is how it says no"
)]

#[path = "behaviour/admin.rs"]
mod admin;
#[path = "behaviour/audit.rs"]
mod audit;
#[path = "behaviour/bulk.rs"]
mod bulk;
#[path = "behaviour/keys.rs"]
mod keys;
#[path = "behaviour/lockout.rs"]
mod lockout;
#[path = "behaviour/login.rs"]
mod login;
#[path = "behaviour/profile.rs"]
mod profile;
#[path = "behaviour/refresh.rs"]
mod refresh;
#[path = "behaviour/register.rs"]
mod register;
#[path = "behaviour/schema.rs"]
mod schema;
#[path = "behaviour/sessions.rs"]
mod sessions;
#[path = "behaviour/world.rs"]
mod world;
