//! What the parts have bound: several of them may run the same role, so a listener is known by its part and its name.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::topology::Topology;

/// Listeners by part and by their names in the addresses files.
#[derive(Debug, Default)]
pub(crate) struct Bound(BTreeMap<&'static str, BTreeMap<String, SocketAddr>>);

impl Bound {
    /// What a part has bound.
    pub(crate) fn learn(&mut self, part: &'static str, found: &BTreeMap<String, SocketAddr>) {
        self.0.entry(part).or_default().extend(found.iter().map(|(name, address)| (name.clone(), *address)));
    }

    /// A listener of a part; `None` for what was never bound.
    pub(crate) fn of(&self, part: &str, listener: &str) -> Option<SocketAddr> {
        self.0.get(part)?.get(listener).copied()
    }

    /// The listener of this name, of the first part that has one.
    pub(crate) fn first(&self, topology: Topology, listener: &str) -> Option<SocketAddr> {
        topology.parts().iter().find_map(|part| self.of(part.name, listener))
    }
}
