//! The gateway's own store. It knows no chat and keeps no session on disk; what it has to remember is whom it refused (AD2).

use std::path::Path;
use std::time::Duration;

use protocol::ServiceName;
use runtime::audit::{self, Spool};
use runtime::lifecycle::{Shutdown, Tasks};
use runtime::store::{Migration, OpenError, Store, StoreOptions};

const STORE_FILE: &str = "gateway.db";
/// Denials that wait to be written; more are only counted.
const SPOOL_MAX: usize = 4_096;
const EXPIRE_EVERY: Duration = Duration::from_secs(24 * 60 * 60);

const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "the audit trail", up: audit::MIGRATION_SQL, down: audit::MIGRATION_DOWN_SQL }];

/// The open store with its spool.
pub(crate) struct Denials {
    store: Store,
    pub(crate) spool: Spool,
}

/// How the store in the gateway's folder is opened; for `migrate`.
pub(crate) fn store_options(folder: &Path) -> StoreOptions {
    let mut options = StoreOptions::new(folder.join(STORE_FILE), ServiceName::Gateway, MIGRATIONS);
    // A row now and then, read by nobody but an operator.
    options.readers = 1;
    options.cache_kib = 1_024;
    options
}

impl Denials {
    /// Opens the store and forgets what is older than `keep_days`, now and once a day.
    pub(crate) fn open(folder: &Path, keep_days: u64, tasks: &Tasks, shutdown: &Shutdown) -> Result<Self, OpenError> {
        let store = Store::open(store_options(folder))?;
        let (expiring, shutdown) = (store.clone(), shutdown.clone());
        tasks.spawn("audit-expire", async move {
            loop {
                let expired = expiring.write("audit/expire", move |tx| audit::expire(tx, keep_days)).await;
                if let Err(error) = expired {
                    tracing::warn!(%error, "old audit rows were not removed");
                }
                tokio::select! {
                    () = tokio::time::sleep(EXPIRE_EVERY) => {}
                    () = shutdown.stopped() => return,
                }
            }
        });
        let spool = Spool::start(store.clone(), SPOOL_MAX);
        Ok(Self { store, spool })
    }

    /// Writes down what waits and closes the store.
    pub(crate) async fn close(self) {
        self.spool.drain().await;
        self.store.close().await;
    }
}
