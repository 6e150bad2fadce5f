//! Passwords: what is accepted ([`policy`]) and how it is kept ([`hasher`]).

mod common;
mod hasher;
mod policy;

pub(crate) use hasher::{Hasher, Verified, check_foreign};
pub(crate) use policy::check;
