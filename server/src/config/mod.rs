//! What an operator can set, and the defaults: everything on this machine, in one process, reachable from nowhere else.
//!
//! Defaults < `secureconnect.toml` < `SECURECONNECT_SECTION__KEY` < `SECURECONNECT_SECTION__KEY_FILE` < the command line. The file
//! `configs/secureconnect.toml` is these defaults with an explanation of every key; a test holds the two together.

mod explained;
mod link;
mod roles;
mod sections;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use protocol::ServiceName;
use protocol::limits::RATE_LIMITS;
use runtime::config::{ConfigError, Environment, Problems, Validate, load_validated, render_documented};
use runtime::lifecycle::DrainTimes;
use serde::{Deserialize, Serialize};

pub use link::{Addresses, LinkSection, LinkTlsSection, Peer, PeersSection};
pub use roles::Role;
pub use sections::{AdminSection, ListenSection, LogSection, MetricsSection, ProxySection, TlsSection};

/// All that can be configured.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where all data lies.
    pub data_dir: PathBuf,
    /// Which services run in this process.
    pub roles: Vec<Role>,
    /// Logs.
    pub log: LogSection,
    /// Addresses.
    pub listen: ListenSection,
    /// The admin listener.
    pub admin: AdminSection,
    /// Proxies in front of the gateway.
    pub proxy: ProxySection,
    /// The gateway's certificate.
    pub tls: TlsSection,
    /// Who may read `/metrics`, `/healthz` and `/readyz`.
    pub metrics: MetricsSection,
    /// The link between processes.
    pub link: LinkSection,
    /// What several processes share.
    pub redis: runtime::redis::Config,
    /// How a process goes down.
    pub drain: DrainTimes,
    /// Rate limits, by their names in `protocol::limits::RATE_LIMITS`.
    pub limits: BTreeMap<String, u32>,
    /// The gateway.
    pub gateway: gateway::Config,
    /// Accounts.
    pub auth: auth::Config,
    /// Conversations.
    pub chat: chat::Config,
    /// Calls.
    pub signaling: signaling::Config,
    /// Relayed media.
    pub turn: turn::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("data"),
            roles: ServiceName::ALL.into_iter().map(Role).collect(),
            log: LogSection::default(),
            listen: ListenSection::default(),
            admin: AdminSection::default(),
            proxy: ProxySection::default(),
            tls: TlsSection::default(),
            metrics: MetricsSection::default(),
            link: LinkSection::default(),
            redis: runtime::redis::Config::default(),
            drain: DrainTimes::default(),
            limits: RATE_LIMITS.iter().map(|limit| (limit.name.to_owned(), limit.count)).collect(),
            gateway: gateway::Config::default(),
            auth: auth::Config::default(),
            chat: chat::Config::default(),
            signaling: signaling::Config::default(),
            turn: turn::Config::default(),
        }
    }
}

/// The variable that names the config file, where the command line names none.
const FILE_VARIABLE: &str = "SECURECONNECT_CONFIG";

impl Config {
    /// The configuration of this file (or the one that `SECURECONNECT_CONFIG` names) under this process's environment.
    ///
    /// # Errors
    /// What is wrong, naming the key.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let named = std::env::var_os(FILE_VARIABLE).map(PathBuf::from);
        let file = file.or(named.as_deref());
        // A variable that is not UTF-8 can't be one of ours.
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        load_validated(Self::default(), file, variables)
    }

    /// The defaults as a commented file.
    ///
    /// # Errors
    /// When a key is not explained.
    pub fn documented_defaults() -> Result<String, ConfigError> {
        let gateway = gateway::Config::comments().iter().map(|(key, text)| (format!("gateway.{key}"), *text));
        let turn = turn::Config::comments().iter().map(|(key, text)| (format!("turn.{key}"), *text));
        let redis = runtime::redis::Config::comments().iter().map(|(key, text)| (format!("redis.{key}"), *text));
        let by_service: Vec<(String, &str)> = gateway.chain(turn).chain(redis).collect();
        let mut explained = explained::KEYS.to_vec();
        explained.extend(by_service.iter().map(|(key, text)| (key.as_str(), *text)));
        Ok(format!("{}\n{}", explained::HEADING, render_documented(&Self::default(), &explained)?))
    }

    /// This configuration as a file; secrets do not show.
    ///
    /// # Errors
    /// When it can't be written as TOML.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(self)
    }

    /// Whether this service runs in this process.
    #[must_use]
    pub fn runs(&self, service: ServiceName) -> bool {
        self.roles.contains(&Role(service))
    }

    /// Whether all services that speak to each other run in this process.
    #[must_use]
    pub fn runs_all(&self) -> bool {
        ServiceName::ALL.into_iter().filter(|service| service.serves_commands()).all(|service| self.runs(service))
    }

    /// The folder of a service's data.
    #[must_use]
    pub fn folder(&self, service: ServiceName) -> PathBuf {
        self.data_dir.join(match service {
            ServiceName::Gateway => &self.gateway.folder,
            other => other.role(),
        })
    }
}

impl Validate for Config {
    fn validate(&self, environment: Environment, problems: &mut Problems) {
        if self.data_dir.as_os_str().is_empty() {
            problems.refuse("data_dir", "names no folder");
        }
        if self.roles.is_empty() {
            problems.refuse("roles", "names no service to run");
        }
        if self.tls.cert.is_some() != self.tls.key.is_some() {
            problems.refuse("tls", "cert and key come together or not at all");
        }
        if !self.admin.listen.ip().to_canonical().is_loopback() {
            problems.refuse("admin.listen", "must be a loopback address: it may do everything");
        }
        if self.proxy.protocol && self.proxy.trusted.is_empty() {
            problems.refuse("proxy.protocol", "needs proxy.trusted: only they may speak it");
        }
        for (key, value) in [
            ("listen.max_connections", self.listen.max_connections),
            ("listen.max_pending_per_address", self.listen.max_pending_per_address),
        ] {
            if value == 0 {
                problems.refuse(key, "must not be 0");
            }
        }
        for (name, count) in &self.limits {
            if *count == 0 {
                problems.refuse(&format!("limits.{name}"), "must not be 0: a limit is raised, never off");
            }
        }
        self.redis.check("redis", environment, problems);
        self.link.check(problems);
        self.gateway.check("gateway", problems);
        self.signaling.check("signaling", problems);
        self.turn.check("turn", environment, problems);
        let production = environment == Environment::Production;
        for problem in self.auth.problems(production) {
            problems.refuse(&format!("auth.{}", problem.key), problem.problem);
        }
    }
}
