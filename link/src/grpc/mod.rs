//! The link between processes: gRPC on a Unix socket, on loopback, or between machines by mutual TLS; never unauthenticated.
//!
//! [`Listener`] offers any number of services at one address; [`connect`] gives one of them as an `Arc<dyn Service>` that behaves
//! like the service itself, with the failures that a network adds: deadlines, a breaker, a connection that comes back by itself.
//! The call names its service, so that one address is enough for a process. Beside the services it answers `grpc.health.v1.Health`, behind the same gate.
//!
//! On one machine a call shows the data directory's [`Key`]. Beyond loopback that neither hides bodies nor proves who answers: there both
//! ends show certificates ([`Tls`]), and without any the link does not start.

mod address;
mod breaker;
mod certificates;
mod client;
mod endpoint;
mod failure;
mod health;
pub mod hints;
mod key;
mod lane;
mod names;
mod server;
#[cfg(test)]
mod tests;
mod tls;
mod trust;
mod wire;

pub use address::{Address, AddressError, NetworkAddress};
pub use breaker::BreakerState;
pub use certificates::{MakeError, make_certificate};
pub use client::{BreakerObserver, connect};
pub use health::Offered;
pub use key::Key;
pub use server::{BindError, Listener};
pub use tls::{Tls, TlsError, TlsFiles};
pub use trust::Trust;

/// The metadata entry that names the service.
const SERVICE_HEADER: &str = "secureconnect-service";
/// The metadata entry that carries the key.
const KEY_HEADER: &str = "authorization";
/// The largest message: a page is 256 KiB, the subscriptions of a user with 100,000 conversations 5 MiB.
const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// How often each side asks the other whether it lives, and how long it waits for the answer. A process that hangs (SIGSTOP) keeps its
/// connection; only this finds it.
const KEEPALIVE_EVERY: std::time::Duration = std::time::Duration::from_secs(2);
const KEEPALIVE_WITHIN: std::time::Duration = std::time::Duration::from_secs(3);
/// HTTP/2 windows: a page of events must not wait for a window update.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;
