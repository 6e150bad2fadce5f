//! What all parts of the service share: the store, what is told, who else is asked.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use link::{Publisher, Refusal, Service};
use parking_lot::Mutex;
use protocol::Millis;
use runtime::audit::Spool;
use runtime::lifecycle::Shutdown;
use runtime::store::{Store, WriteTx};
use rusqlite::Connection;

use crate::config::Config;
use crate::log::Change;
use crate::log::fold::Folds;
use crate::markers::counted::Counts;
use crate::markers::delivered::Delivered;
use crate::markers::teller::Nudge;
use crate::metrics::Meters;
use crate::presence::Presences;
use crate::refuse::{self, Stop};

/// Clones share everything.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    pub(crate) store: Store,
    pub(crate) publisher: Publisher,
    pub(crate) auth: Arc<dyn Service>,
    pub(crate) shutdown: Shutdown,
    pub(crate) spool: Spool,
    pub(crate) meters: Meters,
    pub(crate) nudge: Nudge,
    pub(crate) delivered: Arc<Delivered>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) presences: Arc<Presences>,
    pub(crate) folds: Arc<Mutex<Folds>>,
}

impl Shared {
    /// Judges and does a command inside one transaction, and tells what it appended once that is durable.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        label: &'static str,
        work: impl FnOnce(&mut Change<'_, '_>) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.store.write(label, self.command(work)).await.map_err(refuse::of_write)
    }

    /// The same for a command that refuses only before it has changed anything.
    pub(crate) async fn write_judged_first<T: Send + 'static>(
        &self,
        label: &'static str,
        work: impl FnOnce(&mut Change<'_, '_>) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.store.write_judged_first(label, self.command(work)).await.map_err(refuse::of_write)
    }

    fn command<T>(
        &self,
        work: impl FnOnce(&mut Change<'_, '_>) -> Result<T, Stop> + Send + 'static,
    ) -> impl FnOnce(&mut WriteTx<'_>) -> Result<T, Stop> + Send + 'static {
        let (folds, publisher, store) = (Arc::clone(&self.folds), self.publisher.clone(), self.store.clone());
        let presences = Arc::clone(&self.presences);
        move |tx| {
            // Only the writer thread takes this lock.
            let mut folds = folds.lock();
            folds.enter(store.generation());
            let mut change = Change::new(tx, publisher, presences, &mut folds, now_ms());
            let done = work(&mut change)?;
            change.finish();
            Ok(done)
        }
    }

    /// The same for what runs by itself, which may use the last of the store's queues.
    pub(crate) fn for_own_work(&self) -> Self {
        Self { store: self.store.for_own_work(), ..self.clone() }
    }

    /// Reads one snapshot.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        label: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Stop> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.store.read(label, work).await.map_err(refuse::of_read)
    }

    /// The present time.
    pub(crate) fn now(&self) -> Millis {
        now_ms()
    }
}

/// The present time.
pub(crate) fn now_ms() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
