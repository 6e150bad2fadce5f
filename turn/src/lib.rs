//! The embedded STUN/TURN server (RFC 8489, RFC 8656): relays calls for devices that can't reach each other.
//!
//! It stands apart from the five services: it serves no command, knows no account and no call. What it shares with signaling is a
//! secret ([`runtime::turn_credentials`]), so it runs in the same process or in one of its own, and what it relays outlives a restart of
//! everything else.
//!
//! Invariants:
//! - Without credentials there is no state: nonces are computed, not kept; addresses are answered at a bounded pace.
//! - Nothing is relayed that the rule on peers does not let through, judged packet by packet on the normalised address; by default only
//!   public addresses, and this server's own live allocations.
//! - No allocation outlives the credentials that it stands on.
//! - Nothing waits for a slow reader: a packet that can't go out at once is dropped, and counted. What a TCP client has not read yet is bounded.
//!
//! The state machine is our own and not `turn-server-proto`'s, although that was the plan: the library grants at least ten minutes whatever the
//! credentials say, keeps a nonce for every stranger, has no place to refuse a peer with 403 or a user with 486, bounds neither
//! permissions nor channels, binds one channel number to two peers, and answers a repeated Allocate with 437.
//!
//! Reading order: [`Config`]; [`Server`]; `engine` (what is done with a packet), on `auth`, `allocation` and `peers`, which are pure; `udp`, `tcp` and
//! `relaying` (who reads sockets); [`stun`] and [`framing`] (what is on the wire).

mod allocation;
mod auth;
mod clients;
mod config;
mod door;
mod engine;
pub mod framing;
mod meters;
mod nonce;
mod peers;
mod quota;
mod relay;
mod relaying;
mod relays;
mod revoked;
mod server;
pub mod stun;
mod tcp;
mod udp;

pub use config::Config;
pub use server::{BindError, Host, Listeners, Server};
