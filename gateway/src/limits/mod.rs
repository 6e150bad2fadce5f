//! Who may do how much (GW5): the rows of [`protocol::limits::RATE_LIMITS`] with the operator's counts.
//!
//! REST requests draw from `general`; what a socket sends draws from that socket's own `socket_frames` instead, because one
//! reader of fifty conversations would spend a general budget on opening the page. Joins, logins, registrations and messages
//! draw from their own rows on both ways. `login_account` is counted by auth, which knows the account.

mod budgets;
mod opens;

pub(crate) use budgets::{Client, Limits, Spent};
pub(crate) use opens::{Greeting, Unauthenticated};
