//! The system under test: the real binary, in as many processes as the topology says, on a data directory of its own.
//!
//! Each world has a loopback address of its own, so that a restarted process finds its ports free again whatever else runs on the
//! machine; the ports themselves are chosen by the kernel at the first start.

mod bound;
mod cables;
mod joined;
mod process;
mod processes;
mod reach;
mod settings;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use protocol::{ConversationId, ServiceName};
use rig::{RedisServer, Sentinels};
use tempfile::TempDir;

pub use cables::{CLIENTS, Line, REDIS};
pub use process::binary;
pub use settings::Settings;

use crate::history::LogEntry;
use crate::people::{Person, START};
use crate::topology::{Part, Topology};
use crate::wait;
use crate::witness::{Witness, log_entry};
use bound::Bound;
use joined::Links;
use process::Process;

const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";

/// A running system.
pub struct World {
    topology: Topology,
    settings: Settings,
    processes: BTreeMap<&'static str, Process>,
    bound: Bound,
    witness: Witness,
    /// On which gateway the next login is.
    turn: Arc<AtomicUsize>,
    /// The only gateway that clients use, where a scenario says so.
    only: Option<&'static str>,
    /// What the processes share, where the topology has one; it starts with the first of them.
    redis: Option<RedisServer>,
    /// The same with a replica and who watches both, where the settings say so.
    sentinels: Option<Sentinels>,
    links: Links,
    directory: TempDir,
}

impl World {
    /// Starts the topology with the limits raised far above what scenarios need, and awaits that it is ready.
    pub async fn start(topology: Topology) -> Self {
        Self::with(topology, Settings::default()).await
    }

    /// Starts the topology with these settings and awaits that it is ready.
    pub async fn with(topology: Topology, settings: Settings) -> Self {
        let mut world = Self::prepare(topology, settings);
        world.start_all().await;
        world
    }

    /// Starts all processes of a prepared or fully ended world and awaits that they are ready.
    pub async fn start_all(&mut self) {
        for part in self.topology.parts() {
            self.spawn(part.name).await;
        }
        self.ready().await;
    }

    /// Kills every process at once, as a power cut does.
    pub async fn kill_all(&mut self) {
        for part in self.topology.parts().iter().rev() {
            if self.processes.contains_key(part.name) {
                self.kill(part.name).await;
            }
        }
    }

    /// A world without processes, for tests that start them themselves.
    ///
    /// # Panics
    /// When no directory can be made.
    #[must_use]
    pub fn prepare(topology: Topology, settings: Settings) -> Self {
        let directory = tempfile::Builder::new().prefix("secureconnect-").tempdir().expect("a temporary directory");
        let settings = settings.on_address(rig::own_address());
        let links = Links::prepare(settings.joined(), settings.host(), directory.path(), topology);
        Self {
            topology,
            settings,
            processes: BTreeMap::new(),
            bound: Bound::default(),
            witness: Witness::default(),
            turn: Arc::default(),
            only: None,
            redis: None,
            sentinels: None,
            links,
            directory,
        }
    }

    /// Which roles run in which process.
    #[must_use]
    pub fn topology(&self) -> Topology {
        self.topology
    }

