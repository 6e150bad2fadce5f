//! The writer thread: group commit, what happens when a commit fails, and when to checkpoint.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::ffi;
use tokio::sync::{oneshot, watch};

use super::command::{self, Command, Hook, Ran, Receiver, Reply, Verdict, WriteTx};
use super::observe::{Connections, Observer, error_name};
use super::queue::{Queue, Rejected};
use super::readers::{Readers, last_error_code};
use super::{OpenError, StoreOptions, WriteError, file, observe};

/// A busy writer checkpoints too once the WAL is this many times the idle bound: a checkpoint then delays one batch,
/// while an ever longer WAL would slow down every read.
const FORCED_CHECKPOINT: u64 = 8;

/// How long a forced checkpoint waits for reads that still need the WAL.
const RESTART_WAIT: Duration = Duration::from_millis(50);

/// KiB of a page; the WAL is counted in pages.
const PAGE_KIB: u64 = 4;

/// Between two attempts to open a file that can't be opened.
const REOPEN_BACKOFF: Duration = Duration::from_millis(200);

pub(crate) enum Item {
    Command(Box<dyn Command>),
    Checkpoint(oneshot::Sender<Reply<(), rusqlite::Error>>),
}

/// The callers' side.
pub(crate) struct Writer {
    queue: Arc<Queue<Item>>,
    ended: watch::Receiver<bool>,
}

impl Writer {
    pub(crate) fn start(
        options: &StoreOptions,
        connection: Connection,
        readers: Arc<Readers>,
        generation: Arc<AtomicU64>,
    ) -> Result<Self, OpenError> {
        let queue = Arc::new(Queue::new(options.write_queue_max));
        let (end, ended) = watch::channel(false);
        let mut engine = Engine::new(options, connection, Arc::clone(&queue), readers, generation)
            .map_err(|error| file::sqlite(&options.path, error))?;
        std::thread::Builder::new()
            .name(format!("{}-write", options.service.role()))
            .spawn(move || {
                engine.run();
                drop(engine);
                let _ = end.send(true);
            })
            .map_err(|source| file::io(&options.path, source))?;
        Ok(Self { queue, ended })
    }

    pub(crate) fn submit<T, E, F>(&self, label: &'static str, work: F) -> Result<Receiver<T, E>, WriteError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (command, receiver) = command::pack(label, work);
        self.push(Item::Command(command))?;
        Ok(receiver)
    }

    pub(crate) fn checkpoint(&self) -> Result<Receiver<(), rusqlite::Error>, WriteError<rusqlite::Error>> {
        let (reply, receiver) = oneshot::channel();
        self.push(Item::Checkpoint(reply))?;
        Ok(receiver)
    }

    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    pub(crate) async fn close(&self) {
        self.queue.close();
        let mut ended = self.ended.clone();
        // An error means that the thread is gone, which is what is waited for.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    pub(crate) fn close_detached(&self) {
        self.queue.close();
    }

    fn push<E>(&self, item: Item) -> Result<(), WriteError<E>> {
        self.queue.push(item).map_err(|rejected| match rejected {
            Rejected::Full => WriteError::Overloaded,
            Rejected::Closed => WriteError::Closed,
        })
    }
}

/// What the writer thread holds.
struct Engine {
    options: StoreOptions,
    /// `None` only while the file is being opened again.
    connection: Option<Connection>,
    queue: Arc<Queue<Item>>,
    readers: Arc<Readers>,
    generation: Arc<AtomicU64>,
    observer: Observer,
    connections: Connections,
    /// Pages in the WAL after the last commit, told by SQLite.
    wal_pages: Arc<AtomicU64>,
    /// Commands of the batch that have run.
    ran: Vec<Box<dyn Command>>,
    hooks: RefCell<Vec<Hook>>,
}

/// Why a batch can't be committed.
struct Failure {
    verdict: Verdict,
    reopen: bool,
    code: i32,
}

impl Failure {
    fn of(code: i32) -> Self {
        match code & 0xff {
            // Not even the commit record was written, or it will be written over: the file is as before.
            ffi::SQLITE_FULL => Self { verdict: Verdict::Full, reopen: false, code },
            // A deferred constraint: wrong, but no reason to distrust the file.
            ffi::SQLITE_CONSTRAINT if code != ffi::SQLITE_CONSTRAINT_COMMITHOOK => {
                Self { verdict: Verdict::Unknown, reopen: false, code }
            }
            _ => Self { verdict: Verdict::Unknown, reopen: true, code },
        }
    }
}

impl Engine {
    fn new(
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

    fn adopt(&mut self, mut connection: Connection) -> rusqlite::Result<()> {
        let wal_pages = Arc::clone(&self.wal_pages);
        connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            wal_pages.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        self.connection = Some(connection);
        self.connections.opened();
        Ok(())
    }

    fn run(&mut self) {
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
        self.connection = None;
        self.connections.closed();
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
                        return Ok(());
                    }
                }
            }
            if self.ran.len() >= self.options.batch_max || now - started >= self.options.batch_time {
                return Ok(());
            }
        }
    }

    /// One command in its own savepoint; its hooks count only if it is released.
    fn run_one(&mut self, mut command: Box<dyn Command>) -> Result<(), Failure> {
        self.statement("SAVEPOINT command")?;
        let Some(connection) = &self.connection else {
            return Err(Failure::of(ffi::SQLITE_IOERR));
        };
        let hooks_before = self.hooks.borrow().len();
        let label = command.label();
        let ran = command.run(&mut WriteTx::new(connection, &self.hooks, self.options.service));
        self.ran.push(command);
        if ran == Ran::Done {
            // The transaction may have been rolled back under a command that didn't look at its errors.
            if connection.is_autocommit() {
                return Err(Failure::of(last_error_code(connection).max(1)));
            }
            return self.statement("RELEASE command");
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
        self.hooks.get_mut().truncate(hooks_before);
        self.statement("ROLLBACK TO command")?;
        self.statement("RELEASE command")
    }

    fn commit(&mut self) -> Result<(), Failure> {
        let begun = Instant::now();
        let outcome = self.statement("COMMIT");
        self.observer.took("wal/commit", begun.elapsed());
        outcome
    }

    fn statement(&self, sql: &str) -> Result<(), Failure> {
        let Some(connection) = &self.connection else {
            return Err(Failure::of(ffi::SQLITE_IOERR));
        };
        connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map(|_| ()).map_err(|error| {
            let code = error.sqlite_error().map_or(ffi::SQLITE_ERROR, |error| error.extended_code);
            Failure::of(code)
        })
    }

    fn answer(&mut self, verdict: Verdict) {
        for command in self.ran.drain(..) {
            command.answer(verdict);
        }
    }

    /// Undoes the batch, tells its callers, and opens the file again if it can't be trusted.
    fn fail(&mut self, failure: &Failure, pending: &mut VecDeque<Item>) {
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
        self.connection = None;
        self.connections.closed();
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

    fn checkpoint_if_due(&mut self, idle: bool) {
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

    fn checkpoint(&mut self, mode: &'static str) -> rusqlite::Result<()> {
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

fn truncate_wal(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
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
