//! Who has an allocation, by 5-tuple.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Mutex, RwLock};
use runtime::limits::Network;
use tokio::sync::Notify;

use crate::allocation::Allocation;
use crate::door::{Door, FiveTuple};
use crate::quota::Place;
use crate::relay::{Relay, RelayAddress};
use crate::stun::TransactionId;

/// One client with its allocation.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) tuple: FiveTuple,
    pub(crate) door: Door,
    /// The name of its credentials; others may not touch the allocation.
    pub(crate) name: String,
    pub(crate) relay: Relay,
    pub(crate) address: RelayAddress,
    pub(crate) state: Mutex<Allocation>,
    /// The request that made it: repeated, because its answer was lost, it is answered again.
    pub(crate) made_by: TransactionId,
    /// Its lifetime has changed.
    pub(crate) changed: Notify,
    pub(crate) _places: (Place<String>, Place<Network>, Place<()>),
}

impl Client {
    /// Ends the allocation now.
    pub(crate) fn end(&self, now: Instant) {
        self.state.lock().set_lifetime(now, Some(0), now);
        self.changed.notify_one();
    }
}

/// All clients that have an allocation; bounded by the bound on allocations.
#[derive(Debug, Default)]
pub(crate) struct Clients(RwLock<HashMap<FiveTuple, Arc<Client>>>);

impl Clients {
    pub(crate) fn get(&self, tuple: &FiveTuple) -> Option<Arc<Client>> {
        self.0.read().get(tuple).map(Arc::clone)
    }

    /// Takes in a new one, unless the 5-tuple has got one in the meantime.
    pub(crate) fn enter(&self, client: Arc<Client>) -> bool {
        let mut all = self.0.write();
        let is_new = !all.contains_key(&client.tuple);
        if is_new {
            all.insert(client.tuple, client);
        }
        is_new
    }

    /// Forgets this very one; another that has come to its 5-tuple stays.
    pub(crate) fn leave(&self, client: &Arc<Client>) {
        let mut all = self.0.write();
        if all.get(&client.tuple).is_some_and(|known| Arc::ptr_eq(known, client)) {
            all.remove(&client.tuple);
        }
    }

    /// Those whose name is such.
    pub(crate) fn named(&self, is_such: impl Fn(&str) -> bool) -> Vec<Arc<Client>> {
        self.0.read().values().filter(|client| is_such(&client.name)).map(Arc::clone).collect()
    }
}
