//! Who may do how much (GW5): the rows of [`protocol::limits::RATE_LIMITS`] with the operator's counts.
//!
//! REST requests draw from `general`; what a socket sends draws from its login's own `socket_frames` instead, because one
//! reader of fifty conversations would spend a general budget on opening the page. The sockets of one login share that row: eight
//! tabs may send as much as one. What waits for a socket and what is in flight for it is bounded per socket, and so by
//! [`protocol::limits::CONNECTIONS_PER_LOGIN_MAX`] per login. Joins, logins, registrations and messages
//! draw from their own rows on both ways. `login_account` is counted by auth, which knows the account.
//!
//! What is exact is awaited (with Redis: one round trip for all budgets of the request), what is paced never is ([`runtime::limits`]).

mod budgets;
mod key;
mod opens;
mod rules;
#[cfg(test)]
mod tests;

pub(crate) use budgets::{Client, Limits, Spent, limited};
pub(crate) use opens::{Greeting, Unauthenticated};
