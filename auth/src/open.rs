//! Starting and ending: what the service needs from outside, its workers, and why it would not start.

use std::path::Path;
use std::sync::Arc;

use runtime::lifecycle::{Shutdown, Tasks};
use runtime::ops::Readiness;
use runtime::redis::Redis;
use runtime::store::{Migration, StoreOptions};

use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ConfigProblem};
use crate::secret::SecretError;
use crate::service::Auth;
use crate::state::{self, State};
use crate::tidy;

/// What the service needs from the process around it.
pub struct Host {
    /// Where its workers run.
    pub tasks: Tasks,
    /// When they end.
    pub shutdown: Shutdown,
    /// Where it tells whether it can serve.
    pub readiness: Readiness,
    /// The Redis by which login budgets outlive this process.
    pub redis: Option<Redis>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A value of the config can't be run with.
    #[error("{0}")]
    Config(ConfigProblem),
    /// The key file.
    #[error("{0}")]
    Secret(#[from] SecretError),
    /// The store.
    #[error("{0}")]
    Store(#[from] runtime::store::OpenError),
    /// The signing keys.
    #[error("signing keys: {0}")]
    Keys(String),
    /// Password hashing.
    #[error("{0}")]
    Hasher(String),
}

impl Host {
    /// A host with the machine's clock and no Redis.
    #[must_use]
    pub fn new(tasks: Tasks, shutdown: Shutdown, readiness: Readiness) -> Self {
        Self { tasks, shutdown, readiness, redis: None, clock: Arc::new(SystemClock::default()) }
    }
}

impl Auth {
    /// Opens the data directory, which must exist and be locked by the caller, and starts the workers. Call it inside a tokio
    /// runtime; it blocks for as long as opening a file and one password hash take.
    ///
    /// # Errors
    /// When the config, the key file or the store can't be used; nothing is changed then.
    pub fn open(config: Config, directory: &Path, host: Host) -> Result<Arc<Self>, OpenError> {
        let state = Arc::new(State::open(config, directory, Arc::clone(&host.clock), host.redis.clone())?);
        tidy::start(&state, &host);
        Ok(Arc::new(Self::new(state)))
    }
}

/// The versions of the schema, for `migrate`.
#[must_use]
pub fn migrations() -> &'static [Migration] {
    crate::schema::MIGRATIONS
}

/// How the store of a data directory is opened, for `migrate`.
#[must_use]
pub fn store_options(directory: &Path) -> StoreOptions {
    state::store_options(directory)
}
