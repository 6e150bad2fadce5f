//! What the processes are told: environment variables over the compiled-in defaults, as an operator would.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use protocol::limits::RATE_LIMITS;

use crate::topology::Part;

/// Limits stay on in tests, raised to this, so that their code runs.
const RAISED: u32 = 10_000_000;

/// Settings by their dotted name in the config file.
#[derive(Clone, Debug)]
pub struct Settings {
    host: Ipv4Addr,
    values: BTreeMap<String, String>,
}

impl Default for Settings {
    /// Raised limits, cheap password hashes, plain defaults otherwise.
    fn default() -> Self {
        let settings = Self { host: Ipv4Addr::LOCALHOST, values: BTreeMap::new() };
        RATE_LIMITS.iter().fold(settings, |settings, limit| settings.limit(limit.name, RAISED))
    }
}

impl Settings {
    /// Sets a value by its dotted name.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl ToString) -> Self {
        self.values.insert(key.to_owned(), value.to_string());
        self
    }

    /// Sets the count of a rate limit.
    #[must_use]
    pub fn limit(self, name: &str, count: u32) -> Self {
        self.set(&format!("limits.{name}"), count)
    }

    pub(crate) fn on_address(mut self, host: Ipv4Addr) -> Self {
        self.host = host;
        self
    }

    pub(crate) fn host(&self) -> Ipv4Addr {
        self.host
    }

    /// The environment of a process; listeners that were bound before get the same port again.
    pub(crate) fn environment(
        &self,
        part: Part,
        data_dir: &Path,
        bound: &BTreeMap<String, SocketAddr>,
    ) -> Vec<(String, String)> {
        let fresh = SocketAddr::new(self.host.into(), 0);
        let mut environment = self.common(data_dir);
        for role in part.roles {
            let address = bound.get(role.as_str()).unwrap_or(&fresh);
            let key = format!("listen.{}", role.role());
            environment.push((variable(&key), address.to_string()));
        }
        environment.push((variable("admin.listen"), fresh.to_string()));
        environment
    }

    /// What the command line is told, too.
    pub(crate) fn common(&self, data_dir: &Path) -> Vec<(String, String)> {
        let values = self.values.iter();
        let set = values.map(|(key, value)| (variable(key), value.clone()));
        let data_dir = (variable("data_dir"), data_dir.display().to_string());
        set.chain([data_dir]).collect()
    }
}

/// The environment variable of a dotted name.
fn variable(key: &str) -> String {
    format!("SECURECONNECT_{}", key.replace('.', "__").to_uppercase())
}

/// The listeners that a process has bound, by name; `None` until the file is whole.
pub(crate) fn read_addresses(file: &Path) -> Option<BTreeMap<String, SocketAddr>> {
    let text = std::fs::read_to_string(file).ok()?;
    serde_json::from_str(&text).ok()
}
