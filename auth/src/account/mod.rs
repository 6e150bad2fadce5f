//! Accounts: what makes a handle, a name, a picture ([`rules`]), and how they stand in the store ([`rows`]).

pub(crate) mod rows;
pub(crate) mod rules;

pub(crate) use rows::{AccountRow, NewAccount};
