//! How a command gets at a service: it asks the server that holds the service's folder, or holds the folder itself.
//!
//! The folder's lock decides, so the two can't happen at once: a command that opens a store keeps servers out for as long.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use link::grpc::Key;
use protocol::ServiceName;
use protocol::envelope::Failure;
use runtime::store::{LockError, StoreLock};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::Config;
use crate::serve::addresses;

/// The file of the admin listener's token, in the data directory.
pub(crate) const ADMIN_TOKEN: &str = "admin.token";

/// A service's server, or its folder.
pub(crate) enum Reach {
    /// A server runs.
    Running(AdminClient),
    /// None does, and none can start until this is dropped.
    Stopped(StoreLock),
}

/// Finds out which of the two it is.
pub(crate) fn reach(config: &Config, service: ServiceName) -> Result<Reach> {
    let folder = config.folder(service);
    match StoreLock::acquire(&folder) {
        Ok(lock) => Ok(Reach::Stopped(lock)),
        Err(LockError::Held { pid, .. }) => {
            let admin = AdminClient::of(config, service);
            admin.map(Reach::Running).with_context(|| format!("process {pid} holds {}", folder.display()))
        }
        Err(error) => Err(error.into()),
    }
}

/// The lock of a service's folder, for what can't be done under a running server.
pub(crate) fn stopped(config: &Config, service: ServiceName) -> Result<StoreLock> {
    Ok(StoreLock::acquire(&config.folder(service))?)
}

/// Asks a running server by its admin listener.
pub(crate) struct AdminClient {
    base: String,
    token: Key,
    http: reqwest::Client,
}

/// A bulk import sends a thousand users to be hashed and committed in one request.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);

impl AdminClient {
    /// The admin listener of the process that runs a service.
    pub(crate) fn of(config: &Config, service: ServiceName) -> Result<Self> {
        let address = addresses::of_admin(&config.folder(service)).with_context(|| {
            format!("where {} listens for commands is not known (is it still starting?)", service.as_str())
        })?;
        Ok(Self {
            base: format!("http://{address}"),
            token: read_token(&config.data_dir)?,
            http: reqwest::Client::builder().no_proxy().timeout(ANSWER_WITHIN).build()?,
        })
    }

    /// Sends a command.
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        let url = format!("{}{path}", self.base);
        let request = self.http.post(&url).header("authorization", self.token.bearer()).json(body);
        let response = request.send().await.context("the running server did not answer")?;
        let status = response.status();
        let answer = response.bytes().await?;
        if status.is_success() {
            return Ok(serde_json::from_slice(&answer)?);
        }
        match serde_json::from_slice::<Failure>(&answer) {
            Ok(failure) => Err(anyhow!("{}", failure.error.message)),
            Err(_) => bail!("the running server answered {status}"),
        }
    }
}

fn read_token(data_dir: &Path) -> Result<Key> {
    let path = data_dir.join(ADMIN_TOKEN);
    Key::load(&path).with_context(|| format!("can't read the admin token in {}", path.display()))
}
