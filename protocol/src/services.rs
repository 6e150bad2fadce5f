//! The services as operators see them: names and ports. Five of them serve commands; TURN stands beside them and serves none.

use serde::{Deserialize, Serialize};

/// One of the services. Containers, metrics and logs carry [`ServiceName::as_str`]; the code's folder is the shorter name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum ServiceName {
    /// The edge: sockets, REST, limits (`gateway/`).
    #[serde(rename = "api-gateway")]
    Gateway,
    /// Accounts, tokens, sessions (`auth/`).
    #[serde(rename = "auth-service")]
    Auth,
    /// Conversations, their logs, presence (`chat/`).
    #[serde(rename = "chat-service")]
    Chat,
    /// Calls (`signaling/`).
    #[serde(rename = "video-service")]
    Signaling,
    /// Files (`storage/`).
    #[serde(rename = "storage-service")]
    Storage,
    /// Relayed media (`turn/`).
    #[serde(rename = "turn-server")]
    Turn,
}

impl ServiceName {
    /// All of them, in the order of their ports.
    pub const ALL: [Self; 6] = [Self::Gateway, Self::Auth, Self::Chat, Self::Signaling, Self::Storage, Self::Turn];

    /// The name that operators and containers see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "api-gateway",
            Self::Auth => "auth-service",
            Self::Chat => "chat-service",
            Self::Signaling => "video-service",
            Self::Storage => "storage-service",
            Self::Turn => "turn-server",
        }
    }

    /// The role's name in config, on the command line and as folder of its data.
    #[must_use]
    pub const fn role(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Auth => "auth",
            Self::Chat => "chat",
            Self::Signaling => "signaling",
            Self::Storage => "storage",
            Self::Turn => "turn",
        }
    }

    /// Whether it serves commands, and so has a place on the link.
    #[must_use]
    pub const fn serves_commands(self) -> bool {
        !matches!(self, Self::Turn)
    }

    /// The service of a role's name.
    #[must_use]
    pub fn from_role(role: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.role() == role)
    }

    /// The port it listens on by default, 8080 to 8085.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Gateway => 8080,
            Self::Auth => 8081,
            Self::Chat => 8082,
            Self::Signaling => 8083,
            Self::Storage => 8084,
            Self::Turn => 8085,
        }
    }
}
