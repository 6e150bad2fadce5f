//! Sessions: one login on one device, its refresh token ([`token`]), what a presented one means ([`rotation`]), its row.

pub(crate) mod rotation;
pub(crate) mod rows;
mod token;

pub(crate) use rotation::{Presented, Rotation};
pub(crate) use rows::SessionRow;
pub(crate) use token::RefreshToken;
