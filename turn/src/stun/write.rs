//! Writing: attributes are appended, the length is kept right after each, so a message is whole at any moment.

use std::net::SocketAddr;

use super::{Class, ErrorCode, HEADER_BYTES, IntegrityKey, MAGIC_COOKIE, Message, TransactionId, attribute};

/// Writes one message at the end of a buffer.
#[derive(Debug)]
pub struct MessageWriter<'a> {
    out: &'a mut Vec<u8>,
    begin: usize,
    transaction: TransactionId,
}

impl<'a> MessageWriter<'a> {
    /// A message without attributes.
    pub fn new(out: &'a mut Vec<u8>, class: Class, method: u16, transaction: TransactionId) -> Self {
        let class = match class {
            Class::Request => 0x0000,
            Class::Indication => 0x0010,
            Class::Success => 0x0100,
            Class::Error => 0x0110,
        };
        let kind = class | (method & 0x000F) | ((method & 0x0070) << 1) | ((method & 0x0F80) << 2);
        let begin = out.len();
        out.extend_from_slice(&kind.to_be_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&MAGIC_COOKIE.to_be_bytes());
        out.extend_from_slice(&transaction);
        Self { out, begin, transaction }
    }

    /// The response that grants a request.
    pub fn success(out: &'a mut Vec<u8>, request: &Message<'_>) -> Self {
        Self::new(out, Class::Success, request.method(), request.transaction())
    }

    /// The response that refuses a request.
    pub fn error(out: &'a mut Vec<u8>, request: &Message<'_>, error: ErrorCode) -> Self {
        let mut writer = Self::new(out, Class::Error, request.method(), request.transaction());
        let (code, reason) = error.parts();
        let mut value = Vec::with_capacity(4 + reason.len());
        value.extend_from_slice(&[0, 0, (code / 100) as u8, (code % 100) as u8]);
        value.extend_from_slice(reason.as_bytes());
        writer.attribute(attribute::ERROR_CODE, &value);
        writer
    }

    /// Appends an attribute. One that would make the message longer than a message can be is left out.
    pub fn attribute(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        let padded = value.len().next_multiple_of(4);
        if self.length() + 4 + padded > usize::from(u16::MAX) {
            return self;
        }
        self.out.extend_from_slice(&kind.to_be_bytes());
        self.out.extend_from_slice(&(value.len() as u16).to_be_bytes());
        self.out.extend_from_slice(value);
        self.out.resize(self.out.len() + padded - value.len(), 0);
        self.set_length(self.length());
        self
    }

    /// Appends a number of four bytes.
    pub fn number(&mut self, kind: u16, value: u32) -> &mut Self {
        self.attribute(kind, &value.to_be_bytes())
    }

    /// Appends an address.
    pub fn address(&mut self, kind: u16, address: SocketAddr) -> &mut Self {
        let (encoded, length) = super::encode_xor_address(address, &self.transaction);
        self.attribute(kind, &encoded[..length])
    }

    /// Appends MESSAGE-INTEGRITY over all that was written; nothing may follow.
    pub fn sign(&mut self, key: &IntegrityKey) {
        // The signature is made over the length that the message has with it.
        self.set_length(self.length() + 4 + IntegrityKey::SIGNATURE_BYTES);
        let signature = key.sign(&self.out[self.begin..]);
        self.attribute(attribute::MESSAGE_INTEGRITY, &signature);
    }

    /// Bytes after the header.
    fn length(&self) -> usize {
        self.out.len() - self.begin - HEADER_BYTES
    }

    fn set_length(&mut self, length: usize) {
        self.out[self.begin + 2..self.begin + 4].copy_from_slice(&(length as u16).to_be_bytes());
    }
}
