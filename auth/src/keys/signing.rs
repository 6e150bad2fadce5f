//! One Ed25519 key: made, read back, signing, and its public half as a JWK (RFC 8037).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use link::AccessClaims;
use protocol::Millis;
use serde::Serialize;
use uuid::Uuid;

/// A key that signs access tokens from some time on.
#[derive(Clone)]
pub(crate) struct SigningKey {
    /// Its name in tokens and in the key set.
    pub(crate) kid: String,
    /// From when on it signs.
    pub(crate) signs_from: Millis,
    pkcs8: Vec<u8>,
    private: EncodingKey,
    public: Vec<u8>,
}

/// The public key set (RFC 7517), as `/.well-known/jwks.json` shows it.
#[derive(Debug, Serialize)]
pub(crate) struct KeySet {
    keys: Vec<PublicKey>,
}

#[derive(Debug, Serialize)]
struct PublicKey {
    kty: &'static str,
    crv: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
    alg: &'static str,
    kid: String,
    x: String,
}

impl SigningKey {
    /// A new key.
    pub(crate) fn make(signs_from: Millis) -> Result<Self, String> {
        // Version 1 of PKCS#8: jsonwebtoken does not read version 2.
        let document = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).map_err(|error| error.to_string())?;
        Self::read(Uuid::now_v7().simple().to_string(), signs_from, document.as_ref())
    }

    /// A key as it was kept.
    pub(crate) fn read(kid: String, signs_from: Millis, pkcs8: &[u8]) -> Result<Self, String> {
        let pair =
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|error| format!("signing key {kid}: {error}"))?;
        Ok(Self {
            kid,
            signs_from,
            pkcs8: pkcs8.to_vec(),
            private: EncodingKey::from_ed_der(pkcs8),
            public: pair.public_key().as_ref().to_vec(),
        })
    }

    /// The form in which it is kept.
    pub(crate) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// A signed token.
    pub(crate) fn sign(&self, claims: &AccessClaims) -> Result<String, String> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.private).map_err(|error| error.to_string())
    }
}

impl KeySet {
    /// The public halves of these keys.
    pub(crate) fn of<'a>(keys: impl Iterator<Item = &'a SigningKey>) -> Self {
        let keys = keys.map(|key| PublicKey {
            kty: "OKP",
            crv: "Ed25519",
            usage: "sig",
            alg: "EdDSA",
            kid: key.kid.clone(),
            x: URL_SAFE_NO_PAD.encode(&key.public),
        });
        Self { keys: keys.collect() }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("signs_from", &self.signs_from)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{DecodingKey, Validation};
    use link::token::{AUDIENCE, ISSUER};
    use protocol::accounts::Role;
    use protocol::{SessionId, UserId};

    #[test]
    fn a_token_is_verified_by_the_published_key_of_its_kid() {
        let key = SigningKey::make(0).unwrap();
        let key = SigningKey::read(key.kid.clone(), 0, key.pkcs8()).unwrap();
        let claims = AccessClaims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: UserId::now(),
            sid: SessionId::now(),
            role: Role::User,
            iat: 4_000_000_000,
            exp: 4_000_000_300,
            iat_ms: 4_000_000_000_000,
        };
        let token = key.sign(&claims).unwrap();
        let published = serde_json::to_string(&KeySet::of([&key].into_iter())).unwrap();
        let set: JwkSet = serde_json::from_str(&published).unwrap();
        let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
        let public = DecodingKey::from_jwk(set.find(&kid).unwrap()).unwrap();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        let read = jsonwebtoken::decode::<AccessClaims>(&token, &public, &validation).unwrap();
        assert_eq!(read.claims, claims);
    }

    #[test]
    fn what_prints_of_a_key_is_not_the_key() {
        let key = SigningKey::make(7).unwrap();
        let printed = format!("{key:?}");
        assert_eq!(printed, format!("SigningKey {{ kid: \"{}\", signs_from: 7, .. }}", key.kid));
    }
}
