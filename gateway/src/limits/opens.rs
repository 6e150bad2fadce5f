//! Sockets that have not said who they are: a few per network.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use runtime::limits::Network;

/// The most networks with such sockets.
const NETWORKS_MAX: usize = 50_000;

/// Counts them.
pub(crate) struct Unauthenticated {
    per_network: usize,
    counts: Mutex<HashMap<Network, usize>>,
}

/// One socket that has not said who it is; dropping it makes room.
pub(crate) struct Greeting {
    counter: Arc<Unauthenticated>,
    network: Network,
}

impl Unauthenticated {
    pub(crate) fn new(per_network: usize) -> Arc<Self> {
        Arc::new(Self { per_network, counts: Mutex::default() })
    }

    /// One more, if there is room.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Greeting> {
        let network = Network::from(address);
        let mut counts = self.counts.lock();
        let count = counts.get(&network).copied().unwrap_or(0);
        let known = count > 0 || counts.len() < NETWORKS_MAX;
        if !known || count >= self.per_network {
            return None;
        }
        counts.insert(network, count + 1);
        Some(Greeting { counter: Arc::clone(self), network })
    }
}

impl Drop for Greeting {
    fn drop(&mut self) {
        let mut counts = self.counter.counts.lock();
        if let Some(count) = counts.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_a_few_and_gets_them_back() {
        let counter = Unauthenticated::new(2);
        let [one, other] = ["2001:db8:1:2::1", "2001:db8:1:3::1"].map(|address| address.parse().unwrap());
        let first = counter.enter(one).unwrap();
        let _second = counter.enter("2001:db8:1:2::2".parse().unwrap()).unwrap();
        assert!(counter.enter(one).is_none());
        assert!(counter.enter(other).is_some());
        drop(first);
        assert!(counter.enter(one).is_some());
    }
}
