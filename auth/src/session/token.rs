//! The refresh token: `{session}.{generation}.{mac}`.
//!
//! It is computed, not stored: so the successor of a token can be told again when its answer was lost, while the store holds
//! nothing that opens anything.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::SessionId;

use crate::secret::{Purpose, Secret};

/// Longer than any token.
const CHARS_MAX: usize = 128;

/// What a genuine refresh token says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct RefreshToken {
    /// The login.
    pub(crate) session: SessionId,
    /// How many refreshes came before it, plus one.
    pub(crate) generation: u64,
}

impl RefreshToken {
    /// The token as text.
    pub(crate) fn seal(self, secret: &Secret) -> String {
        let mac = URL_SAFE_NO_PAD.encode(self.mac(secret));
        format!("{}.{}.{mac}", self.session.0.simple(), self.generation)
    }

    /// Reads a token; `None` if this server didn't make it.
    pub(crate) fn open(text: &str, secret: &Secret) -> Option<Self> {
        if text.len() > CHARS_MAX {
            return None;
        }
        let mut parts = text.split('.');
        let (session, generation, mac) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let token = Self { session: session.parse().ok()?, generation: generation.parse().ok()? };
        // What else would parse to the same (hyphens, upper case, a leading zero) is not a token.
        let same = session == token.session.0.simple().to_string() && generation == token.generation.to_string();
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        (same && verify_slices_are_equal(&mac, &token.mac(secret)).is_ok()).then_some(token)
    }

    fn mac(self, secret: &Secret) -> [u8; 32] {
        let generation = self.generation.to_be_bytes();
        secret.mac(Purpose::Refresh, &[self.session.as_bytes(), &generation])
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} generation {}", self.session, self.generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn secret() -> (tempfile::TempDir, Secret) {
        let directory = tempfile::tempdir().unwrap();
        let secret = Secret::open(directory.path()).unwrap();
        (directory, secret)
    }

    #[test]
    fn a_token_of_another_servers_key_is_not_genuine() {
        let ((_a, ours), (_b, theirs)) = (secret(), secret());
        let token = RefreshToken { session: SessionId::now(), generation: 1 };
        assert_eq!(RefreshToken::open(&token.seal(&ours), &ours), Some(token));
        assert_eq!(RefreshToken::open(&token.seal(&theirs), &ours), None);
    }

    #[test]
    fn one_changed_character_anywhere_makes_it_worthless() {
        let (_directory, secret) = secret();
        proptest!(|(id: u128, generation: u64, at: prop::sample::Index, with in "[ -~]")| {
            let session = SessionId(Uuid::from_u128(id));
            let token = RefreshToken { session, generation };
            let text = token.seal(&secret);
            prop_assert_eq!(RefreshToken::open(&text, &secret), Some(token));
            let at = at.index(text.len());
            let changed = format!("{}{with}{}", &text[..at], &text[at + 1..]);
            prop_assert_eq!(RefreshToken::open(&changed, &secret).is_some(), changed == text);
        });
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,200}") {
            let secret = secret().1;
            prop_assert!(RefreshToken::open(&text, &secret).is_none());
        }
    }
}
