//! The connections of each user.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use protocol::UserId;

use super::{Conn, SHARDS};
use crate::hash::StreamHash;

type Table = HashMap<UserId, Vec<Arc<Conn>>, StreamHash>;

/// The table, spread over locks.
pub(crate) struct Users {
    shards: Box<[Mutex<Table>]>,
    hash: StreamHash,
}

impl Default for Users {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), hash: StreamHash::default() }
    }
}

impl Users {
    /// The user's connections.
    pub(crate) fn of(&self, user: UserId) -> Vec<Arc<Conn>> {
        self.shard(user).get(&user).cloned().unwrap_or_default()
    }

    /// Does something with each of the user's connections.
    pub(crate) fn each_of(&self, user: UserId, mut each: impl FnMut(&Arc<Conn>)) {
        if let Some(conns) = self.shard(user).get(&user) {
            conns.iter().for_each(&mut each);
        }
    }

    /// Adds a connection; answers the one of the same login that it replaces.
    pub(crate) fn insert(&self, conn: &Arc<Conn>) -> Option<Arc<Conn>> {
        let mut shard = self.shard(conn.user);
        let conns = shard.entry(conn.user).or_insert_with(|| Vec::with_capacity(1));
        let same = conns.iter().position(|other| other.login == conn.login);
        let replaced = same.map(|at| conns.swap_remove(at));
        conns.push(Arc::clone(conn));
        replaced
    }

    pub(crate) fn remove(&self, conn: &Arc<Conn>) {
        let mut shard = self.shard(conn.user);
        if let Some(conns) = shard.get_mut(&conn.user) {
            conns.retain(|other| !Arc::ptr_eq(other, conn));
            if conns.is_empty() {
                shard.remove(&conn.user);
            }
        }
    }

    /// Does something with every connection, a shard at a time.
    pub(crate) fn each(&self, mut each: impl FnMut(&Arc<Conn>)) {
        for shard in &self.shards {
            for conns in shard.lock().values() {
                conns.iter().for_each(&mut each);
            }
        }
    }

    fn shard(&self, user: UserId) -> MutexGuard<'_, Table> {
        let hash = self.hash.hash_one(user);
        self.shards[hash as usize % SHARDS].lock()
    }
}
