//! Bodies of accounts and sessions (`auth.*`, `me.*`, `sessions.*`, `users.*`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::ids::{SessionId, UserId};

/// What a user may do beyond their own conversations. Each role includes the ones before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Uses the service.
    User,
    /// Deletes messages and reads their former texts.
    Moderator,
    /// Gives roles, suspends accounts.
    Admin,
}

impl Role {
    /// The role on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Moderator => "moderator",
            Self::Admin => "admin",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::User, Self::Moderator, Self::Admin].into_iter().find(|role| role.as_str() == name)
    }
}

/// Body of `auth.register`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// 3 to 32 of `a-z`, `0-9`, `_`, `.`, beginning with a letter; how others find this person.
    pub handle: String,
    /// 1 to 64 characters, what others see.
    pub name: String,
    /// At least 10 characters.
    pub password: String,
    /// What the device calls itself in the list of sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Browsers: the refresh token comes as an `HttpOnly` cookie instead of in the answer.
    #[serde(default)]
    pub cookie: bool,
}

/// Body of `auth.login`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The handle.
    pub handle: String,
    /// The password.
    pub password: String,
    /// What the device calls itself in the list of sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Browsers: the refresh token comes as an `HttpOnly` cookie instead of in the answer.
    #[serde(default)]
    pub cookie: bool,
}

/// Body of `auth.refresh` and `auth.logout`; browsers send the cookie instead.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct RefreshToken {
    /// The refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

/// Answer of `auth.register`, `auth.login` and `auth.refresh`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Grant {
    /// The account.
    pub user: Account,
    /// The login.
    pub session: SessionId,
    /// The access token (JWT, EdDSA).
    pub access_token: String,
    /// When the access token expires.
    pub expires_at: Millis,
    /// The refresh token; absent in cookie mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

/// The caller's own account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// The account's id.
    pub id: UserId,
    /// How others find this person.
    pub handle: String,
    /// What others see.
    pub name: String,
    /// An `https` URL of a picture, or absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
    /// The account's role.
    pub role: Role,
    /// When it was made.
    pub created_at: Millis,
}

/// What others see of an account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// The account's id.
    pub id: UserId,
    /// The handle.
    pub handle: String,
    /// The name.
    pub name: String,
    /// An `https` URL of a picture, or absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
}

/// Body of `me.update`: what is absent stays.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct UpdateAccount {
    /// A new handle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// A new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new picture; empty removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
}

/// Body of `me.password`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The present password.
    pub current: String,
    /// The new password, at least 10 characters.
    pub new: String,
}

/// One login of the caller.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// What the device called itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// When it began.
    pub created_at: Millis,
    /// When it last refreshed.
    pub last_seen_at: Millis,
    /// The client address it was last seen from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// Answer of `sessions.list`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Sessions {
    /// All logins, the last seen first.
    pub sessions: Vec<Session>,
}

/// Body of `sessions.revoke`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeSession {
    /// Which login ends.
    pub session: SessionId,
}

/// Body of `users.find`: one of the two.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct FindUsers {
    /// An exact handle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// Ids that the caller knows, at most 100.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<UserId>,
}

/// Answer of `users.find`; who does not exist is left out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Profiles {
    /// The profiles.
    pub users: Vec<Profile>,
}

/// Body of `users.role`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRole {
    /// The new role.
    pub role: Role,
}

/// Body of `users.suspend`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct Suspend {
    /// Why, for the audit trail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The answer of commands that have nothing to say but that they were done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema, Default)]
pub struct Done {}
