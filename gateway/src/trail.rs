//! The gateway's own store: nothing but the audit trail of what it denies.

use std::path::Path;

use protocol::ServiceName;
use runtime::audit::{self, Spool};
use runtime::store::{Migration, OpenError, Store, StoreOptions};

const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "audit", up: audit::MIGRATION_SQL, down: audit::MIGRATION_DOWN_SQL }];

/// The most different denials that wait to be written.
const WAITING_MAX: usize = 4_096;
/// Denials are few and written in batches: the store needs little memory.
const CACHE_KIB: u32 = 1_024;

/// The versions of the schema, for `migrate`.
#[must_use]
pub fn migrations() -> &'static [Migration] {
    MIGRATIONS
}

/// How the store of a data directory is opened, for `migrate`.
#[must_use]
pub fn store_options(directory: &Path) -> StoreOptions {
    let mut options = StoreOptions::new(directory.join("gateway.db"), ServiceName::Gateway, MIGRATIONS);
    options.readers = 1;
    options.cache_kib = CACHE_KIB;
    options
}

/// Opens the trail.
pub(crate) fn open(directory: &Path) -> Result<Spool, OpenError> {
    let store = Store::open(store_options(directory))?;
    Ok(Spool::start(store, WAITING_MAX))
}
