//! Credentials of the TURN server: made by signaling, checked by TURN, from a secret that both hold.
//!
//! The scheme is the "REST API for access to TURN services" (draft-uberti-behave-turn-rest): the username is
//! `<unix expiry in seconds>:<name>`, the password `base64(HMAC-SHA1(secret, username))`. coturn's `use-auth-secret` speaks the same,
//! so the embedded server and coturn can take each other's place. TURN keeps no accounts: whoever shows a password that only
//! a holder of the secret can have made is let in until the expiry that the username itself states.
//!
//! SHA-1 is the scheme's, not our choice; HMAC-SHA1 is not touched by SHA-1's collisions.
//!
//! `name` is opaque to TURN, but for one thing: the part before its first `.` is the user, whose allocations are counted together.

mod file;

use std::fmt;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::config::Secret;

/// The longest username, as RFC 8489 bounds it.
const USERNAME_BYTES_MAX: usize = 508;

/// The secrets by which credentials are made and checked; the first makes, each of them checks.
///
/// While a secret is replaced both are held, so that what the old one made stays good until it expires.
#[derive(Clone)]
pub struct TurnSecrets(Vec<hmac::Key>);

/// What a client shows to the TURN server.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct TurnCredentials {
    /// `<unix expiry>:<name>`.
    pub username: String,
    /// The password; no secret lies in it beyond its own use.
    pub password: String,
}

/// A username of this scheme, taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TurnUsername<'a> {
    /// The Unix time in seconds from which on it is no longer good.
    pub expires_at_s: u64,
    /// What was named when it was made.
    pub name: &'a str,
}

/// Why a username is not let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UsernameError {
    /// It is not `<unix expiry>:<name>`.
    #[error("the username is not `<unix expiry>:<name>`")]
    Malformed,
    /// Its time is over.
    #[error("the credentials have expired")]
    Expired,
}

impl TurnSecrets {
    /// The secret that makes, and the one before it, if credentials of that one may still be about.
    ///
    /// `None` without a secret that makes.
    pub fn new(current: &Secret, previous: &Secret) -> Option<Self> {
        let current = key(current.expose()?);
        Some(Self([Some(current), previous.expose().map(key)].into_iter().flatten().collect()))
    }

    /// Credentials for `name`, good for `lifetime` from `now_s` (Unix time in seconds) on.
    pub fn make(&self, name: &str, lifetime: Duration, now_s: u64) -> TurnCredentials {
        let username = format!("{}:{name}", now_s.saturating_add(lifetime.as_secs()));
        let password = self.0.first().map(|key| password(key, &username)).unwrap_or_default();
        TurnCredentials { username, password }
    }

    /// The passwords that a username is good with, one for each secret, the newest first.
    pub fn passwords(&self, username: &str) -> impl Iterator<Item = String> {
        self.0.iter().map(move |key| password(key, username))
    }
}

impl<'a> TurnUsername<'a> {
    /// Takes a username apart and refuses one whose time is over.
    ///
    /// # Errors
    /// When it is not of this scheme, or has expired at `now_s`, Unix time in seconds.
    pub fn parse(username: &'a str, now_s: u64) -> Result<Self, UsernameError> {
        let (expiry, name) = username.split_once(':').ok_or(UsernameError::Malformed)?;
        let digits = !expiry.is_empty() && expiry.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || name.is_empty() || username.len() > USERNAME_BYTES_MAX {
            return Err(UsernameError::Malformed);
        }
        let expires_at_s: u64 = expiry.parse().map_err(|_| UsernameError::Malformed)?;
        match expires_at_s > now_s {
            true => Ok(Self { expires_at_s, name }),
            false => Err(UsernameError::Expired),
        }
    }

    /// Whose allocations are counted together: the part of the name before the first `.`.
    pub fn user(&self) -> &'a str {
        self.name.split('.').next().unwrap_or(self.name)
    }
}

fn key(secret: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes())
}

fn password(key: &hmac::Key, username: &str) -> String {
    STANDARD.encode(hmac::sign(key, username.as_bytes()))
}

impl fmt::Debug for TurnSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TurnSecrets({} of them)", self.0.len())
    }
}

impl fmt::Debug for TurnCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TurnCredentials({})", self.username)
    }
}

/// Where clients find a TURN server, and what lets them in: all that signaling needs to hand out.
#[derive(Clone, Debug)]
pub struct TurnAccess {
    /// `turn:` and `turns:` URIs (RFC 7065), the best first.
    pub urls: Vec<String>,
    /// What makes the credentials.
    pub secrets: TurnSecrets,
    /// How long credentials are good.
    pub lifetime: Duration,
}

impl TurnAccess {
    /// Credentials for `name` from `now_s` (Unix time in seconds) on, and until when they are good.
    pub fn grant(&self, name: &str, now_s: u64) -> (TurnCredentials, u64) {
        (self.secrets.make(name, self.lifetime, now_s), now_s.saturating_add(self.lifetime.as_secs()))
    }
}

#[cfg(test)]
mod tests;
