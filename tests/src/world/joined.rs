//! Processes that don't find each other by sockets in one data directory, but are told where the others are.
//!
//! By ports of loopback, under the key of the directory that they share; or as on several machines, each with a data directory and a
//! certificate of its own. The machines are called `localhost` here: a host name goes the way of all that is beyond loopback.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use protocol::ServiceName;
use rig::Cable;

use super::cables::{CLIENTS, Cables, Line};
use super::process::binary;
use super::settings::variable;
use crate::topology::{Part, Topology};

/// How processes are joined.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Joined {
    /// By their sockets.
    #[default]
    BySockets,
    /// By ports of loopback.
    ByPorts,
    /// By ports of loopback, with a cable on every way, also to Redis and from clients.
    ByCables,
    /// By mutual TLS.
    BetweenMachines,
}

/// Where the processes listen for each other.
pub(crate) struct Links {
    joined: Joined,
    /// The host that they listen on.
    host: String,
    /// The machines' folder.
    machines: PathBuf,
    bound: BTreeMap<ServiceName, SocketAddr>,
    cables: Cables,
}

impl Links {
    /// Has the certificates made where there are machines, as an operator does.
    pub(crate) fn prepare(joined: Joined, host: String, folder: &Path, topology: Topology) -> Self {
        let (machines, bound, cables) = (folder.join("machines"), BTreeMap::new(), Cables::default());
        if joined != Joined::BetweenMachines {
            return Self { joined, host, machines, bound, cables };
        }
        let names = topology.parts().iter().map(|part| format!("{},localhost", part.name));
        let made = Command::new(binary()).args(["link", "certificates"]).arg(&machines).args(names).output();
        let made = made.expect("the binary starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { joined, host: "localhost".to_owned(), machines, bound, cables }
    }

    /// A process's data directory, where it has one of its own.
    pub(crate) fn home(&self, part: &str) -> Option<PathBuf> {
        (self.joined == Joined::BetweenMachines).then(|| self.machines.join(part))
    }

    /// Where a service listens for other processes.
    pub(crate) fn of(&self, service: ServiceName) -> Option<SocketAddr> {
        self.bound.get(&service).copied()
    }

    /// What a process has bound.
    pub(crate) fn learn(&mut self, service: ServiceName, found: &BTreeMap<String, SocketAddr>) {
        self.bound.extend(found.get("link").map(|address| (service, *address)));
    }

    /// The cable of a line, where it was laid.
    pub(crate) fn cable(&self, line: Line) -> Option<&Cable> {
        self.cables.get(line)
    }

    /// Lays the cable between clients and the gateway.
    pub(crate) async fn lay_to_clients(&mut self, topology: Topology, gateway: SocketAddr, host: Ipv4Addr) {
        if self.joined == Joined::ByCables {
            self.cables.lay(Line { from: CLIENTS, to: topology.gateway_part() }, gateway, host).await;
        }
    }

    /// Lays the cables that a process uses; answers what it is told of them.
    pub(crate) async fn lay(
        &mut self,
        topology: Topology,
        part: Part,
        redis: Option<SocketAddr>,
        host: Ipv4Addr,
    ) -> Vec<(String, String)> {
        let mut told = Vec::new();
        if self.joined != Joined::ByCables {
            return told;
        }
        for (line, service) in Line::to_services(topology, part) {
            let begins = self.cables.lay(line, self.bound[&service], host).await;
            told.push((variable(&format!("link.peers.{}", service.role())), begins.to_string()));
        }
        if let (Some(line), Some(redis)) = (Line::to_redis(topology, part), redis) {
            let begins = self.cables.lay(line, redis, host).await;
            told.push((variable("redis.url"), format!("redis://{begins}")));
        }
        told
    }

    /// What a process is told: its certificate, and where those are that were started before it.
    pub(crate) fn environment(&self, part: Part) -> Vec<(String, String)> {
        if self.joined == Joined::BySockets {
            return Vec::new();
        }
        let address = |port: u16| format!("{}:{port}", self.host);
        let again = part.roles.iter().find_map(|role| self.of(*role)).map_or(0, |bound| bound.port());
        let mut told = vec![(variable("link.listen"), address(again))];
        let others = self.bound.iter().filter(|(service, _)| !part.roles.contains(service));
        told.extend(
            others.map(|(service, bound)| (variable(&format!("link.peers.{}", service.role())), address(bound.port()))),
        );
        if self.joined == Joined::BetweenMachines {
            let file = |name: String| self.machines.join(name).display().to_string();
            told.extend([
                (variable("link.tls.ca"), file("ca.pem".to_owned())),
                (variable("link.tls.cert"), file(format!("{}.pem", part.name))),
                (variable("link.tls.key"), file(format!("{}-key.pem", part.name))),
            ]);
        }
        told
    }
}
