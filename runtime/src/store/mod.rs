//! The embedded store: one SQLite file per service, one writer thread, a bounded pool of readers.
//!
//! What it promises, and how:
//!
//! * **Acknowledged means on disk.** `journal_mode=WAL`, `synchronous=FULL`; callers are answered after the fsync.
//!   An fsync per command would allow some 6,000 commands a second, so the writer commits in groups: it takes
//!   all that is queued, runs each command in a SAVEPOINT of its own and pays for one COMMIT. A refusal rolls
//!   back its own command and nobody else's.
//! * **What the store decides, it decides once.** Commands run one after another on one thread, each on the state that all
//!   before it left. No command can read a state that another is about to change.
//! * **Hints leave in commit order.** [`WriteTx::on_commit`] hooks run on the writer thread after the COMMIT and
//!   before any caller is answered, so subscribers see entries in the order of the log.
//! * **After a failed fsync nothing is pretended.** The kernel may have dropped the pages that it failed to write, so the whole
//!   batch is answered [`WriteError::Unknown`], every connection to the file is closed, the file is opened
//!   again, its log head is read from what is there, and [`Store::generation`] moves on so that caches drop what they hold.
//! * **Nobody waits without bound.** Both queues are bounded and refuse new work at 80 % ([`WriteError::Overloaded`]); the rest is
//!   kept for the service's own ([`Store::for_own_work`]). Reads end at a deadline.
//! * **It damages nothing that is not its own.** A foreign file, a newer schema, a second process and a full
//!   disk are each refused with words that say what to do.
//!
//! Rejected: a connection pool with `BEGIN IMMEDIATE` from everywhere (lock waits instead of a queue, one fsync
//! each), and an async facade over SQLite (two more thread hops per statement).
//!
//! Install the metrics recorder before opening a store: its threads register their series when they start.

mod command;
mod error;
mod file;
mod lock;
pub mod migrate;
mod observe;
mod queue;
mod readers;
mod wait;
mod writer;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::{Epoch, ServiceName};
use rusqlite::Connection;

pub use command::WriteTx;
pub use error::{OpenError, ReadError, WriteError};
pub use lock::{LockError, StoreLock};
pub use migrate::Migration;

use queue::Work;
use readers::Readers;
use writer::Writer;

/// How a store is opened. `StoreOptions::new` gives the defaults.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// The database file. Its folder must exist.
    pub path: PathBuf,
    /// Whose data it holds; another service's file is refused.
    pub service: ServiceName,
    /// The schema's versions, numbered from 1 without a gap. Pending ones are applied at open.
    pub migrations: &'static [Migration],
    /// Read-only connections, each with a thread of its own.
    pub readers: usize,
    /// Reads that may wait for a connection; new ones are refused beyond 80 % of it.
    pub read_queue_max: usize,
    /// Writes that may wait for the writer; new ones are refused beyond 80 % of it.
    pub write_queue_max: usize,
    /// The most commands in one commit.
    pub batch_max: usize,
    /// For how long the writer goes on adding commands to a batch before it commits.
    pub batch_time: Duration,
    /// How long the writer rests before it commits several commands, as long as each rest brings more; nothing for not at all. A
    /// command that comes alone never waits.
    pub gather: Duration,
    /// Page cache of the writer in KiB; each reader gets a quarter of it.
    pub cache_kib: u32,
    /// A read that takes longer is interrupted.
    pub read_deadline: Duration,
    /// WAL size in KiB from which an idle writer checkpoints.
    pub checkpoint_kib: u32,
}

impl StoreOptions {
    /// The defaults, which are sized for one conversation server on two cores.
    pub fn new(path: impl Into<PathBuf>, service: ServiceName, migrations: &'static [Migration]) -> Self {
        Self {
            path: path.into(),
            service,
            migrations,
            readers: 2,
            read_queue_max: 256,
            write_queue_max: 4096,
            // More than that adds nothing to the rate (the fsync is already shared by hundreds) but to the wait.
            batch_max: 512,
            batch_time: Duration::from_millis(4),
            gather: Duration::ZERO,
            cache_kib: 16 * 1024,
            read_deadline: Duration::from_millis(1_500),
            checkpoint_kib: 4 * 1024,
        }
    }
}

/// One service's store. Clones share it; the last one to go closes it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
    work: Work,
}

struct Inner {
    path: PathBuf,
    service: ServiceName,
    epoch: Epoch,
    generation: Arc<AtomicU64>,
    writer: Writer,
    readers: Arc<Readers>,
}

