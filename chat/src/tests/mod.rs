//! Behaviour, asked of the service as its callers ask it, on a real store.

mod conversations;
mod import;
mod leases;
mod markers;
mod members;
mod messages;
mod presence;
mod races;
mod reading;
mod store;
mod world;
