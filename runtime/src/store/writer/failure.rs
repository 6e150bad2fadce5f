//! What happens when a batch can't be committed: its callers are told the truth, and a file that can't be trusted is opened again.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rusqlite::ffi;

use super::Item;
use super::checkpoint::truncate_wal;
use super::engine::Engine;
use crate::store::command::Verdict;
use crate::store::observe::error_name;
use crate::store::{OpenError, WriteError, file};

/// Between two attempts to open a file that can't be opened.
const REOPEN_BACKOFF: Duration = Duration::from_millis(200);

/// Why a batch can't be committed.
pub(super) struct Failure {
    verdict: Verdict,
    reopen: bool,
    code: i32,
}

impl Failure {
    pub(super) fn of(code: i32) -> Self {
        match code & 0xff {
            // Not even the commit record was written, or it will be written over: the file is as before.
            ffi::SQLITE_FULL => Self { verdict: Verdict::Full, reopen: false, code },
            // A deferred constraint, or a command that broke its promise: wrong, but no reason to distrust the file.
            ffi::SQLITE_ABORT => Self { verdict: Verdict::Unknown, reopen: false, code },
            ffi::SQLITE_CONSTRAINT if code != ffi::SQLITE_CONSTRAINT_COMMITHOOK => {
                Self { verdict: Verdict::Unknown, reopen: false, code }
            }
            _ => Self { verdict: Verdict::Unknown, reopen: true, code },
        }
    }
}

impl Engine {
    /// Undoes the batch, tells its callers, and opens the file again if it can't be trusted.
    pub(super) fn fail(&mut self, failure: &Failure, pending: &mut VecDeque<Item>) {
        let error = error_name(failure.code);
        self.observer.failed("wal/commit", error);
        tracing::error!(
            service = self.options.service.as_str(),
            code = failure.code,
            error,
            commands = self.ran.len(),
            "a batch was not committed"
        );
        self.hooks.get_mut().clear();
        let begun = self.connection.as_ref().is_some_and(|connection| !connection.is_autocommit());
        let undone = !begun || self.statement("ROLLBACK").is_ok();
        // What the batch did is undone: whoever remembers it must forget it.
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.answer(failure.verdict);
        if failure.code & 0xff == ffi::SQLITE_BUSY {
            // A stranger holds the file's lock: nothing of what waits was begun.
            refuse(pending, Verdict::Overloaded);
        } else if failure.reopen || !undone {
            self.reopen(pending);
        }
    }

    /// Closes every connection to the file and opens it again, so that what is read from now on is what the file holds.
    fn reopen(&mut self, pending: &mut VecDeque<Item>) {
        self.readers.pause();
        if self.connection.take().is_some() {
            self.connections.closed();
        }
        loop {
            match self.try_open() {
                Ok(()) => break,
                Err(error) => {
                    tracing::error!(service = self.options.service.as_str(), %error, "the store can't be opened again");
                    self.queue.take_now(pending, usize::MAX);
                    refuse(pending, Verdict::Overloaded);
                    if self.queue.is_closed() {
                        return;
                    }
                    std::thread::sleep(REOPEN_BACKOFF);
                }
            }
        }
        self.generation.fetch_add(1, Ordering::AcqRel);
        self.readers.resume();
        tracing::warn!(service = self.options.service.as_str(), "the store was opened again; caches start anew");
    }

    fn try_open(&mut self) -> Result<(), OpenError> {
        let connection = file::open_existing(&self.options)?;
        // What the WAL holds may be in the kernel's memory only: write it out with an fsync of its own before trusting it.
        truncate_wal(&connection)
            .and_then(|()| self.adopt(connection))
            .map_err(|error| file::sqlite(&self.options.path, error))
    }
}

fn refuse(pending: &mut VecDeque<Item>, verdict: Verdict) {
    for item in pending.drain(..) {
        match item {
            Item::Command(command) => command.answer(verdict),
            Item::Checkpoint(reply) => {
                let _ = reply.send(Ok(Err(WriteError::Overloaded)));
            }
        }
    }
}
