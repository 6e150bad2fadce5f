//! What the processes are told: environment variables over the compiled-in defaults, as an operator would.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use protocol::ServiceName;
use protocol::limits::RATE_LIMITS;

use super::bound::Bound;
use super::joined::Joined;
use crate::topology::Part;

/// Limits stay on in tests, raised to this, so that their code runs.
const RAISED: u32 = 10_000_000;

/// Settings by their dotted name in the config file.
#[derive(Clone, Debug)]
pub struct Settings {
    host: Ipv4Addr,
    values: BTreeMap<String, String>,
    arguments: Vec<String>,
    wrapper: Vec<String>,
    has_own_root: bool,
    joined: Joined,
    /// The Redis that is shared has a replica, and sentinels watch both.
    watched: bool,
    certificate: Option<PathBuf>,
}

impl Default for Settings {
    /// Raised limits, cheap password hashes, plain defaults otherwise.
    fn default() -> Self {
        let settings = Self {
            host: Ipv4Addr::LOCALHOST,
            values: BTreeMap::new(),
            arguments: Vec::new(),
            wrapper: Vec::new(),
            has_own_root: false,
            joined: Joined::default(),
            watched: false,
            certificate: None,
        };
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

    /// Starts the gateway's process with one more argument of `serve`.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Clients of the gateway speak TLS, and trust the certificate in this file.
    #[must_use]
    pub fn clients_trust(mut self, certificate: PathBuf) -> Self {
        self.certificate = Some(certificate);
        self
    }

    /// Starts the process that holds the logs under this command (a recorder, say), which must become or keep it as our child.
    #[must_use]
    pub fn under(mut self, wrapper: Vec<String>) -> Self {
        self.wrapper = wrapper;
        self
    }

    /// Gives the process that holds the logs a disk of so many MiB for them, which only that process sees. It is gone with it.
    #[must_use]
    pub fn on_small_disk(mut self, mebibytes: u32) -> Self {
        let mount = format!(
            r#"folder="$SECURECONNECT_DATA_DIR/chat"; mkdir -p "$folder" &&
            mount -t tmpfs -o size={mebibytes}m,mode=0700 tmpfs "$folder" && exec "$@""#
        );
        let namespaces: &[&str] = if is_root() { &["--mount"] } else { &["--map-root-user", "--mount"] };
        self.wrapper =
            [&["unshare"], namespaces, &["sh", "-c", &mount, "sh"]].concat().into_iter().map(str::to_owned).collect();
        self.has_own_root = true;
        self
    }

    /// Whether the test says where Redis is, or that there is none.
    pub(crate) fn names_redis(&self) -> bool {
        self.values.contains_key("redis.url")
    }

    /// All processes share this Redis.
    pub(crate) fn share(&mut self, redis: &str) {
        self.values.insert("redis.url".to_owned(), redis.to_owned());
    }

    /// All processes share who these sentinels call the master.
    pub(crate) fn share_watched(&mut self, master: &str, sentinels: &[SocketAddr]) {
        let addresses: Vec<String> = sentinels.iter().map(|address| format!("{:?}", address.to_string())).collect();
        self.values.insert("redis.sentinel.master".to_owned(), master.to_owned());
        self.values.insert("redis.sentinel.addresses".to_owned(), format!("[{}]", addresses.join(",")));
    }

    /// The Redis that the processes share has a replica, and sentinels that promote it.
    #[must_use]
    pub fn by_sentinels(mut self) -> Self {
        self.watched = true;
        self
    }

    pub(crate) fn is_watched(&self) -> bool {
        self.watched
    }

    /// Each process has a data directory of its own, and they are joined by mutual TLS.
    #[must_use]
    pub fn between_machines(mut self) -> Self {
        self.joined = Joined::BetweenMachines;
        self
    }

    /// The processes are told each other's ports on loopback.
    #[must_use]
    pub fn by_ports(mut self) -> Self {
        self.joined = Joined::ByPorts;
        self
    }

    /// The processes are told each other's ports on loopback, and a cable lies on each way between two parts.
    #[must_use]
    pub fn by_cables(mut self) -> Self {
        self.joined = Joined::ByCables;
        self
    }

    pub(crate) fn joined(&self) -> Joined {
        self.joined
    }

    pub(crate) fn arguments(&self) -> &[String] {
        &self.arguments
    }

    pub(crate) fn certificate(&self) -> Option<&Path> {
        self.certificate.as_deref()
    }

    pub(crate) fn wrapper(&self) -> &[String] {
        &self.wrapper
    }

    pub(crate) fn has_own_root(&self) -> bool {
        self.has_own_root
    }

    pub(crate) fn on_address(mut self, host: Ipv4Addr) -> Self {
        self.host = host;
        self
    }

    pub(crate) fn host(&self) -> Ipv4Addr {
        self.host
    }

    /// The environment of a process; listeners that were bound before get the same port again.
    pub(crate) fn environment(&self, part: Part, data_dir: &Path, bound: &Bound) -> Vec<(String, String)> {
        let again = part.roles.iter().filter_map(|role| {
            let address = bound.of(part.name, role.as_str())?;
            Some((variable(&format!("listen.{}", role.role())), address.to_string()))
        });
        let turn = bound.of(part.name, "turn");
        let turn = turn.map(|address| (variable("turn.listen"), format!("[\"{address}\"]")));
        self.common(data_dir).into_iter().chain(again).chain(turn).collect()
    }

    /// What every command is told: where the data is, and to listen on free ports only.
    pub(crate) fn common(&self, data_dir: &Path) -> Vec<(String, String)> {
        let free = SocketAddr::new(self.host.into(), 0).to_string();
        let listeners = ServiceName::ALL.map(|service| format!("listen.{}", service.role()));
        let listeners = listeners.iter().map(String::as_str).chain(["admin.listen"]);
        let listeners = listeners.map(|key| (variable(key), free.clone()));
        let set = self.values.iter().map(|(key, value)| (variable(key), value.clone()));
        let data_dir = (variable("data_dir"), data_dir.display().to_string());
        let path = ("PATH".to_owned(), std::env::var("PATH").unwrap_or_default());
        let turn = (variable("turn.listen"), format!("[\"{free}\"]"));
        listeners.chain([turn]).chain(set).chain([data_dir, path]).collect()
    }
}

#[allow(unsafe_code, reason = "geteuid(2) has no safe form")]
fn is_root() -> bool {
    // SAFETY: no memory is passed.
    unsafe { libc::geteuid() == 0 }
}

/// The environment variable of a dotted name.
pub(crate) fn variable(key: &str) -> String {
    format!("SECURECONNECT_{}", key.replace('.', "__").to_uppercase())
}

/// The listeners that a process has bound, by name; `None` until the file is whole.
pub(crate) fn read_addresses(file: &Path) -> Option<BTreeMap<String, SocketAddr>> {
    let text = std::fs::read_to_string(file).ok()?;
    serde_json::from_str(&text).ok()
}
