//! How many connections of one network have not sent a whole request yet.
//!
//! A client that only opens connections, or sends its head one byte a second, can then use up its own share and no
//! more. Once a request has arrived the connection is not counted here any longer.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::limits::Network;

#[derive(Debug, Clone)]
pub(super) struct Pending {
    // Bounded by the listener's own bound on connections.
    by_network: Arc<Mutex<HashMap<Network, usize>>>,
    max: usize,
}

/// One connection's place in the count.
#[derive(Debug)]
pub(super) struct PendingPlace {
    pending: Pending,
    network: Network,
}

impl Pending {
    pub(super) fn new(max: usize) -> Self {
        Self { by_network: Arc::default(), max }
    }

    /// A place for one more connection of `network`, if it has any left.
    pub(super) fn enter(&self, network: Network) -> Option<PendingPlace> {
        let mut all = self.by_network.lock();
        let count = all.entry(network).or_insert(0);
        if *count >= self.max {
            return None;
        }
        *count += 1;
        Some(PendingPlace { pending: self.clone(), network })
    }
}

impl Drop for PendingPlace {
    fn drop(&mut self) {
        let mut all = self.pending.by_network.lock();
        if let Some(count) = all.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str) -> Network {
        address.parse::<std::net::IpAddr>().unwrap().into()
    }

    #[test]
    fn a_network_has_only_so_many_places_and_gets_them_back() {
        let pending = Pending::new(2);
        let [slow, other] = ["2001:db8:1:2::1", "2001:db8:1:3::1"].map(of);
        let first = pending.enter(slow).unwrap();
        let _second = pending.enter(of("2001:db8:1:2::2")).unwrap();
        assert!(pending.enter(slow).is_none());
        assert!(pending.enter(other).is_some());
        drop(first);
        assert!(pending.enter(slow).is_some());
        drop(_second);
        assert!(pending.by_network.lock().is_empty());
    }
}
