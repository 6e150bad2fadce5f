//! The service's settings, with their defaults.

use protocol::limits::CALL_PARTICIPANTS_MAX;
use runtime::config::Problems;
use serde::{Deserialize, Serialize};

use crate::machine::Rules;

/// `[signaling]` in the config file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long a device rings, in milliseconds: 5,000 to 180,000.
    pub ring_ms: u64,
    /// How long the place of a participant whose socket dropped is kept, in milliseconds: 5,000 to 300,000.
    pub reconnect_ms: u64,
    /// How long a participant may be the only one in a call, in milliseconds: 10,000 to 3,600,000.
    pub alone_ms: u64,
    /// How many may be in a call: 2 to 16. In a mesh each sends to every other one.
    pub participants_max: u32,
    /// Calls that may go on at once; beyond that new ones are refused as `overloaded`.
    pub calls_max: usize,
    /// How long calls stay in the history, in days.
    pub history_days: u64,
    /// Hints that are kept for a gateway that is not in step; beyond that all calls are told once more.
    pub hints_max: usize,
    /// Different denials that the audit trail gathers before it counts the rest together.
    pub audit_spool_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ring_ms: 45_000,
            reconnect_ms: 30_000,
            alone_ms: 300_000,
            participants_max: 4,
            calls_max: 20_000,
            history_days: 90,
            hints_max: 16_384,
            audit_spool_max: 1_024,
        }
    }
}

impl Config {
    /// What is not allowed, by the section's name.
    pub fn check(&self, section: &str, problems: &mut Problems) {
        let ranges = [
            ("ring_ms", self.ring_ms, 5_000, 180_000),
            ("reconnect_ms", self.reconnect_ms, 5_000, 300_000),
            ("alone_ms", self.alone_ms, 10_000, 3_600_000),
            ("participants_max", self.participants_max.into(), 2, CALL_PARTICIPANTS_MAX as u64),
            ("calls_max", self.calls_max as u64, 1, 1_000_000),
            ("history_days", self.history_days, 1, 3_650),
            ("hints_max", self.hints_max as u64, 16, 1_000_000),
            ("audit_spool_max", self.audit_spool_max as u64, 1, 1_000_000),
        ];
        for (key, value, low, high) in ranges {
            if !(low..=high).contains(&value) {
                problems.refuse(&format!("{section}.{key}"), format!("must be {low} to {high}"));
            }
        }
    }

    /// The times and limits of a new call.
    pub(crate) fn rules(&self, waiting_room: bool) -> Rules {
        Rules {
            participants_max: self.participants_max,
            waiting_room,
            ring_ms: self.ring_ms,
            reconnect_ms: self.reconnect_ms,
            alone_ms: self.alone_ms,
        }
    }
}
