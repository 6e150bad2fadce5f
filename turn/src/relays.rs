//! The relayed addresses that live at this moment, as they are advertised. They are the one part of this server that its clients may reach.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::RwLock;

/// The live relayed addresses. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Relays {
    // Bounded by the bound on allocations.
    live: Arc<RwLock<HashSet<SocketAddr>>>,
}

/// One relayed address lives as long as this.
#[derive(Debug)]
pub(crate) struct RelayPlace {
    relays: Relays,
    address: SocketAddr,
}

impl Relays {
    /// This one lives from now on.
    pub(crate) fn enter(&self, address: SocketAddr) -> RelayPlace {
        self.live.write().insert(address);
        RelayPlace { relays: self.clone(), address }
    }

    /// Whether it lives.
    pub(crate) fn is_live(&self, address: SocketAddr) -> bool {
        self.live.read().contains(&address)
    }
}

impl Drop for RelayPlace {
    fn drop(&mut self) {
        self.relays.live.write().remove(&self.address);
    }
}
