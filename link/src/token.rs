//! What auth signs and revokes, and the gateway verifies.
//!
//! An access token says who its bearer is for some minutes. That it was revoked before its end is told by a durable, numbered
//! list that every gateway tails twice a second and loads before it is ready.

use protocol::accounts::Role;
use protocol::{Millis, SessionId, UserId};
use serde::{Deserialize, Serialize};

/// The `iss` of access tokens.
pub const ISSUER: &str = "secureconnect";
/// The `aud` of access tokens.
pub const AUDIENCE: &str = "secureconnect";
/// How often a gateway asks for new revocations, in milliseconds.
pub const REVOCATIONS_EVERY_MS: u64 = 500;

/// The claims of an access token (RFC 7519), signed with EdDSA under a `kid` of the JWKS.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccessClaims {
    /// [`ISSUER`].
    pub iss: String,
    /// [`AUDIENCE`].
    pub aud: String,
    /// The user.
    pub sub: UserId,
    /// The login.
    pub sid: SessionId,
    /// The account's role.
    pub role: Role,
    /// When it was made, in seconds.
    pub iat: u64,
    /// When it expires, in seconds.
    pub exp: u64,
    /// When it was made, in milliseconds: what [`Revoked::TokensBefore`] is compared with.
    pub iat_ms: Millis,
}

/// One row of the list of revocations.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Revocation {
    /// Its number: grows by one.
    pub number: u64,
    /// Whose tokens.
    pub user: UserId,
    /// Which of them.
    pub revoked: Revoked,
    /// When the last token it concerns has expired: then it can be forgotten.
    pub until: Millis,
}

/// What is revoked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Revoked {
    /// A login has ended: its tokens are void, its sockets close as `revoked`.
    Session(SessionId),
    /// Tokens of the user from before this time are stale (their role changed): they are refreshed, sockets close as
    /// `token_expired`.
    TokensBefore(Millis),
}

/// New rows of the list.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Revocations {
    /// In the order of their numbers.
    pub rows: Vec<Revocation>,
    /// The number of the newest row that exists, where to go on from.
    pub newest: u64,
}
