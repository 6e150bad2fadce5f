//! Where a reader stands in a stream.
//!
//! A sequence number alone can't tell a log from another log that was rolled back and has grown again. So a position also
//! carries the entry's tag (random, made with the entry), and every store has an epoch that a restore changes. A position
//! whose tag differs from the log's is refused, and the reader resynchronises in full.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, fmt, str::FromStr};
use uuid::Uuid;

use crate::ids::{ConversationId, UserId};

/// The number of an entry in its stream: gapless, the first is 1; 0 stands before the first.
pub type Seq = u64;

/// The highest number that a request may name: what a double holds exactly, since clients are written in JavaScript too. No log
/// ever gets there, so arithmetic on a checked number can't overflow.
pub const SEQ_MAX: Seq = 1 << 53;

/// Names one entry: eight hexadecimal digits on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Tag(pub u32);

/// Names one life of a store; another epoch means that positions of the old one mean nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Debug)]
#[serde(transparent)]
pub struct Epoch(pub Uuid);

/// What kind of log a stream is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum StreamKind {
    /// The log of a conversation, `c:<id>`.
    Conversation,
    /// The log of a user's account, `u:<id>`.
    User,
}

/// Names one log. The gateway treats it as opaque.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// Whose log.
    pub kind: StreamKind,
    /// The conversation's or the user's id.
    pub id: Uuid,
}

/// Where a reader stands: after the entry `seq` that carries `tag`. `(0, 0)` stands before the first entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Debug, Default)]
pub struct Position {
    /// The entry's number.
    pub seq: Seq,
    /// The entry's tag.
    pub tag: Tag,
}

impl StreamId {
    /// The log of a conversation.
    #[must_use]
    pub fn conversation(id: ConversationId) -> Self {
        Self { kind: StreamKind::Conversation, id: id.0 }
    }

    /// The log of a user's account.
    #[must_use]
    pub fn user(id: UserId) -> Self {
        Self { kind: StreamKind::User, id: id.0 }
    }

    /// The 17 bytes that stores keep: the kind's letter, then the id.
    #[must_use]
    pub fn to_key(self) -> [u8; 17] {
        let mut key = [0; 17];
        key[0] = self.kind.letter();
        key[1..].copy_from_slice(self.id.as_bytes());
        key
    }

    /// The inverse of [`StreamId::to_key`]; `None` for anything else.
    #[must_use]
    pub fn from_key(key: &[u8]) -> Option<Self> {
        let (letter, id) = key.split_first()?;
        Some(Self { kind: StreamKind::of(*letter)?, id: Uuid::from_slice(id).ok()? })
    }
}

impl StreamKind {
    fn letter(self) -> u8 {
        match self {
            Self::Conversation => b'c',
            Self::User => b'u',
        }
    }

    fn of(letter: u8) -> Option<Self> {
        match letter {
            b'c' => Some(Self::Conversation),
            b'u' => Some(Self::User),
            _ => None,
        }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", char::from(self.kind.letter()), self.id)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads a number that a client names, up to [`SEQ_MAX`]; for `deserialize_with` in the bodies of commands.
pub(crate) fn named_seq<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Seq, D::Error> {
    let seq = Seq::deserialize(deserializer)?;
    if seq <= SEQ_MAX {
        Ok(seq)
    } else {
        Err(de::Error::custom(format_args!("an entry's number is at most {SEQ_MAX}")))
    }
}

/// As [`named_seq`], where the number may be absent.
pub(crate) fn named_seq_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Seq>, D::Error> {
    #[derive(Deserialize)]
    struct Named(#[serde(deserialize_with = "named_seq")] Seq);
    Ok(Option::<Named>::deserialize(deserializer)?.map(|Named(seq)| seq))
}

/// What is wrong with a stream's name or a tag.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ParseError {
    /// Not `c:<uuid>` or `u:<uuid>`.
    #[error("a stream is named c:<uuid> or u:<uuid>")]
    Stream,
    /// Not eight hexadecimal digits.
    #[error("a tag is eight hexadecimal digits")]
    Tag,
}

impl FromStr for StreamId {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (kind, id) = text.split_once(':').ok_or(ParseError::Stream)?;
        let [letter] = kind.as_bytes() else {
            return Err(ParseError::Stream);
        };
        let kind = StreamKind::of(*letter).ok_or(ParseError::Stream)?;
        let id = Uuid::parse_str(id).map_err(|_| ParseError::Stream)?;
        Ok(Self { kind, id })
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Tag {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(ParseError::Tag);
        }
        u32::from_str_radix(text, 16).map(Self).map_err(|_| ParseError::Tag)
    }
}

macro_rules! as_string {
    ($name:ident, $pattern:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

as_string!(StreamId, "^[cu]:[0-9a-f-]{36}$");
as_string!(Tag, "^[0-9a-f]{8}$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_reads_back_what_it_prints_and_what_it_stores() {
        for stream in [StreamId::conversation(ConversationId::now()), StreamId::user(UserId::now())] {
            assert_eq!(stream.to_string().parse(), Ok(stream));
            assert_eq!(StreamId::from_key(&stream.to_key()), Some(stream));
        }
    }

    #[test]
    fn what_is_no_stream_or_tag_is_refused() {
        for text in ["", "c", "c:", ":", "x:00000000-0000-0000-0000-000000000000", "cc:1", "é:1"] {
            assert_eq!(text.parse::<StreamId>(), Err(ParseError::Stream), "{text}");
        }
        for text in ["", "1234567", "123456789", "+1234567", "ghijklmn"] {
            assert_eq!(text.parse::<Tag>(), Err(ParseError::Tag), "{text}");
        }
    }
}
