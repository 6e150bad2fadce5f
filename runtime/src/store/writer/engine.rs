//! The writer thread: group commit.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::ffi;

use super::Item;
use super::failure::Failure;
use crate::store::command::{Command, Hook, Ran, Verdict, WriteTx};
use crate::store::observe::{self, Connections, Observer, error_name};
use crate::store::queue::Queue;
use crate::store::readers::{Readers, last_error_code};
use crate::store::{StoreOptions, WriteError};

/// What the writer thread holds.
pub(super) struct Engine {
    pub(super) options: StoreOptions,
    /// `None` only while the file is being opened again.
    pub(super) connection: Option<Connection>,
    pub(super) queue: Arc<Queue<Item>>,
    pub(super) readers: Arc<Readers>,
    pub(super) generation: Arc<AtomicU64>,
    pub(super) observer: Observer,
    pub(super) connections: Connections,
    /// Pages in the WAL after the last commit, told by SQLite.
    pub(super) wal_pages: Arc<AtomicU64>,
    /// Commands of the batch that have run.
    pub(super) ran: Vec<Box<dyn Command>>,
    pub(super) hooks: RefCell<Vec<Hook>>,
}

impl Engine {
    pub(super) fn new(
        options: &StoreOptions,
        connection: Connection,
        queue: Arc<Queue<Item>>,
        readers: Arc<Readers>,
        generation: Arc<AtomicU64>,
    ) -> rusqlite::Result<Self> {
        let mut engine = Self {
            options: options.clone(),
            connection: None,
            queue,
            readers,
            generation,
            observer: Observer::new(options.service),
            connections: Connections::new(options.service),
            wal_pages: Arc::new(AtomicU64::new(0)),
            ran: Vec::with_capacity(options.batch_max),
            hooks: RefCell::new(Vec::new()),
        };
        observe::declare(options.service, &["wal/commit", "wal/checkpoint"]);
        engine.adopt(connection)?;
        Ok(engine)
    }

    pub(super) fn adopt(&mut self, mut connection: Connection) -> rusqlite::Result<()> {
        let wal_pages = Arc::clone(&self.wal_pages);
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            wal_pages.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        self.connection = Some(connection);
        self.connections.opened();
        Ok(())
    }

    pub(super) fn run(&mut self) {
        let mut pending = VecDeque::new();
        while !pending.is_empty() || self.queue.wait_take(&mut pending, self.options.batch_max) {
            if let Some(Item::Checkpoint(_)) = pending.front() {
                if let Some(Item::Checkpoint(reply)) = pending.pop_front() {
                    let _ = reply.send(Ok(self.checkpoint("TRUNCATE").map_err(WriteError::Refused)));
                }
                continue;
            }
            self.batch(&mut pending);
            self.checkpoint_if_due(pending.is_empty());
        }
        // Closing the last connection empties the WAL; a failure leaves it for the next start to read.
        if self.connection.take().is_some() {
            self.connections.closed();
        }
    }

    /// Runs commands from `pending` and the queue until a bound is reached, commits once, answers.
    fn batch(&mut self, pending: &mut VecDeque<Item>) {
        self.connections.busy();
        let outcome = match self.run_commands(pending) {
            Ok(()) => self.commit(),
            Err(failure) => Err(failure),
        };
        self.connections.free();
        match outcome {
            Ok(()) => {
                for hook in self.hooks.get_mut().drain(..) {
                    if catch_unwind(AssertUnwindSafe(hook)).is_err() {
                        tracing::error!(service = self.options.service.as_str(), "a commit hook panicked");
                    }
                }
                self.answer(Verdict::Committed);
            }
            Err(failure) => self.fail(&failure, pending),
        }
    }

