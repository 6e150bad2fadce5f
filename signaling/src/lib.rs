//! Calls: who rings, who is in, and what their devices negotiate. Media never passes here.
//!
//! Invariants:
//! - A call belongs to a conversation: only its members are called and may join, and at most one call goes on in each.
//! - The machine decides, the store remembers: every change is one version, made by compare-and-set, and told whole afterwards.
//! - A device speaks for its user by a leg; a newer leg fences the older one off.
//! - Nothing that was committed is lost by a crash: calls, deadlines and outputs are found again.
//! - What is relayed goes from one joined leg to another of the same call, bounded and in order.
//!
//! Reading order: [`machine`] (the rules), [`store`] (what lasts), `desk` (the one path of a change), `commands`, `signals`
//! (SDP and candidates), `watch` (sockets, memberships and logins that end), `work` (deadlines, outputs, recovery), `ice`, `service`.

mod audit;
mod commands;
mod config;
mod desk;
mod ice;
pub mod machine;
mod meters;
mod refuse;
mod service;
mod signals;
pub mod store;
#[cfg(test)]
mod tests;
mod watch;
mod work;

pub use config::Config;
pub use ice::{Relay, Revoke};
pub use service::{Host, Peers, Signaling};
pub use signals::check_sdp;
pub use store::{migrations, store_options};
