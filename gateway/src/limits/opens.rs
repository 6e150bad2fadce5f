//! Sockets that have not said who they are: a few per address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;

/// The most addresses with such sockets.
const ADDRESSES_MAX: usize = 50_000;

/// Counts them.
pub(crate) struct Unauthenticated {
    per_address: usize,
    counts: Mutex<HashMap<IpAddr, usize>>,
}

/// One socket that has not said who it is; dropping it makes room.
pub(crate) struct Greeting {
    counter: Arc<Unauthenticated>,
    address: IpAddr,
}

impl Unauthenticated {
    pub(crate) fn new(per_address: usize) -> Arc<Self> {
        Arc::new(Self { per_address, counts: Mutex::default() })
    }

    /// One more, if there is room.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Greeting> {
        let mut counts = self.counts.lock();
        let count = counts.get(&address).copied().unwrap_or(0);
        let known = count > 0 || counts.len() < ADDRESSES_MAX;
        if !known || count >= self.per_address {
            return None;
        }
        counts.insert(address, count + 1);
        Some(Greeting { counter: Arc::clone(self), address })
    }
}

impl Drop for Greeting {
    fn drop(&mut self) {
        let mut counts = self.counter.counts.lock();
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_few_and_gets_them_back() {
        let counter = Unauthenticated::new(2);
        let [one, other] = [[127, 0, 0, 1], [127, 0, 0, 2]].map(IpAddr::from);
        let first = counter.enter(one).unwrap();
        let _second = counter.enter(one).unwrap();
        assert!(counter.enter(one).is_none());
        assert!(counter.enter(other).is_some());
        drop(first);
        assert!(counter.enter(one).is_some());
    }
}
