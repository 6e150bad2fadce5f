//! Hints as bytes, for whatever carries them beside the link.

use bytes::Bytes;
use prost::Message;

use super::wire::{Malformed, all, proto};
use crate::bus::Hint;

/// Bytes that are no hints of a form that this build knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no hints")]
pub struct NoHints;

/// Hints as one message of `link.proto`.
#[must_use]
pub fn encode(hints: &[Hint]) -> Bytes {
    proto::Hints { hints: hints.iter().map(Into::into).collect() }.encode_to_vec().into()
}

/// The hints of such a message.
///
/// # Errors
/// When it is none.
pub fn decode(bytes: &[u8]) -> Result<Vec<Hint>, NoHints> {
    let message = proto::Hints::decode(bytes).map_err(|_| NoHints)?;
    all(message.hints).map_err(|Malformed(_)| NoHints)
}
