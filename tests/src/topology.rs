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
    /// Each service in a process of its own (TURN beside storage), joined by the link over Unix sockets, with a Redis between them.
    FiveProcesses,
    /// As five processes, with a second gateway beside the first in the same data directory: for what happens to thousands when one is gone.
    TwoGateways,
    /// Two machines with a Redis between them: `a` runs every role and owns every store, `b` runs gateway and signaling too, and reaches
    /// the rest on `a` by mutual TLS. Clients are spread over both.
    TwoNodes,
    /// As five processes, with a second gateway and a second signaling process, each on a machine of its own: for what happens when one
    /// of two is gone. Too much for every scenario.
    Doubled,
}

/// One process of a topology.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Part {
    /// The name that tests call it by.
    pub name: &'static str,
    /// The roles it runs.
    pub roles: &'static [ServiceName],
}

const ONE_PROCESS: &[Part] = &[Part { name: "core", roles: &ServiceName::ALL }];
const GATEWAY_APART: &[Part] = &[
    Part {
        name: "core",
        roles: &[ServiceName::Auth, ServiceName::Chat, ServiceName::Signaling, ServiceName::Storage, ServiceName::Turn],
    },
    Part { name: "edge", roles: &[ServiceName::Gateway] },
];
/// Signaling tells clients where TURN is, and learns it when it starts: TURN's port, which the kernel chooses here, comes first.
const FIVE_PROCESSES: &[Part] = &[
    Part { name: "storage", roles: &[ServiceName::Storage, ServiceName::Turn] },
    Part { name: "auth", roles: &[ServiceName::Auth] },
    Part { name: "chat", roles: &[ServiceName::Chat] },
    Part { name: "signaling", roles: &[ServiceName::Signaling] },
    Part { name: "gateway", roles: &[ServiceName::Gateway] },
];

const TWO_GATEWAYS: &[Part] = &[
    Part { name: "storage", roles: &[ServiceName::Storage, ServiceName::Turn] },
    Part { name: "auth", roles: &[ServiceName::Auth] },
    Part { name: "chat", roles: &[ServiceName::Chat] },
    Part { name: "signaling", roles: &[ServiceName::Signaling] },
    Part { name: "gateway", roles: &[ServiceName::Gateway] },
    Part { name: "gateway-2", roles: &[ServiceName::Gateway] },
];
const TWO_NODES: &[Part] = &[
    Part { name: "a", roles: &ServiceName::ALL },
    Part { name: "b", roles: &[ServiceName::Signaling, ServiceName::Gateway] },
];
const DOUBLED: &[Part] = &[
    Part { name: "storage", roles: &[ServiceName::Storage, ServiceName::Turn] },
    Part { name: "auth", roles: &[ServiceName::Auth] },
    Part { name: "chat", roles: &[ServiceName::Chat] },
    Part { name: "signaling", roles: &[ServiceName::Signaling] },
    Part { name: "signaling-2", roles: &[ServiceName::Signaling] },
    Part { name: "gateway", roles: &[ServiceName::Gateway] },
    Part { name: "gateway-2", roles: &[ServiceName::Gateway] },
];

impl Topology {
    /// Every topology that scenarios run on.
    pub const ALL: [Self; 4] = [Self::OneProcess, Self::GatewayApart, Self::FiveProcesses, Self::TwoNodes];

    /// The processes, in the order in which they start.
    #[must_use]
    pub const fn parts(self) -> &'static [Part] {
        match self {
            Self::OneProcess => ONE_PROCESS,
            Self::GatewayApart => GATEWAY_APART,
            Self::FiveProcesses => FIVE_PROCESSES,
            Self::TwoGateways => TWO_GATEWAYS,
            Self::TwoNodes => TWO_NODES,
            Self::Doubled => DOUBLED,
        }
    }

    /// Whether the processes share a Redis.
    #[must_use]
    pub const fn has_redis(self) -> bool {
        matches!(self, Self::FiveProcesses | Self::TwoGateways | Self::TwoNodes | Self::Doubled)
    }

    /// Whether each process is a machine of its own, with a data directory that no other one sees.
    #[must_use]
    pub const fn has_machines(self) -> bool {
        matches!(self, Self::TwoNodes | Self::Doubled)
    }

    /// The folder of a service's data in its process's data directory: a second gateway on one directory has one of its own.
    #[must_use]
    pub fn folder(self, part: &'static str, service: ServiceName) -> &'static str {
        match service {
            ServiceName::Gateway if self == Self::TwoGateways => part,
            other => other.role(),
        }
    }

    /// All processes that run a service, in the order in which they start.
    pub fn parts_of(self, service: ServiceName) -> impl Iterator<Item = &'static str> {
        self.parts().iter().filter(move |part| part.roles.contains(&service)).map(|part| part.name)
    }

    /// The process that runs a service, the first of several.
    ///
    /// # Panics
    /// When none does.
    #[must_use]
    pub fn part_of(self, service: ServiceName) -> &'static str {
        self.parts_of(service).next().unwrap_or_else(|| panic!("{} runs nowhere in {self:?}", service.as_str()))
    }

    /// The process that clients connect to, the first of several.
    #[must_use]
    pub fn gateway_part(self) -> &'static str {
        self.part_of(ServiceName::Gateway)
    }

    /// The process that holds the logs of the conversations.
    #[must_use]
    pub fn chat_part(self) -> &'static str {
        self.part_of(ServiceName::Chat)
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
        mod five_processes {
            $(#[tokio::test]
            async fn $scenario() {
                super::$scenario($crate::Topology::FiveProcesses).await;
            })*
        }
        mod two_nodes {
            $(#[tokio::test]
            async fn $scenario() {
                super::$scenario($crate::Topology::TwoNodes).await;
            })*
        }
    };
}
