//! What the end-to-end tests stand on: the real binary in real processes, real clients, and the history checker.
//!
//! Every scenario is written once and runs on every [`Topology`]. It observes the system from outside only: HTTP, sockets, signals,
//! files. A test waits for conditions ([`wait`]), never for time, and every port is one that the kernel chose.
//!
//! Reading order: [`topology`] (which roles run in which process), [`world`] (starts, kills and restarts them), [`rest`] and
//! [`socket`] (plain clients that see every byte; [`raw`] and [`tls`] below them), [`people`] (accounts and their devices; [`places`]: on which gateway), [`calls`]
//! (devices in calls), [`call_history`] (what must be true of them), [`metrics`] and [`audit`] (what an operator sees), [`witness`] and [`history`] (what must be
//! true of everything that was observed), [`crew`] (clients that write, so that something is under way when things break), [`population`] and [`crowd`] (thousands
//! of them), [`proxy`] (the shipped one, before the gateways), [`faults`] (what breaks, by seed).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a library for tests: a panic is how a test says no"
)]

pub mod audit;
pub mod call_history;
pub mod calls;
pub mod crew;
pub mod crowd;
pub mod faults;
pub mod figures;
pub mod history;
pub mod metrics;
pub mod people;
pub mod places;
pub mod population;
pub mod power;
pub mod proxy;
pub mod raw;
pub mod rest;
pub mod socket;
pub mod tls;
pub mod topology;
pub mod witness;
pub mod world;

pub use calls::Phone;
pub use crew::Crew;
pub use crowd::Crowd;
pub use people::Person;
pub use places::Places;
pub use population::Population;
pub use proxy::Proxy;
pub use rest::{Answer, Rest};
pub use rig::wait;
pub use socket::{Closed, Event, Incoming, Socket};
pub use topology::Topology;
pub use witness::Witness;
pub use world::World;
