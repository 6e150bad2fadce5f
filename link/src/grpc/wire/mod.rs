//! The types of the link as messages of `link.proto`, and back.
//!
//! Ours to theirs can't fail; theirs to ours is checked in full, because the other process may be of another version: what is
//! missing or not of its form is [`Malformed`], fields that this build does not know are passed over.

mod call;
mod event;
pub(crate) mod reading;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use protocol::{Position, StreamId, Tag};
use uuid::Uuid;

/// What the compiler makes of `link.proto`.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, reason = "generated")]
pub(crate) mod proto {
    tonic::include_proto!("secureconnect.link.v1");
}

/// A message that is not of the link's form; names the field.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[allow(unreachable_pub, reason = "the error of conversions of public types")]
#[error("the link message's field `{0}` is missing or not of its form")]
pub struct Malformed(pub(crate) &'static str);

/// The bytes of an id.
fn id(id: &[u8; 16]) -> Bytes {
    Bytes::copy_from_slice(id)
}

/// The id of some bytes.
fn to_id<T: From<Uuid>>(bytes: &[u8], field: &'static str) -> Result<T, Malformed> {
    Uuid::from_slice(bytes).map(T::from).map_err(|_| Malformed(field))
}

pub(crate) fn stream(stream: StreamId) -> Bytes {
    Bytes::copy_from_slice(&stream.to_key())
}

pub(crate) fn to_stream(bytes: &[u8]) -> Result<StreamId, Malformed> {
    StreamId::from_key(bytes).ok_or(Malformed("stream"))
}

fn to_position(position: Option<proto::Position>) -> Result<Position, Malformed> {
    let position = position.ok_or(Malformed("position"))?;
    Ok(Position { seq: position.seq, tag: Tag(position.tag) })
}

impl From<Position> for proto::Position {
    fn from(position: Position) -> Self {
        Self { seq: position.seq, tag: position.tag.0 }
    }
}

/// All of a list, or the first that is malformed.
pub(crate) fn all<A, B: TryFrom<A, Error = Malformed>>(list: Vec<A>) -> Result<Vec<B>, Malformed> {
    list.into_iter().map(B::try_from).collect()
}
