//! The sections that belong to the process, not to one service.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use protocol::ServiceName;
use runtime::telemetry::logs::LogFormat;
use serde::{Deserialize, Serialize};

/// `[log]`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSection {
    /// How lines look.
    pub format: LogFormat,
    /// What is logged, in `tracing`'s filter language.
    pub filter: String,
}

/// `[listen]`: one address for each service.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenSection {
    /// The gateway: all that clients need.
    pub gateway: SocketAddr,
    /// The auth service's operators' routes.
    pub auth: SocketAddr,
    /// The chat service's operators' routes.
    pub chat: SocketAddr,
    /// The signaling service's operators' routes.
    pub signaling: SocketAddr,
    /// The storage service's operators' routes.
    pub storage: SocketAddr,
    /// The TURN server's operators' routes.
    pub turn: SocketAddr,
    /// Connections at once on each listener.
    pub max_connections: usize,
    /// Connections of one client address that have not sent a whole request.
    pub max_pending_per_address: usize,
}

/// `[admin]`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminSection {
    /// Where the admin listener listens, on loopback.
    pub listen: SocketAddr,
}

/// `[proxy]`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxySection {
    /// Whose word on the client's address counts.
    pub trusted: Vec<IpNet>,
    /// Whether they speak the PROXY protocol.
    pub protocol: bool,
}

/// `[tls]`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSection {
    /// The certificate chain, PEM.
    pub cert: Option<PathBuf>,
    /// Its key, PEM.
    pub key: Option<PathBuf>,
}

/// `[metrics]`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsSection {
    /// Who may read the operators' routes besides loopback.
    pub networks: Vec<IpNet>,
}

/// The admin listener's port.
const ADMIN_PORT: u16 = 8090;

impl Default for LogSection {
    fn default() -> Self {
        Self { format: LogFormat::Auto, filter: "info".to_owned() }
    }
}

impl Default for ListenSection {
    fn default() -> Self {
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self {
            gateway: local(ServiceName::Gateway.default_port()),
            auth: local(ServiceName::Auth.default_port()),
            chat: local(ServiceName::Chat.default_port()),
            signaling: local(ServiceName::Signaling.default_port()),
            storage: local(ServiceName::Storage.default_port()),
            turn: local(ServiceName::Turn.default_port()),
            // The usual limit of open files is 20,000; the store, the link and the logs need some too.
            max_connections: 19_000,
            max_pending_per_address: 256,
        }
    }
}

impl Default for AdminSection {
    fn default() -> Self {
        Self { listen: (Ipv4Addr::LOCALHOST, ADMIN_PORT).into() }
    }
}

impl ListenSection {
    /// The address of a service.
    #[must_use]
    pub fn of(&self, service: ServiceName) -> SocketAddr {
        match service {
            ServiceName::Gateway => self.gateway,
            ServiceName::Auth => self.auth,
            ServiceName::Chat => self.chat,
            ServiceName::Signaling => self.signaling,
            ServiceName::Storage => self.storage,
            ServiceName::Turn => self.turn,
        }
    }
}
