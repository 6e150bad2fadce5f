//! The connections of each user.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use protocol::limits::CONNECTIONS_PER_LOGIN_MAX;
use protocol::{Millis, SessionId, UserId};

use super::{Conn, SHARDS};
use crate::hash::StreamHash;
use crate::identities::ConnectionIdentity;
use crate::session::Session;

/// Each user's connections, the oldest first.
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

    /// Makes a connection of a login and adds it; answers it, and the one that has to go: whichever had this identity, or one more than the
    /// login may have.
    pub(crate) fn insert(
        &self,
        user: UserId,
        login: SessionId,
        identity: ConnectionIdentity,
        session: Session,
    ) -> (Arc<Conn>, Option<Arc<Conn>>) {
        let mut shard = self.shard(user);
        let conns = shard.entry(user).or_insert_with(|| Vec::with_capacity(1));
        let same = conns.iter().position(|other| other.id == identity.id);
        let surplus = same.or_else(|| surplus(conns, login)).map(|at| conns.remove(at));
        let conn = Conn::new(user, login, identity, session);
        conns.push(Arc::clone(&conn));
        (conn, surplus)
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

/// Which connection of a login makes room for one more, if one must: the one that has waited longest for its client, or the oldest.
fn surplus(conns: &[Arc<Conn>], login: SessionId) -> Option<usize> {
    let of_login = || conns.iter().enumerate().filter(|(_, conn)| conn.login == login);
    if of_login().count() < CONNECTIONS_PER_LOGIN_MAX {
        return None;
    }
    // All wait equally long: whose time is over first has waited longest. The first of those that are equal is the oldest.
    let (at, _) = of_login().min_by_key(|(_, conn)| conn.session().parked_until().unwrap_or(Millis::MAX))?;
    Some(at)
}
