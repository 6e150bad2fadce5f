//! What an operator can set of the gateway. The defaults are for one machine; every bound is a number here.

use runtime::config::Problems;
use serde::{Deserialize, Serialize};

/// The gateway's configuration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The folder of this gateway below the data directory: its lock, its audit trail, where it listens.
    pub folder: String,
    /// Origins of pages beside the server's own that may call it, such as `https://app.example.org`.
    pub allowed_origins: Vec<String>,
    /// Whether the embedded web client is served at `/`.
    pub web: bool,
    /// The most bytes that wait to be written to one socket.
    pub queue_bytes: usize,
    /// The most bytes that wait for all sockets together.
    pub queue_bytes_total: usize,
    /// A socket that takes nothing for so long is closed as `slow`, in milliseconds; it resumes.
    pub slow_after_ms: u64,
    /// How many frames a client that catches up may leave unacknowledged.
    pub unacked_max: u32,
    /// The most sessions that wait for their client to come back; more are forgotten at once and sync from the log.
    pub parked_max: usize,
    /// The most sockets of one address that have not said who they are.
    pub unauthenticated_per_address: usize,
    /// The most commands of one socket that are worked on at the same time.
    pub commands_in_flight: usize,
    /// How long a read may take, in milliseconds.
    pub read_within_ms: u64,
    /// How long anything else may take, in milliseconds.
    pub write_within_ms: u64,
    /// Over how long the clients of a server that goes down are spread when they come back, in milliseconds.
    pub reconnect_spread_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            folder: "gateway".to_owned(),
            allowed_origins: Vec::new(),
            web: true,
            queue_bytes: 1024 * 1024,
            queue_bytes_total: 256 * 1024 * 1024,
            slow_after_ms: 15_000,
            unacked_max: 256,
            parked_max: 100_000,
            unauthenticated_per_address: 32,
            commands_in_flight: 64,
            read_within_ms: 1_500,
            write_within_ms: 5_000,
            reconnect_spread_ms: 10_000,
        }
    }
}

impl Config {
    /// Every key with what it means, for the documented configuration file.
    #[must_use]
    pub fn comments() -> &'static [(&'static str, &'static str)] {
        &[
            (
                "folder",
                "The folder of this gateway in the data directory. A second gateway on one data directory has another one: \"gateway-2\".",
            ),
            (
                "allowed_origins",
                "Origins of pages beside the server's own that may call it: [\"https://app.example.org\"].",
            ),
            ("web", "Whether the embedded web client is served at /."),
            ("queue_bytes", "The most bytes that wait to be written to one socket."),
            ("queue_bytes_total", "The most bytes that wait for all sockets together."),
            ("slow_after_ms", "A socket that takes nothing for so long is closed as slow; it resumes."),
            ("unacked_max", "How many frames a client that catches up may leave unacknowledged."),
            ("parked_max", "The most sessions that wait for their client to come back; more sync from the log."),
            ("unauthenticated_per_address", "The most sockets of one address that have not said who they are."),
            ("commands_in_flight", "The most commands of one socket that are worked on at the same time."),
            ("read_within_ms", "How long a read may take."),
            ("write_within_ms", "How long anything else may take."),
            (
                "reconnect_spread_ms",
                "Over how long the clients of a server that goes down are spread when they come back.",
            ),
        ]
    }

    /// Reports what can't work, under keys that begin with `section`.
    pub fn check(&self, section: &str, problems: &mut Problems) {
        let at_least = [
            ("queue_bytes", self.queue_bytes, 128 * 1024),
            ("queue_bytes_total", self.queue_bytes_total, self.queue_bytes),
            ("commands_in_flight", self.commands_in_flight, 1),
            ("unauthenticated_per_address", self.unauthenticated_per_address, 1),
            ("unacked_max", self.unacked_max as usize, 64),
        ];
        for (key, value, least) in at_least {
            if value < least {
                problems.refuse(&format!("{section}.{key}"), format!("must be at least {least}"));
            }
        }
        if !is_folder(&self.folder) {
            let reason = format!("{:?} is not `gateway` or `gateway-` and letters or digits", self.folder);
            problems.refuse(&format!("{section}.folder"), reason);
        }
        for origin in &self.allowed_origins {
            let known_scheme = origin.starts_with("https://") || origin.starts_with("http://");
            if !known_scheme || origin.ends_with('/') || origin.matches('/').count() != 2 {
                let reason = format!("{origin:?} is not an origin: write it like \"https://app.example.org\"");
                problems.refuse(&format!("{section}.allowed_origins"), reason);
            }
        }
    }
}

/// One name beside the folders of the other services, and never theirs.
fn is_folder(name: &str) -> bool {
    let more = name.strip_prefix("gateway-");
    name == "gateway" || more.is_some_and(|more| !more.is_empty() && more.chars().all(|c| c.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_the_gateways_own() {
        for good in ["gateway", "gateway-2", "gateway-west"] {
            assert!(is_folder(good), "{good}");
        }
        for bad in ["", "chat", "gateway-", "gateway-../chat", "../gateway", "/gateway", "gateway/2"] {
            assert!(!is_folder(bad), "{bad}");
        }
    }

    #[test]
    fn every_key_is_documented() {
        let json = serde_json::to_value(Config::default()).unwrap();
        for key in json.as_object().unwrap().keys() {
            let known = Config::comments().iter().any(|(name, _)| name == key);
            assert!(known, "{key}");
        }
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        let refused = |origin: &str| {
            let config = Config { allowed_origins: vec![origin.to_owned()], ..Config::default() };
            let mut problems = Problems::default();
            config.check("gateway", &mut problems);
            problems.into_result().is_err()
        };
        assert!(!refused("https://app.example.org"));
        for origin in ["*", "app.example.org", "https://app.example.org/", "https://a/b"] {
            assert!(refused(origin), "{origin}");
        }
    }
}
