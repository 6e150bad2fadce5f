//! A cable on every way between two parts, so that a test can break each of them and no other.
//!
//! Who connects has a cable of its own to each part that it uses: that one service has lost Redis while all others have it is a fault
//! that systems know and a shared proxy could not show.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use protocol::ServiceName::{self, Auth, Chat, Gateway, Signaling, Storage};
use rig::Cable;

use crate::topology::{Part, Topology};

/// How lines name whoever connects from outside.
pub const CLIENTS: &str = "clients";
/// How lines name the Redis that all share.
pub const REDIS: &str = "redis";

/// Which service asks which others.
const ASKS: [(ServiceName, &[ServiceName]); 3] =
    [(Chat, &[Auth]), (Signaling, &[Auth, Chat, Signaling]), (Gateway, &[Auth, Chat, Signaling, Storage])];
/// Who uses Redis.
const SHARE: [ServiceName; 4] = [Auth, Chat, Signaling, Gateway];

/// A way between two parts, by their names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Line {
    /// Who connects.
    pub from: &'static str,
    /// To whom.
    pub to: &'static str,
}

impl Line {
    /// Every line of a topology.
    #[must_use]
    pub fn all(topology: Topology) -> Vec<Self> {
        let between = topology.parts().iter().flat_map(|part| Self::to_services(topology, *part));
        let shared = topology.parts().iter().filter_map(|part| Self::to_redis(topology, *part));
        let clients = topology.parts_of(Gateway).map(|to| Self { from: CLIENTS, to });
        let mut lines: Vec<Self> = Vec::new();
        for line in between.map(|(line, _)| line).chain(shared).chain(clients) {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }

    /// The lines of a part to the services that it asks, with their names.
    pub(crate) fn to_services(topology: Topology, part: Part) -> impl Iterator<Item = (Self, ServiceName)> {
        asked_by(part).flat_map(move |service| {
            let elsewhere = topology.parts_of(service).filter(move |to| *to != part.name);
            elsewhere.map(move |to| (Self { from: part.name, to }, service))
        })
    }

    /// The line of a part to Redis, if there is one.
    pub(crate) fn to_redis(topology: Topology, part: Part) -> Option<Self> {
        let uses = topology.has_redis() && SHARE.iter().any(|service| part.roles.contains(service));
        uses.then_some(Self { from: part.name, to: REDIS })
    }
}

/// Which services a part asks, each once.
pub(crate) fn asked_by(part: Part) -> impl Iterator<Item = ServiceName> {
    let asks = move |service: &ServiceName| {
        ASKS.iter().any(|(who, asked)| part.roles.contains(who) && asked.contains(service))
    };
    ServiceName::ALL.into_iter().filter(asks)
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from, self.to)
    }
}

/// The cables that were laid so far.
#[derive(Default)]
pub(crate) struct Cables(BTreeMap<Line, Cable>);

impl Cables {
    /// Lays a cable, if there is none yet; answers where it begins. Without a target it leads nowhere until it is told one.
    pub(crate) async fn lay(&mut self, line: Line, to: Option<SocketAddr>, host: Ipv4Addr) -> SocketAddr {
        if let Some(cable) = self.0.get(&line) {
            return cable.address();
        }
        let nowhere = SocketAddr::new(host.into(), 0);
        let cable = Cable::to(to.unwrap_or(nowhere), host).await;
        let begins = cable.address();
        self.0.insert(line, cable);
        begins
    }

    /// All cables to a part that others ask lead there from now on.
    pub(crate) fn lead_to(&self, part: &str, address: SocketAddr) {
        let ending = self.0.iter().filter(|(line, _)| line.to == part && line.from != CLIENTS);
        ending.for_each(|(_, cable)| cable.lead_to(address));
    }

    pub(crate) fn get(&self, line: Line) -> Option<&Cable> {
        self.0.get(&line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_two_parts_that_speak_to_each_other_have_a_line() {
        let lines: Vec<String> = Line::all(Topology::FiveProcesses).iter().map(ToString::to_string).collect();
        let expected = [
            "chat-auth",
            "signaling-auth",
            "signaling-chat",
            "gateway-auth",
            "gateway-chat",
            "gateway-signaling",
            "gateway-storage",
            "auth-redis",
            "chat-redis",
            "signaling-redis",
            "gateway-redis",
            "clients-gateway",
        ];
        assert_eq!(lines, expected);
        let nodes: Vec<String> = Line::all(Topology::TwoNodes).iter().map(ToString::to_string).collect();
        assert_eq!(nodes, ["a-b", "b-a", "a-redis", "b-redis", "clients-a", "clients-b"]);
        let doubled: Vec<String> = Line::all(Topology::Doubled).iter().map(ToString::to_string).collect();
        for line in ["gateway-2-signaling", "gateway-signaling-2", "signaling-2-chat", "clients-gateway-2"] {
            assert!(doubled.iter().any(|known| known == line), "no {line} in {doubled:?}");
        }
        let alone: Vec<String> = Line::all(Topology::OneProcess).iter().map(ToString::to_string).collect();
        assert_eq!(alone, ["clients-core"]);
    }
}
