//! Accounts, passwords, sessions, tokens and revocations: who somebody is, and until when that holds.
//!
//! What it promises, and where:
//!
//! - An access token is a signed statement of some minutes ([`link::AccessClaims`]); gateways verify it with the public keys
//!   (`auth.jwks`) and never ask here. Keys rotate with an overlap (`keys`).
//! - What is void before its time stands in a durable list with gapless numbers (`revocations`), written in the transaction that
//!   makes it void; gateways tail it twice a second.
//! - A refresh token is computed, not stored (`session/token`), under a secret beside the store (`secret`). Each use gives
//!   a successor; what a repeated one means is a pure machine (`session/rotation`).
//! - Guessing is expensive: Argon2id in a bounded pool (`password`), a budget per account and a lock that grows and expires
//!   (`lockout`), which the owner passes from a place where they logged in before.
//! - Every change is audited in its own transaction (`desk`); refusals go through a spool that a flood can't fill.
//!
//! Reading order: [`Config`], [`Auth`] (`service`: the door), `commands` (one file for what belongs together), `desk` (a command
//! inside its transaction), then the machines above. [`Auth::open`] starts it, `tidy` forgets what has expired.

mod account;
mod clock;
mod commands;
mod config;
mod desk;
mod import;
mod keys;
mod lockout;
mod meters;
mod open;
mod password;
mod revocations;
mod schema;
mod secret;
mod service;
mod session;
mod sql;
mod state;
mod stop;
mod tidy;

pub use clock::{Clock, ManualClock, SystemClock};
pub use config::{Config, ConfigProblem, LockoutConfig, PasswordConfig};
pub use import::{ImportOutcome, ImportTokens, ImportUser, ImportedUser};
pub use open::{Host, OpenError, migrations, store_options};
pub use secret::SecretError;
pub use service::Auth;
