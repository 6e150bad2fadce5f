//! The service's settings, with their defaults.

use serde::{Deserialize, Serialize};

/// `[chat]` in the config file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Read-only connections to the store, each with a thread.
    pub readers: usize,
    /// Commands that may wait for the writer; beyond that they are refused as `overloaded`.
    pub write_queue_max: usize,
    /// The most commands in one commit.
    pub batch_max: usize,
    /// The writer's page cache, in KiB.
    pub cache_kib: u32,
    /// Hints that are kept for a gateway that is not in step; beyond that it reads the log.
    pub hints_max: usize,
    /// How long moved markers are gathered before they are told, in milliseconds.
    pub markers_every_ms: u64,
    /// How long somebody without a device still counts as present, in milliseconds, so that a reconnect is no news.
    pub presence_grace_ms: u64,
    /// How many deliveries of presence a second are made at most; more changes wait, and only the last state of each is told.
    pub presence_deliveries_per_second: u32,
    /// The most registers that one device is sent when it connects.
    pub registers_max: usize,
    /// Different denials that the audit trail gathers before it counts the rest together.
    pub audit_spool_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            readers: 2,
            write_queue_max: 8_192,
            batch_max: 512,
            cache_kib: 64 * 1_024,
            hints_max: 16_384,
            markers_every_ms: 1_000,
            presence_grace_ms: 10_000,
            presence_deliveries_per_second: 50_000,
            registers_max: 5_000,
            audit_spool_max: 1_024,
        }
    }
}
