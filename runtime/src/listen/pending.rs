//! How many connections of one address have not sent a whole request yet.
//!
//! A client that only opens connections, or sends its head one byte a second, can then use up its own share and no
//! more. Once a request has arrived the connection is not counted here any longer.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

#[derive(Debug, Clone)]
pub(super) struct Pending {
    // Bounded by the listener's own bound on connections.
    by_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    max: usize,
}

/// One connection's place in the count.
#[derive(Debug)]
pub(super) struct PendingPlace {
    pending: Pending,
    address: IpAddr,
}

impl Pending {
    pub(super) fn new(max: usize) -> Self {
        Self { by_address: Arc::default(), max }
    }

    /// A place for one more connection of `address`, if it has any left.
    pub(super) fn enter(&self, address: IpAddr) -> Option<PendingPlace> {
        let mut all = self.by_address.lock();
        let count = all.entry(address).or_insert(0);
        if *count >= self.max {
            return None;
        }
        *count += 1;
        Some(PendingPlace { pending: self.clone(), address })
    }
}

impl Drop for PendingPlace {
    fn drop(&mut self) {
        let mut all = self.pending.by_address.lock();
        if let Some(count) = all.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_only_so_many_places_and_gets_them_back() {
        let pending = Pending::new(2);
        let slow: IpAddr = "203.0.113.1".parse().unwrap();
        let other: IpAddr = "203.0.113.2".parse().unwrap();
        let first = pending.enter(slow).unwrap();
        let _second = pending.enter(slow).unwrap();
        assert!(pending.enter(slow).is_none());
        assert!(pending.enter(other).is_some());
        drop(first);
        assert!(pending.enter(slow).is_some());
        drop(_second);
        assert!(pending.by_address.lock().is_empty());
    }
}
