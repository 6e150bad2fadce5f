//! Who speaks: access tokens are verified here, against auth's public keys and its list of revocations.
//!
//! A signature costs 40 µs, so verified tokens are remembered by a keyed hash; a revocation is looked up every time. Nothing is
//! let through before the list was loaded once: a gateway that just started must not honour what was revoked before.

mod cache;
mod keys;
mod revocations;

use std::sync::Arc;

use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use link::token::{AUDIENCE, ISSUER};
use link::{AccessClaims, Caller, Refusal, Service};
use protocol::ErrorCode;

pub(crate) use revocations::Revocations;

use crate::clock;
use crate::session::Token;
use cache::Cache;
use keys::Keys;

/// The longest token that is looked at; ours are a third of it.
const TOKEN_BYTES_MAX: usize = 2_048;

/// What a token says, once it is verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Verified {
    pub(crate) caller: Caller,
    pub(crate) token: Token,
}

/// Verifies tokens.
pub(crate) struct Tokens {
    keys: Keys,
    cache: Cache,
    revocations: Revocations,
    rules: Validation,
}

impl Tokens {
    pub(crate) fn new(auth: Arc<dyn Service>) -> Self {
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Expiry is judged by the gateway's own clock, also for remembered tokens.
        rules.validate_exp = false;
        Self { keys: Keys::new(Arc::clone(&auth)), cache: Cache::default(), revocations: Revocations::new(auth), rules }
    }

    pub(crate) fn revocations(&self) -> &Revocations {
        &self.revocations
    }

    /// Whether tokens can be verified at all.
    pub(crate) fn is_ready(&self) -> bool {
        self.revocations.is_loaded()
    }

    /// Who bears this token.
    pub(crate) async fn verify(&self, token: &str) -> Result<Verified, Refusal> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Refusal::of(ErrorCode::Unauthenticated));
        }
        let verified = match self.cache.get(token) {
            Some(verified) => verified,
            None => {
                let verified = self.check(token).await?;
                self.cache.put(token, verified);
                verified
            }
        };
        self.still_good(&verified)?;
        Ok(verified)
    }

    /// Whether a verified token has neither expired nor been revoked since.
    pub(crate) fn still_good(&self, verified: &Verified) -> Result<(), Refusal> {
        if clock::wall() >= verified.token.expires_at {
            return Err(Refusal::of(ErrorCode::TokenExpired));
        }
        self.revocations.judge(&verified.caller, verified.token.made_at)
    }

    async fn check(&self, token: &str) -> Result<Verified, Refusal> {
        let invalid = || Refusal::of(ErrorCode::Unauthenticated);
        let header = decode_header(token).map_err(|_| invalid())?;
        if header.alg != Algorithm::EdDSA {
            return Err(invalid());
        }
        let kid = header.kid.ok_or_else(invalid)?;
        let key = self.keys.find(&kid).await?;
        let claims = decode::<AccessClaims>(token, &key, &self.rules).map_err(|_| invalid())?.claims;
        Ok(Verified {
            caller: Caller { user: claims.sub, session: claims.sid, connection: None, role: claims.role },
            token: Token { made_at: claims.iat_ms, expires_at: claims.exp.saturating_mul(1_000) },
        })
    }
}
