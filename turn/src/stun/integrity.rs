//! MESSAGE-INTEGRITY by the long-term credential mechanism: HMAC-SHA1 under MD5 of `username:realm:password`.
//!
//! MD5 and SHA-1 are the standard's, and what every browser speaks. The key is made anew for each request; it is as cheap as a lookup.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use md5::{Digest, Md5};

/// The key that one user's messages are signed with.
#[derive(Clone)]
pub struct IntegrityKey(hmac::Key);

impl IntegrityKey {
    /// The length of a signature.
    pub const SIGNATURE_BYTES: usize = 20;

    /// The key of a user.
    pub fn new(username: &str, realm: &str, password: &str) -> Self {
        let mut digest = Md5::new();
        for part in [username, ":", realm, ":", password] {
            digest.update(part.as_bytes());
        }
        Self(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, digest.finalize().as_slice()))
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; Self::SIGNATURE_BYTES] {
        let mut signature = [0; Self::SIGNATURE_BYTES];
        signature.copy_from_slice(hmac::sign(&self.0, message).as_ref());
        signature
    }

    /// Whether this is the signature of a message of which `before` is all that comes before MESSAGE-INTEGRITY.
    pub(super) fn signed(&self, before: &[u8], signature: &[u8]) -> bool {
        // The length in the signed header counts MESSAGE-INTEGRITY, and nothing after it.
        let length = before.len() - super::HEADER_BYTES + 4 + Self::SIGNATURE_BYTES;
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&before[..2]);
        context.update(&(length as u16).to_be_bytes());
        context.update(&before[4..]);
        constant_time::verify_slices_are_equal(context.sign().as_ref(), signature).is_ok()
    }
}

impl fmt::Debug for IntegrityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IntegrityKey(****)")
    }
}