    fn run_commands(&mut self, pending: &mut VecDeque<Item>) -> Result<(), Failure> {
        let started = Instant::now();
        self.statement("BEGIN IMMEDIATE")?;
        let mut now = started;
        let mut rested_at = 0;
        loop {
            match pending.pop_front() {
                Some(Item::Command(command)) => {
                    self.run_one(command)?;
                    let then = now;
                    now = Instant::now();
                    if let Some(command) = self.ran.last() {
                        self.observer.took(command.label(), now - then);
                    }
                }
                Some(checkpoint @ Item::Checkpoint(_)) => {
                    pending.push_front(checkpoint);
                    return Ok(());
                }
                None => {
                    let room = self.options.batch_max.saturating_sub(self.ran.len());
                    self.queue.take_now(pending, room);
                    if pending.is_empty() {
                        if !self.rests(rested_at) {
                            return Ok(());
                        }
                        rested_at = self.ran.len();
                        // What the next command takes begins with it.
                        now = Instant::now();
                    }
                }
            }
            if self.ran.len() >= self.options.batch_max || now - started >= self.options.batch_time {
                return Ok(());
            }
        }
    }

    /// Commands that come one upon the other share a commit if they are waited for: a burst that is cut in two is synced twice, and
    /// told twice to everyone who hears it. Rests once nothing waits, unless the batch has not grown since it rested at this
    /// length; answers whether it did.
    fn rests(&self, rested_at: usize) -> bool {
        let worth = self.ran.len() > 1 && self.ran.len() > rested_at && !self.options.gather.is_zero();
        if worth {
            // Not a wait for the next command: that would wake this thread for each of them.
            std::thread::sleep(self.options.gather);
        }
        worth
    }

    /// One command; its hooks count only if what it did stays.
    fn run_one(&mut self, mut command: Box<dyn Command>) -> Result<(), Failure> {
        let needs_savepoint = command.needs_savepoint();
        if needs_savepoint {
            self.statement("SAVEPOINT command")?;
        }
        let Some(connection) = &self.connection else {
            return Err(Failure::of(ffi::SQLITE_IOERR));
        };
        let hooks_before = self.hooks.borrow().len();
        let changes_before = connection.total_changes();
        let label = command.label();
        let ran = command.run(&mut WriteTx::new(connection, &self.hooks, self.options.service));
        self.ran.push(command);
        if ran == Ran::Done {
            // The transaction may have been rolled back under a command that didn't look at its errors.
            if connection.is_autocommit() {
                return Err(Failure::of(last_error_code(connection).max(1)));
            }
            return if needs_savepoint { self.statement("RELEASE command") } else { Ok(()) };
        }
        let code = last_error_code(connection);
        if code != 0 {
            self.observer.failed(label, error_name(code));
        }
        match code & 0xff {
            ffi::SQLITE_FULL | ffi::SQLITE_IOERR | ffi::SQLITE_CORRUPT | ffi::SQLITE_NOMEM => {
                return Err(Failure::of(code));
            }
            _ if connection.is_autocommit() => return Err(Failure::of(code.max(1))),
            _ => {}
        }
        let changed = connection.total_changes() != changes_before;
        self.hooks.get_mut().truncate(hooks_before);
        if !needs_savepoint {
            // It promised to refuse only before it changes anything; half of its work must not be committed.
            return if changed { Err(Failure::of(ffi::SQLITE_ABORT)) } else { Ok(()) };
        }
        self.statement("ROLLBACK TO command")?;
        self.statement("RELEASE command")
    }

    fn commit(&mut self) -> Result<(), Failure> {
        let begun = Instant::now();
        let outcome = self.statement("COMMIT");
        self.observer.took("wal/commit", begun.elapsed());
        outcome
    }

    pub(super) fn statement(&self, sql: &str) -> Result<(), Failure> {
        let Some(connection) = &self.connection else {
            return Err(Failure::of(ffi::SQLITE_IOERR));
        };
        connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map(|_| ()).map_err(|error| {
            let code = error.sqlite_error().map_or(ffi::SQLITE_ERROR, |error| error.extended_code);
            Failure::of(code)
        })
    }

    pub(super) fn answer(&mut self, verdict: Verdict) {
        for command in self.ran.drain(..) {
            command.answer(verdict);
        }
    }
}
