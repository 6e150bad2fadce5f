//! Nonces without memory: a nonce states when it was made and carries a signature over that and over whom it was made for.
//!
//! So whoever sends a first request costs the server an answer and not one byte of state. The key lives as long as the process: after
//! a restart every nonce is stale, and clients repeat their request with the one that the answer names.

use std::net::SocketAddr;

use aws_lc_rs::{constant_time, hmac};
use rand::RngCore;

/// For how long a nonce is good, in seconds. Long enough that a client that refreshes every few minutes needs no extra round trip.
const GOOD_FOR_S: u64 = 600;

/// 8 digits of time and 32 of signature, all hexadecimal.
const TIME_DIGITS: usize = 8;
const SIGNATURE_BYTES: usize = 16;

/// Makes nonces and checks them.
pub(crate) struct Nonces(hmac::Key);

impl Nonces {
    /// With a new random key.
    pub(crate) fn new() -> Self {
        let mut key = [0; 32];
        rand::rng().fill_bytes(&mut key);
        Self(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }

    /// A nonce for this client; `now_s` is Unix time in seconds.
    pub(crate) fn make(&self, client: SocketAddr, now_s: u64) -> String {
        self.of(client, now_s as u32)
    }

    /// Whether this is a nonce that was made for this client, and lately.
    pub(crate) fn is_good(&self, nonce: &str, client: SocketAddr, now_s: u64) -> bool {
        let made_at = nonce.get(..TIME_DIGITS).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        made_at.is_some_and(|made_at| {
            let age_s = now_s.saturating_sub(u64::from(made_at));
            let expected = self.of(client, made_at);
            age_s < GOOD_FOR_S && constant_time::verify_slices_are_equal(nonce.as_bytes(), expected.as_bytes()).is_ok()
        })
    }

    fn of(&self, client: SocketAddr, made_at: u32) -> String {
        let signature = hmac::sign(&self.0, format!("{made_at} {client}").as_bytes());
        let mut nonce = format!("{made_at:08x}");
        for byte in signature.as_ref().iter().take(SIGNATURE_BYTES) {
            nonce.push_str(&format!("{byte:02x}"));
        }
        nonce
    }
}

impl std::fmt::Debug for Nonces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Nonces(****)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_for_its_client_and_its_time_only() {
        let nonces = Nonces::new();
        let [client, other]: [SocketAddr; 2] = ["192.0.2.1:5000", "192.0.2.1:5001"].map(|text| text.parse().unwrap());
        let nonce = nonces.make(client, 1_000);
        assert!(nonces.is_good(&nonce, client, 1_000));
        assert!(nonces.is_good(&nonce, client, 1_599));
        assert!(!nonces.is_good(&nonce, client, 1_600));
        assert!(!nonces.is_good(&nonce, other, 1_000));
        assert!(!Nonces::new().is_good(&nonce, client, 1_000));
        let later = nonce.replacen(&nonce[..TIME_DIGITS], "ffffffff", 1);
        for made_up in ["", "é", "000003e8", &nonce[..39], &nonce.to_uppercase(), &later] {
            assert!(!nonces.is_good(made_up, client, 1_000), "{made_up}");
        }
    }
}
