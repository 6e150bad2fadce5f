//! Who a request comes from, by the long-term credential mechanism (RFC 8489, section 9.2) on credentials that state their own expiry.

use std::net::SocketAddr;

use runtime::turn_credentials::{TurnSecrets, TurnUsername, UsernameError};

use crate::nonce::Nonces;
use crate::revoked::Revoked;
use crate::stun::{ErrorCode, IntegrityKey, Message, attribute};

/// What credentials are checked with.
#[derive(Debug)]
pub(crate) struct Auth {
    pub(crate) realm: String,
    pub(crate) secrets: TurnSecrets,
    pub(crate) nonces: Nonces,
    pub(crate) revoked: Revoked,
}

/// Who it is.
pub(crate) struct User<'a> {
    pub(crate) username: TurnUsername<'a>,
    /// What answers are signed with.
    pub(crate) key: IntegrityKey,
}

/// Why it is nobody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stranger {
    /// What it is told.
    pub(crate) error: ErrorCode,
    /// How it is counted; a first request without credentials is no failure.
    pub(crate) reason: Option<&'static str>,
}

impl Auth {
    /// Who a request comes from; `now_s` is Unix time in seconds.
    pub(crate) fn check<'a>(&self, request: &Message<'a>, from: SocketAddr, now_s: u64) -> Result<User<'a>, Stranger> {
        if request.attribute(attribute::MESSAGE_INTEGRITY).is_none() {
            return Err(Stranger { error: ErrorCode::Unauthorized, reason: None });
        }
        let text = |kind| request.text(kind);
        let (Some(username), Some(realm), Some(nonce)) =
            (text(attribute::USERNAME), text(attribute::REALM), text(attribute::NONCE))
        else {
            return Err(Stranger { error: ErrorCode::BadRequest, reason: Some("malformed") });
        };
        if !self.nonces.is_good(nonce, from, now_s) {
            return Err(Stranger { error: ErrorCode::StaleNonce, reason: None });
        }
        let refused = |reason| Stranger { error: ErrorCode::Unauthorized, reason: Some(reason) };
        let parsed = TurnUsername::parse(username, now_s).map_err(|error| match error {
            UsernameError::Malformed => refused("malformed"),
            UsernameError::Expired => refused("expired"),
        })?;
        if realm != self.realm {
            return Err(refused("malformed"));
        }
        let keys = self.secrets.passwords(username).map(|password| IntegrityKey::new(username, realm, &password));
        let key = keys.into_iter().find(|key| request.is_signed_with(key)).ok_or(refused("password"))?;
        match self.revoked.contains(parsed.name, parsed.expires_at_s) {
            true => Err(refused("revoked")),
            false => Ok(User { username: parsed, key }),
        }
    }
}
