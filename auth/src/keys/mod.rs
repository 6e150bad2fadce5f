//! The keys that sign access tokens.
//!
//! Rotation has an overlap at both ends: a new key is published some time before it signs, so that every gateway has it when its
//! first token comes, and an old one stays published until its last token has expired. Nobody is logged out by it.

mod ring;
mod rows;
mod signing;

pub(crate) use ring::Ring;
pub(crate) use rows::{drop_spent, insert, load};
pub(crate) use signing::{KeySet, SigningKey};
