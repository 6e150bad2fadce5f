//! `[redis]`.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ANSWER_WITHIN, connect};
use crate::config::{Environment, Problems, Secret};

/// Where Redis is; without a URL or a Sentinel the process lives on its own memory, which is right for one process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `redis://host:port/db`, or `rediss://` for TLS. Of a Sentinel's master only the scheme and the database are read.
    pub url: String,
    /// The user, where Redis knows several.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// The CA that signed Redis' certificate, PEM; the public ones where it is not set.
    pub ca: Option<PathBuf>,
    /// What every key begins with.
    pub prefix: String,
    /// Whether the services go on with their own memory while Redis is gone; otherwise what needs it is refused.
    pub fallback: bool,
    /// Who knows where the master is.
    pub sentinel: SentinelConfig,
    /// [`ANSWER_WITHIN`], and no setting: tests of what is asked, not of how fast, have more patience on a loaded machine.
    #[serde(skip, default = "answer_within")]
    pub answer_within: Duration,
}

fn answer_within() -> Duration {
    ANSWER_WITHIN
}

/// `[redis.sentinel]`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentinelConfig {
    /// How the Sentinels call the master.
    pub master: String,
    /// `host:port` of each.
    pub addresses: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            url: String::new(),
            username: String::new(),
            password: Secret::default(),
            ca: None,
            prefix: "secureconnect".to_owned(),
            fallback: true,
            sentinel: SentinelConfig::default(),
            answer_within: ANSWER_WITHIN,
        }
    }
}

impl Config {
    /// Whether there is a Redis at all.
    #[must_use]
    pub fn is_set(&self) -> bool {
        !self.url.is_empty() || !self.sentinel.addresses.is_empty()
    }

    /// What must not be used, under `redis`.
    pub fn check(&self, key: &str, environment: Environment, problems: &mut Problems) {
        if self.is_set()
            && let Err(reason) = connect::Connector::new(self)
        {
            problems.refuse(&format!("{key}.url"), reason);
        }
        if self.sentinel.addresses.is_empty() != self.sentinel.master.is_empty() {
            problems.refuse(&format!("{key}.sentinel"), "master and addresses come together or not at all");
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.prefix.is_empty() || !self.prefix.chars().all(plain) {
            problems.refuse(&format!("{key}.prefix"), "must be letters, digits, `-`, `_` and `.`");
        }
        problems.check_secret(&format!("{key}.password"), &self.password, environment);
    }

    /// The explanation of every key, by its name below `redis`.
    #[must_use]
    pub fn comments() -> &'static [(&'static str, &'static str)] {
        &[
            (
                "url",
                "redis://host:port/db, or rediss:// for TLS. Empty: no Redis, each process lives on its own memory.",
            ),
            ("username", "The user, where Redis knows several."),
            ("password", "The password; better in the file that SECURECONNECT_REDIS__PASSWORD_FILE names."),
            ("ca", "The CA that signed Redis' certificate, PEM."),
            ("prefix", "What every key begins with."),
            ("fallback", "Go on with own memory while Redis is gone. false: what needs Redis is refused with 503."),
            ("sentinel", "Who knows where the master is; instead of the host in the URL."),
            ("sentinel.master", "How the Sentinels call the master."),
            ("sentinel.addresses", "host:port of each Sentinel."),
        ]
    }
}