    /// The data directory of processes that share one, and what they have printed.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.directory.path()
    }

    /// The data directory as the process that holds the logs sees it.
    ///
    /// # Panics
    /// When that process doesn't run.
    #[must_use]
    pub fn chat_data_dir(&self) -> PathBuf {
        let part = self.topology.chat_part();
        self.seen_by(part, self.processes[part].pid(), &self.home(part))
    }

    /// The folder of a role, of the first part that runs it.
    #[must_use]
    pub fn role_dir(&self, service: ServiceName) -> PathBuf {
        self.home(self.topology.part_of(service)).join(service.role())
    }

    /// The data directory of a process.
    #[must_use]
    pub fn home(&self, part: &str) -> PathBuf {
        self.links.home(part).unwrap_or_else(|| self.data_dir().to_path_buf())
    }

    /// The settings that processes start with.
    pub fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// The loopback address that all of this world's listeners share.
    #[must_use]
    pub fn host(&self) -> Ipv4Addr {
        self.settings.host()
    }

    /// The Redis that the processes share, where they do.
    pub fn redis(&mut self) -> Option<&mut RedisServer> {
        self.redis.as_mut()
    }

    /// The same Redis with its replica and sentinels, where the settings say so.
    pub fn sentinels(&mut self) -> Option<&mut Sentinels> {
        self.sentinels.as_mut()
    }

    /// Makes an account.
    pub async fn person(&self, handle: &str) -> Person {
        Person::register_at(&self.places(), handle, &self.witness).await
    }

    /// Makes accounts.
    pub async fn people<const N: usize>(&self, handles: [&str; N]) -> [Person; N] {
        let mut people = Vec::with_capacity(N);
        for handle in handles {
            people.push(self.person(handle).await);
        }
        people.try_into().unwrap_or_else(|_| unreachable!("as many as handles"))
    }

    /// Runs the binary's command line beside this system, on the machine that has the accounts, and gives what it printed.
    ///
    /// # Panics
    /// When it fails.
    pub async fn command_line(&self, arguments: &[&str]) -> String {
        let output = self.try_command_line(arguments).await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The same, whatever comes of it.
    ///
    /// # Panics
    /// When it doesn't end.
    pub async fn try_command_line(&self, arguments: &[&str]) -> Output {
        let mut command = tokio::process::Command::new(binary());
        let environment = self.settings.common(&self.home(self.topology.part_of(ServiceName::Auth)));
        command.env_clear().envs(environment).args(arguments).kill_on_drop(true);
        let what = format!("the command {arguments:?}");
        wait::within(&what, command.output()).await.expect("its output")
    }

    /// The SQLite file of a service.
    ///
    /// # Panics
    /// When it has none.
    #[must_use]
    pub fn store_file(&self, service: ServiceName) -> PathBuf {
        store_in(&self.role_dir(service))
    }

    /// Records what everybody does and sees.
    #[must_use]
    pub fn witness(&self) -> &Witness {
        &self.witness
    }

    /// The end of a scenario: everything that was done and seen fits one log, and nothing went wrong that no client saw.
    ///
    /// # Panics
    /// When the history checker finds a fault, or a process panicked.
    pub async fn end(mut self) {
        let logs = self.final_logs().await;
        if let Err(violations) = self.witness.check(logs) {
            let words: Vec<String> = violations.iter().map(ToString::to_string).collect();
            panic!("the history is not one of this log:\n{}", words.join("\n"));
        }
        for part in self.topology.parts() {
            if let Some(process) = self.processes.get_mut(part.name) {
                process.assert_running();
            }
            let log = self.log(part.name);
            let panicked = log.lines().find(|line| line.contains("panicked at"));
            assert_eq!(panicked, None, "{} panicked", part.name);
        }
    }

    /// The logs of all conversations that somebody sees whole.
    async fn final_logs(&self) -> BTreeMap<ConversationId, Vec<LogEntry>> {
        let conversations = self.witness.conversations();
        let mut logs: BTreeMap<ConversationId, Vec<LogEntry>> = BTreeMap::new();
        if conversations.is_empty() {
            return logs;
        }
        for handle in self.witness.handles() {
            let Some(reader) = Person::reader(&self.rest(), self.gateway(), &handle).await else {
                continue;
            };
            for conversation in &conversations {
                let events = reader.log(*conversation, START).await;
                let whole: Option<Vec<LogEntry>> = events.iter().map(log_entry).collect();
                let whole = whole.filter(|log| log.first().is_some_and(|first| first.position.seq == 1));
                if let Some(log) = whole.filter(|log| log.len() > logs.get(conversation).map_or(0, Vec::len)) {
                    logs.insert(*conversation, log);
                }
            }
        }
        logs
    }

    /// Everything that the processes printed that run a service.
    #[must_use]
    pub fn logs_of(&self, service: ServiceName) -> String {
        self.topology.parts_of(service).map(|part| self.log(part)).collect()
    }

    /// Everything that a process printed.
    #[must_use]
    pub fn log(&self, part: &str) -> String {
        rig::program::read_log(self.data_dir(), part)
    }

    /// Starts the Redis that the topology has, unless the test names another or none, and tells everyone where it is.
    async fn share_redis(&mut self) {
        let shared = self.redis.is_some() || self.sentinels.is_some();
        if !self.topology.has_redis() || shared || self.settings.names_redis() {
            return;
        }
        if self.settings.is_watched() {
            let sentinels = Sentinels::start().await;
            self.settings.share_watched(sentinels.master_name(), sentinels.addresses());
            self.sentinels = Some(sentinels);
        } else {
            let redis = RedisServer::start().await;
            self.settings.share(&redis.url());
            self.redis = Some(redis);
        }
    }

    fn part(&self, name: &str) -> Part {
        let parts = self.topology.parts().iter();
        *parts.clone().find(|part| part.name == name).unwrap_or_else(|| panic!("no part {name} in {:?}", self.topology))
    }

    /// A path as a process sees it.
    fn seen_by(&self, part: &str, pid: u32, path: &Path) -> PathBuf {
        if part == self.topology.chat_part() && self.settings.has_own_root() {
            let inside = path.strip_prefix("/").expect("an absolute path");
            return Path::new("/proc").join(pid.to_string()).join("root").join(inside);
        }
        path.to_path_buf()
    }

    fn addresses_file(&self, part: &'static str, service: ServiceName) -> PathBuf {
        self.home(part).join(self.topology.folder(part, service)).join("addresses.json")
    }
}

/// The SQLite file in a role's folder.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn store_in(folder: &Path) -> PathBuf {
    let entries = std::fs::read_dir(folder).expect("the folder of a role");
    let mut files = entries.map(|entry| entry.expect("an entry").path());
    files
        .find(|path| std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(SQLITE_MAGIC)))
        .unwrap_or_else(|| panic!("no store in {}", folder.display()))
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for part in self.topology.parts() {
                rig::program::print_end_of_log(self.data_dir(), part.name);
            }
        }
    }
}
