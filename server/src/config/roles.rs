//! A service by the name of its role, as the config file and the command line write it.

use std::fmt;
use std::str::FromStr;

use protocol::ServiceName;
use serde::{Deserialize, Serialize};

/// A service that a process runs: `gateway`, `auth`, `chat`, `signaling`, `storage` or `turn`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Role(pub ServiceName);

/// Not a role's name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is no role: gateway, auth, chat, signaling, storage, turn")]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        ServiceName::from_role(name).map(Self).ok_or_else(|| UnknownRole(name.to_owned()))
    }
}

impl TryFrom<String> for Role {
    type Error = UnknownRole;

    fn try_from(name: String) -> Result<Self, UnknownRole> {
        name.parse()
    }
}

impl From<Role> for String {
    fn from(role: Role) -> Self {
        role.to_string()
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.role())
    }
}