impl Store {
    /// Opens the file, creates it if there is none, applies pending migrations and starts the threads.
    pub fn open(options: StoreOptions) -> Result<Self, OpenError> {
        migrate::check_numbering(options.migrations)?;
        let mut connection = file::open_or_create(&options)?;
        migrate::apply_pending(&mut connection, options.migrations)?;
        let epoch = file::epoch(&connection)?;
        let generation = Arc::new(AtomicU64::new(1));
        let readers = Readers::start(&options)?;
        let writer = Writer::start(&options, connection, Arc::clone(&readers), Arc::clone(&generation))?;
        Ok(Self {
            inner: Arc::new(Inner { path: options.path, service: options.service, epoch, generation, writer, readers }),
            work: Work::New,
        })
    }

    /// The same store for what the service owes for work that it has taken in already: audit, markers, revocations, upkeep. It may
    /// use the queues' last fifth, where new work is refused.
    #[must_use]
    pub fn for_own_work(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), work: Work::Own }
    }

    /// Runs `work` in a transaction and answers once it is on disk.
    ///
    /// `label` is `table/operation`, for metrics and the log of slow queries. An `Err` from `work` undoes what it
    /// did and comes back as [`WriteError::Refused`]. A panic in `work` undoes it too and continues in the caller.
    /// Dropping the future does not take the command back.
    pub async fn write<T, E, F>(&self, label: &'static str, work: F) -> Result<T, WriteError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
    {
        let reply = self.inner.writer.submit(self.work, label, true, work)?;
        command::unwrap_reply(reply.await.ok())
    }

    /// [`write`](Self::write) for work that refuses only before it has changed anything, for the hottest commands.
    ///
    /// It runs without a savepoint of its own, which is a sixth of the cost of a small command: SQLite keeps no copies of the
    /// pages that it changes. An `Err` or a panic after a change breaks the promise and fails the whole batch
    /// ([`WriteError::Unknown`]).
    pub async fn write_judged_first<T, E, F>(&self, label: &'static str, work: F) -> Result<T, WriteError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
    {
        let reply = self.inner.writer.submit(self.work, label, false, work)?;
        command::unwrap_reply(reply.await.ok())
    }

    /// [`write`](Self::write) for threads that may block: command line tools and tests.
    pub fn write_now<T, E, F>(&self, label: &'static str, work: F) -> Result<T, WriteError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
    {
        let reply = self.inner.writer.submit(self.work, label, true, work)?;
        command::unwrap_reply(wait::wait(reply).ok())
    }

    /// Runs `work` on a read-only connection, within one snapshot and the read deadline.
    ///
    /// The snapshot is taken when `work` starts: everything that was acknowledged before the call is in it.
    pub async fn read<T, E, F>(&self, label: &'static str, work: F) -> Result<T, ReadError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        self.inner.readers.read(self.work, label, work).await
    }

    /// [`read`](Self::read) for threads that may block: command line tools and tests.
    pub fn read_now<T, E, F>(&self, label: &'static str, work: F) -> Result<T, ReadError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        self.inner.readers.read_now(self.work, label, work)
    }

    /// Shows the metrics of these labels at zero from the first scrape on; call it with all labels of the service.
    pub fn declare(&self, labels: &[&'static str]) {
        observe::declare(self.inner.service, labels);
    }

    /// Copies the WAL into the database file and empties it, as far as running reads allow.
    pub async fn checkpoint(&self) -> Result<(), WriteError<rusqlite::Error>> {
        let reply = self.inner.writer.checkpoint()?;
        command::unwrap_reply(reply.await.ok())
    }

    /// Refuses new work, finishes what is queued, empties the WAL and closes the file.
    pub async fn close(&self) {
        self.inner.readers.close();
        self.inner.writer.close().await;
    }

    /// The random name of this data, made once with the file. Positions under another epoch mean nothing here.
    pub fn epoch(&self) -> Epoch {
        self.inner.epoch
    }

    /// Moves on whenever a batch was not committed or the file was opened again: what a cache holds from an older
    /// generation may never have reached the disk. Within a command the value is that of its own batch.
    pub fn generation(&self) -> u64 {
        self.inner.generation.load(Ordering::Acquire)
    }

    /// Writes that wait for the writer right now.
    pub fn queued_writes(&self) -> usize {
        self.inner.writer.queued()
    }

    /// Whose store it is.
    pub fn service(&self) -> ServiceName {
        self.inner.service
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.inner.path)
            .field("service", &self.inner.service.as_str())
            .finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The threads finish what is queued and end by themselves; waiting here could be a wait for oneself.
        self.readers.close();
        self.writer.close_detached();
    }
}
