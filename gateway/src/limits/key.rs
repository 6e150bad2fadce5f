//! Whose budget: what a row counts by, in memory and in Redis.

use std::fmt;

use protocol::{SessionId, UserId};
use runtime::limits::Network;
use uuid::Uuid;

/// Who, or what, has a budget of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Key {
    User(UserId),
    Network(Network),
    /// A user within one conversation.
    Conversation(UserId, Uuid),
    Login(SessionId),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => user.fmt(f),
            Self::Network(network) => network.fmt(f),
            Self::Conversation(user, conversation) => write!(f, "{user}/{conversation}"),
            Self::Login(login) => login.fmt(f),
        }
    }
}
