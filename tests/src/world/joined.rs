//! Processes that don't find each other by sockets in one data directory, but are told where the others are.
//!
//! By ports of loopback, under the key of the directory that they share; or as on several machines, each with a data directory and a
//! certificate of its own. The machines are called `localhost` here: a host name goes the way of all that is beyond loopback.
//!
//! A process may be told of one that was not started yet: then the way begins at a cable, whose port is known before its other end is.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use rig::Cable;

use super::binary;
use super::bound::Bound;
use super::cables::{CLIENTS, Cables, Line, asked_by};
use super::settings::variable;
use crate::topology::{Part, Topology};

/// The listener for other processes, in the addresses files.
pub(crate) const LINK: &str = "link";

/// How processes are joined.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Joined {
    /// By their sockets, where they share a directory.
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
    topology: Topology,
    joined: Joined,
    /// The address that they listen on.
    host: Ipv4Addr,
    /// The machines' folder, where there are any.
    machines: Option<PathBuf>,
    cables: Cables,
}

impl Links {
    /// Has the certificates made where there are machines, as an operator does.
    pub(crate) fn prepare(joined: Joined, host: Ipv4Addr, folder: &Path, topology: Topology) -> Self {
        if joined != Joined::BetweenMachines && !topology.has_machines() {
            return Self { topology, joined, host, machines: None, cables: Cables::default() };
        }
        let machines = folder.join("machines");
        let names = topology.parts().iter().map(|part| format!("{},localhost", part.name));
        let made = Command::new(binary()).args(["link", "certificates"]).arg(&machines).args(names).output();
        let made = made.expect("the binary starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let (machines, cables) = (Some(machines), Cables::default());
        Self { topology, joined, host: Ipv4Addr::LOCALHOST, machines, cables }
    }

    /// A process's data directory, where it has one of its own.
    pub(crate) fn home(&self, part: &str) -> Option<PathBuf> {
        Some(self.machines.as_ref()?.join(part))
    }

    /// A process listens for others there.
    pub(crate) fn learn(&self, part: &str, link: SocketAddr) {
        self.cables.lead_to(part, link);
    }

    /// The cable of a line, where it was laid.
    pub(crate) fn cable(&self, line: Line) -> Option<&Cable> {
        self.cables.get(line)
    }

    /// Lays the cable between clients and a gateway.
    pub(crate) async fn lay_to_clients(&mut self, part: &'static str, gateway: SocketAddr, host: Ipv4Addr) {
        if self.joined == Joined::ByCables {
            self.cables.lay(Line { from: CLIENTS, to: part }, Some(gateway), host).await;
        }
    }

    /// Lays the cables between a process and those that it asks.
    pub(crate) async fn lay(&mut self, part: Part, bound: &Bound) {
        if self.are_by_sockets() {
            return;
        }
        for (line, _) in Line::to_services(self.topology, part) {
            let to = bound.of(line.to, LINK);
            if self.joined == Joined::ByCables || to.is_none() {
                self.cables.lay(line, to, self.host).await;
            }
        }
    }

    /// Lays the cable between a process and Redis; answers what it is told of it.
    pub(crate) async fn lay_to_redis(&mut self, part: Part, redis: Option<SocketAddr>) -> Option<(String, String)> {
        let line = Line::to_redis(self.topology, part).filter(|_| self.joined == Joined::ByCables)?;
        let begins = self.cables.lay(line, Some(redis?), self.host).await;
        Some((variable("redis.url"), format!("redis://{begins}")))
    }

    /// What a process is told: its certificate and name, and where the others are.
    pub(crate) fn environment(&self, part: Part, bound: &Bound) -> Vec<(String, String)> {
        if self.are_by_sockets() {
            return Vec::new();
        }
        let again = bound.of(part.name, LINK).map_or(0, |bound| bound.port());
        let mut told = vec![(variable("link.listen"), self.address(again))];
        if self.topology.has_machines() {
            told.push((variable("link.name"), part.name.to_owned()));
        }
        for service in asked_by(part) {
            let all = self.topology.parts_of(service).count();
            let others = self.topology.parts_of(service).filter(|other| *other != part.name);
            let others: Vec<String> = others
                .filter_map(|to| {
                    let line = Line { from: part.name, to };
                    let begins = self.cables.get(line).map(Cable::address).or_else(|| bound.of(to, LINK))?;
                    let address = self.address(begins.port());
                    Some(if all == 1 { address } else { format!("{to}={address}") })
                })
                .collect();
            if !others.is_empty() {
                told.push((variable(&format!("link.peers.{}", service.role())), format!("{others:?}")));
            }
        }
        if let Some(machines) = &self.machines {
            let file = |name: String| machines.join(name).display().to_string();
            told.extend([
                (variable("link.tls.ca"), file("ca.pem".to_owned())),
                (variable("link.tls.cert"), file(format!("{}.pem", part.name))),
                (variable("link.tls.key"), file(format!("{}-key.pem", part.name))),
            ]);
            told.extend(self.relay(part, bound));
        }
        told
    }

    /// What machines are told that share no secret by a directory: where TURN is, and what lets clients in.
    fn relay(&self, part: Part, bound: &Bound) -> Vec<(String, String)> {
        let mut told = vec![(variable("turn.secret"), "one-secret-of-all-machines-of-a-test".to_owned())];
        let elsewhere = bound.of(self.topology.part_of(protocol::ServiceName::Turn), "turn");
        if let Some(turn) = elsewhere.filter(|_| !part.roles.contains(&protocol::ServiceName::Turn)) {
            told.push((variable("turn.urls"), format!("[\"turn:{turn}?transport=udp\"]")));
        }
        told
    }

    fn address(&self, port: u16) -> String {
        if self.machines.is_some() { format!("localhost:{port}") } else { format!("{}:{port}", self.host) }
    }

    fn are_by_sockets(&self) -> bool {
        self.joined == Joined::BySockets && self.machines.is_none()
    }
}
