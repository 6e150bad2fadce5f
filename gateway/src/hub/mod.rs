//! The hub: who hears which stream, and how far each stream has been delivered.
//!
//! One ordered cursor per stream, not per connection. A hint is delivered when the cursor stands right before it; a later one
//! waits while the gap is read from the log; an older one is dropped. A connection that can't follow is passed over and reads
//! the log itself until it meets the cursor.
//!
//! Locks are always taken in this order and never held across an await: a shard, the users' table, a session.
//!
//! - [`conn`]: a connection as the hub sees it. [`users`]: the connections of each user.
//! - [`stream`]: a stream's cursor and subscribers. [`deliver`]: an entry's turn, with its effects.
//! - [`follow`]: subscribe, meet, unsubscribe. [`paging`]: what a lagging connection has read. [`fill`]: gaps. [`watch`]: hints and what was missed.
//! - [`lifecycle`]: register, resume, park, remove, revoke, sweep.

mod conn;
mod deliver;
mod fill;
mod follow;
mod lifecycle;
mod paging;
mod stream;
#[cfg(test)]
mod tests;
mod users;
mod watch;

use std::hash::BuildHasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use link::Service;
use parking_lot::{Mutex, MutexGuard};
use protocol::{Epoch, StreamId};

pub(crate) use conn::Conn;
pub(crate) use fill::FILL_WORKERS;
pub(crate) use lifecycle::Keep;
pub(crate) use paging::Pace;
use users::Users;

use crate::hash::StreamHash;
use crate::session::Settings;
use fill::FillQueue;
use stream::Shard;

/// How many locks the streams are spread over.
const SHARDS: usize = 64;

/// Everything that is subscribed.
pub(crate) struct Hub {
    shards: Box<[Mutex<Shard>]>,
    hash: StreamHash,
    users: Users,
    /// Who keeps the logs.
    chat: Arc<dyn Service>,
    settings: Settings,
    fills: FillQueue,
    epoch: Mutex<Option<Epoch>>,
    parked: AtomicUsize,
    parked_max: usize,
    watching: AtomicBool,
    watching_calls: AtomicBool,
}

impl Hub {
    pub(crate) fn new(chat: Arc<dyn Service>, settings: Settings, parked_max: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hash: StreamHash::default(),
            users: Users::default(),
            chat,
            settings,
            fills: FillQueue::default(),
            epoch: Mutex::new(None),
            parked: AtomicUsize::new(0),
            parked_max,
            watching: AtomicBool::new(false),
            watching_calls: AtomicBool::new(false),
        }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    fn shard(&self, stream: StreamId) -> MutexGuard<'_, Shard> {
        let hash = self.hash.hash_one(stream);
        self.shards[hash as usize % SHARDS].lock()
    }
}
