//! Newtypes for every id, so that a user can't be passed where a conversation is meant.
//!
//! All ids are UUIDs in their hyphenated lower-case form. Those that the server makes are version 7: they sort by time, which
//! keeps the store's indexes local.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// How much of the end of an id says which instance of a service has the work on it: few enough bytes that an id with a given end is still
/// one that nobody guesses, enough that work is spread evenly.
pub const ID_END_BYTES: usize = 2;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id of the current time (UUID version 7).
            #[must_use]
            pub fn now() -> Self {
                Self(Uuid::now_v7())
            }

            /// The 16 bytes that stores keep.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<[u8; 16]> for $name {
            fn from(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A person with an account. Knowing it is what lets one read the profile behind it: ids are learnt from an exact handle
    /// or a shared conversation only.
    UserId
);
id!(
    /// One login of a user on one device; revoking it closes its sockets.
    SessionId
);
id!(
    /// One connection of a login, such as a browser's tab: made by the gateway when it begins, and kept over every resume. It is
    /// public; the secret that resumes the connection is another.
    ConnectionId
);
id!(
    /// A 1-1 conversation, a group or a channel.
    ConversationId
);
id!(
    /// A call, from its start to its record.
    CallId
);
impl CallId {
    /// A new id for a call of a conversation. It ends as the conversation's does, and commands are routed by how an id ends: so what
    /// concerns the call is done where it was started, and nobody has to be told that it was.
    #[must_use]
    pub fn now_in(conversation: ConversationId) -> Self {
        let mut id = *Uuid::now_v7().as_bytes();
        let end = id.len() - ID_END_BYTES;
        id[end..].copy_from_slice(&conversation.as_bytes()[end..]);
        Self::from(id)
    }
}

id!(
    /// Made by the client for each message; the same id never makes a second entry.
    ClientId
);
id!(
    /// Names one request in answers, logs and audit.
    RequestId
);
