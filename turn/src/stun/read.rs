//! Reading: a message is looked at once, as a whole, and every later access relies on that look.

use super::{Class, HEADER_BYTES, IntegrityKey, MAGIC_COOKIE, TransactionId, attribute};

/// A message that is well-formed from its first to its last byte.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    bytes: &'a [u8],
}

/// One attribute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attribute<'a> {
    /// Its type.
    pub kind: u16,
    /// Its value, without padding.
    pub value: &'a [u8],
    /// Where it begins in the message.
    offset: usize,
}

/// The bytes are no STUN message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not a STUN message")]
pub struct NotStun;

impl<'a> Message<'a> {
    /// The message that these bytes are.
    ///
    /// # Errors
    /// When they are none, or more than one.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, NotStun> {
        let header: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(NotStun)?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let is_stun = header[0] & 0xC0 == 0
            && header[4..8] == MAGIC_COOKIE.to_be_bytes()
            && length.is_multiple_of(4)
            && bytes.len() == HEADER_BYTES + length;
        if !is_stun {
            return Err(NotStun);
        }
        let message = Self { bytes };
        let mut attributes = message.all_attributes();
        for _ in &mut attributes {}
        // The walk ends early where an attribute doesn't fit.
        match attributes.offset == bytes.len() {
            true => Ok(message),
            false => Err(NotStun),
        }
    }

    /// What kind of message it is.
    pub fn class(&self) -> Class {
        match self.kind() & 0x0110 {
            0x0000 => Class::Request,
            0x0010 => Class::Indication,
            0x0100 => Class::Success,
            _ => Class::Error,
        }
    }

    /// What it asks for.
    pub fn method(&self) -> u16 {
        let kind = self.kind();
        (kind & 0x000F) | ((kind & 0x00E0) >> 1) | ((kind & 0x3E00) >> 2)
    }

    fn kind(&self) -> u16 {
        u16::from_be_bytes([self.bytes[0], self.bytes[1]])
    }

    /// What pairs a response with its request.
    pub fn transaction(&self) -> TransactionId {
        let mut id = TransactionId::default();
        id.copy_from_slice(&self.bytes[8..HEADER_BYTES]);
        id
    }

    /// The attributes that count: those after MESSAGE-INTEGRITY are not covered by it, so they are as good as not there.
    pub fn attributes(&self) -> impl Iterator<Item = Attribute<'a>> {
        let mut is_over = false;
        self.all_attributes().take_while(move |attribute| {
            let counts = !is_over;
            is_over |= attribute.kind == attribute::MESSAGE_INTEGRITY;
            counts
        })
    }

    /// The first attribute of a type; the standard ignores further ones.
    pub fn attribute(&self, kind: u16) -> Option<&'a [u8]> {
        self.attributes().find(|attribute| attribute.kind == kind).map(|attribute| attribute.value)
    }

    /// The first attribute of a type, as text.
    pub fn text(&self, kind: u16) -> Option<&'a str> {
        std::str::from_utf8(self.attribute(kind)?).ok()
    }

    /// The first attribute of a type, if it is a number of four bytes.
    pub fn number(&self, kind: u16) -> Option<u32> {
        Some(u32::from_be_bytes(self.attribute(kind)?.try_into().ok()?))
    }

    /// Whether MESSAGE-INTEGRITY is there and was made with this key.
    pub fn is_signed_with(&self, key: &IntegrityKey) -> bool {
        let signature = self.attributes().find(|attribute| attribute.kind == attribute::MESSAGE_INTEGRITY);
        signature.is_some_and(|signature| key.signed(&self.bytes[..signature.offset], signature.value))
    }

    fn all_attributes(&self) -> Attributes<'a> {
        Attributes { bytes: self.bytes, offset: HEADER_BYTES }
    }
}

/// A walk over the attributes; it ends at the first that doesn't fit.
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let offset = self.offset;
        let header: &[u8; 4] = self.bytes.get(offset..)?.first_chunk()?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let begin = offset + header.len();
        let value = self.bytes.get(begin..begin + length)?;
        let end = begin + length.next_multiple_of(4);
        if end > self.bytes.len() {
            return None;
        }
        self.offset = end;
        Some(Attribute { kind: u16::from_be_bytes([header[0], header[1]]), value, offset })
    }
}
