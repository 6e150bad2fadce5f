//! One reader thread: its connection, and the clock that ends a read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rusqlite::Connection;

use super::Readers;
use super::job::Job;
use crate::store::observe::{Connections, Observer, error_name};
use crate::store::{StoreOptions, file};

/// SQLite's virtual machine steps between two looks at the clock: some tens of microseconds of work.
const STEPS_PER_CHECK: i32 = 4_000;

/// What one reader thread holds.
pub(super) struct Reader {
    connection: Option<Connection>,
    /// The running job's deadline in nanoseconds since `started`; zero is none.
    deadline_ns: Arc<AtomicU64>,
    started: Instant,
    observer: Observer,
    connections: Connections,
}

enum Next {
    Job(Box<dyn Job>),
    Disconnect,
    End,
}

impl Reader {
    pub(super) fn new(options: &StoreOptions) -> Self {
        Self {
            connection: None,
            deadline_ns: Arc::new(AtomicU64::new(0)),
            started: Instant::now(),
            observer: Observer::new(options.service),
            connections: Connections::new(options.service),
        }
    }

    pub(super) fn run(mut self, pool: &Readers, options: &StoreOptions) {
        loop {
            match self.next(pool) {
                Next::End => break,
                Next::Disconnect => self.disconnect(pool),
                Next::Job(job) => self.serve(job, pool, options),
            }
        }
        self.disconnect(pool);
    }

    fn next(&self, pool: &Readers) -> Next {
        let mut state = pool.state.lock();
        loop {
            if state.closed {
                return Next::End;
            }
            if state.paused && self.connection.is_some() {
                return Next::Disconnect;
            }
            if !state.paused
                && let Some(job) = state.jobs.pop_front()
            {
                if self.connection.is_none() {
                    // Counted here, under the lock, so that a pause can't slip between the pop and the open.
                    state.open += 1;
                }
                return Next::Job(job);
            }
            pool.wake.wait(&mut state);
        }
    }

    fn serve(&mut self, job: Box<dyn Job>, pool: &Readers, options: &StoreOptions) {
        if self.connection.is_none() && !self.connect(pool, options) {
            job.close();
            return;
        }
        let Some(connection) = &self.connection else {
            return;
        };
        let label = job.label();
        if Instant::now() >= job.deadline() {
            job.time_out();
            self.observer.failed(label, "timeout");
            return;
        }
        let until = job.deadline().saturating_duration_since(self.started);
        self.deadline_ns.store(until.as_nanos() as u64, Ordering::Relaxed);
        self.connections.busy();
        let begun = Instant::now();
        let code = job.run(connection);
        self.deadline_ns.store(0, Ordering::Relaxed);
        self.connections.free();
        self.observer.took(label, begun.elapsed());
        if code != 0 {
            self.observer.failed(label, error_name(code));
        }
    }

    fn connect(&mut self, pool: &Readers, options: &StoreOptions) -> bool {
        let deadline_ns = Arc::clone(&self.deadline_ns);
        let started = self.started;
        let over = move || {
            let until = deadline_ns.load(Ordering::Relaxed);
            until != 0 && started.elapsed().as_nanos() as u64 >= until
        };
        let opened = file::open_reader(options).and_then(|mut connection| {
            connection.progress_handler(STEPS_PER_CHECK, Some(over))?;
            Ok(connection)
        });
        match opened {
            Ok(connection) => {
                self.connection = Some(connection);
                self.connections.opened();
                true
            }
            Err(error) => {
                tracing::error!(service = options.service.as_str(), %error, "a reader can't open the store");
                pool.state.lock().open -= 1;
                pool.drained.notify_all();
                false
            }
        }
    }

    fn disconnect(&mut self, pool: &Readers) {
        if self.connection.take().is_some() {
            self.connections.closed();
            pool.state.lock().open -= 1;
            pool.drained.notify_all();
        }
    }
}
