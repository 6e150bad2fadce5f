//! Which roles run in which process.
//!
//! "One process or five is the same code" is only true while both are tested: each scenario runs on all of these.

use protocol::ServiceName;

/// How the roles are spread over processes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Topology {
    /// All in one process, calling each other directly.
    OneProcess,
    /// The gateway in a process of its own, the others together in a second one, joined by the link over a Unix socket.
    GatewayApart,
}

/// One process of a topology.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Part {
    /// The name that tests call it by.
    pub name: &'static str,
    /// The roles it runs.
    pub roles: &'static [ServiceName],
}

/// The process that holds the logs, in every topology.
pub const CORE: &str = "core";
/// The gateway's own process, where it has one.
pub const EDGE: &str = "edge";

const ALL_ROLES: &[ServiceName] = &ServiceName::ALL;
const EDGE_ROLES: &[ServiceName] = &[ServiceName::Gateway];
const CORE_ROLES: &[ServiceName] =
    &[ServiceName::Auth, ServiceName::Chat, ServiceName::Signaling, ServiceName::Storage, ServiceName::Turn];

impl Topology {
    /// Every topology that scenarios run on.
    pub const ALL: [Self; 2] = [Self::OneProcess, Self::GatewayApart];

    /// The processes, in the order in which they start.
    #[must_use]
    pub const fn parts(self) -> &'static [Part] {
        match self {
            Self::OneProcess => &[Part { name: CORE, roles: ALL_ROLES }],
            Self::GatewayApart => &[Part { name: CORE, roles: CORE_ROLES }, Part { name: EDGE, roles: EDGE_ROLES }],
        }
    }

    /// The process that clients connect to.
    #[must_use]
    pub const fn gateway_part(self) -> &'static str {
        match self {
            Self::OneProcess => CORE,
            Self::GatewayApart => EDGE,
        }
    }
}

/// Makes of each scenario (an `async fn(Topology)`) one test for every topology, in a module of the topology's name.
#[macro_export]
macro_rules! on_every_topology {
    ($($scenario:ident),* $(,)?) => {
        mod one_process {
            $(#[tokio::test]
            async fn $scenario() {
                super::$scenario($crate::Topology::OneProcess).await;
            })*
        }
        mod gateway_apart {
            $(#[tokio::test]
            async fn $scenario() {
                super::$scenario($crate::Topology::GatewayApart).await;
            })*
        }
    };
}
