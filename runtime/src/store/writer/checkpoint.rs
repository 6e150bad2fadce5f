//! When the WAL is copied back into the file: while nothing waits, or when it has grown too long.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::engine::Engine;
use crate::store::file;

/// A busy writer checkpoints too once the WAL is this many times the idle bound: a checkpoint then delays one batch,
/// while an ever longer WAL would slow down every read.
const FORCED_CHECKPOINT: u64 = 8;

/// How long a forced checkpoint waits for reads that still need the WAL.
const RESTART_WAIT: Duration = Duration::from_millis(50);

/// KiB of a page; the WAL is counted in pages.
const PAGE_KIB: u64 = 4;

impl Engine {
    pub(super) fn checkpoint_if_due(&mut self, idle: bool) {
        let bound = (u64::from(self.options.checkpoint_kib) / PAGE_KIB).max(1);
        let pages = self.wal_pages.load(Ordering::Relaxed);
        let mode = if pages >= bound * FORCED_CHECKPOINT {
            // Waits for the reads that still need the WAL, so that it starts over instead of growing on.
            "RESTART"
        } else if pages >= bound && idle && self.queue.len() == 0 {
            "PASSIVE"
        } else {
            return;
        };
        if let Err(error) = self.checkpoint(mode) {
            // Nothing is lost: the WAL stays, and the next commit tries again.
            tracing::warn!(service = self.options.service.as_str(), %error, "checkpoint failed");
        }
    }

    pub(super) fn checkpoint(&mut self, mode: &'static str) -> rusqlite::Result<()> {
        let Some(connection) = &self.connection else {
            return Ok(());
        };
        let begun = Instant::now();
        self.wal_pages.store(0, Ordering::Relaxed);
        let outcome = match mode {
            "TRUNCATE" => truncate_wal(connection),
            "RESTART" => connection
                .busy_timeout(RESTART_WAIT)
                .and_then(|()| connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())))
                .and_then(|()| connection.busy_timeout(file::BUSY_TIMEOUT)),
            _ => connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())),
        };
        self.observer.took("wal/checkpoint", begun.elapsed());
        outcome
    }
}

pub(super) fn truncate_wal(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}
