//! The pool of readers: a few threads, a read-only connection each, one bounded queue in front.
//!
//! The deadline holds inside SQLite, by a progress handler that looks at the clock every few thousand steps; an
//! interrupt from outside could hit the query that follows the one it was meant for. It also holds in the
//! queue: a job whose time is over when a reader gets to it is answered without being run.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::observe::{Connections, Observer, error_name};
use super::{OpenError, ReadError, StoreOptions, file};

/// SQLite's virtual machine steps between two looks at the clock: some tens of microseconds of work.
const STEPS_PER_CHECK: i32 = 4_000;

/// How long a reopening writer waits for readers. Longer than any read may take.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) struct Readers {
    state: Mutex<State>,
    /// Something changed for the readers.
    wake: Condvar,
    /// A reader has closed its connection.
    drained: Condvar,
    queue_max: usize,
    deadline: Duration,
}

struct State {
    jobs: VecDeque<Box<dyn Job>>,
    /// Connections that are open now.
    open: usize,
    /// While set, readers close their connections and take no job.
    paused: bool,
    closed: bool,
}

type Reply<T, E> = Result<Result<T, ReadError<E>>, Box<dyn Any + Send>>;

trait Job: Send {
    fn label(&self) -> &'static str;
    fn deadline(&self) -> Instant;
    /// Runs on a connection and answers; the code tells whether SQLite failed.
    fn run(self: Box<Self>, connection: &Connection) -> i32;
    fn time_out(self: Box<Self>);
    fn close(self: Box<Self>);
}

struct Typed<T, E, F> {
    label: &'static str,
    deadline: Instant,
    work: F,
    reply: oneshot::Sender<Reply<T, E>>,
}

impl<T, E, F> Job for Typed<T, E, F>
where
    T: Send + 'static,
    E: Send + 'static,
    F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
{
    fn label(&self) -> &'static str {
        self.label
    }

    fn deadline(&self) -> Instant {
        self.deadline
    }

    fn run(self: Box<Self>, connection: &Connection) -> i32 {
        let Self { deadline, work, reply, .. } = *self;
        if reply.is_closed() {
            return 0;
        }
        let result = catch_unwind(AssertUnwindSafe(|| in_snapshot(connection, || work(connection))));
        let code = match &result {
            Ok(Err(_)) => last_error_code(connection),
            _ => 0,
        };
        let answer = match result {
            Ok(Ok(value)) => Ok(Ok(value)),
            Ok(Err(_)) if Instant::now() >= deadline => Ok(Err(ReadError::Timeout)),
            Ok(Err(error)) => Ok(Err(ReadError::Failed(error))),
            Err(panic) => Err(panic),
        };
        let _ = reply.send(answer);
        code
    }

    fn time_out(self: Box<Self>) {
        let _ = self.reply.send(Ok(Err(ReadError::Timeout)));
    }

    fn close(self: Box<Self>) {
        let _ = self.reply.send(Ok(Err(ReadError::Closed)));
    }
}

/// One transaction around the work, so that all its queries see the same state.
fn in_snapshot<T>(connection: &Connection, work: impl FnOnce() -> T) -> T {
    let begun = run_cached(connection, "BEGIN").is_ok();
    let result = work();
    if begun && !connection.is_autocommit() {
        // The end of a read transaction writes nothing; it fails only with the connection itself.
        let _ = run_cached(connection, "ROLLBACK");
    }
    result
}

fn run_cached(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

/// SQLite's extended code of the most recent call on this connection.
#[allow(unsafe_code)]
pub(crate) fn last_error_code(connection: &Connection) -> i32 {
    // SAFETY: the handle is alive as long as the connection, and is used on its own thread.
    let code = unsafe { rusqlite::ffi::sqlite3_extended_errcode(connection.handle()) };
    match code & 0xff {
        rusqlite::ffi::SQLITE_OK | rusqlite::ffi::SQLITE_ROW | rusqlite::ffi::SQLITE_DONE => 0,
        _ => code,
    }
}

impl Readers {
    pub(crate) fn start(options: &StoreOptions) -> Result<Arc<Self>, OpenError> {
        let readers = Arc::new(Self {
            state: Mutex::new(State { jobs: VecDeque::new(), open: 0, paused: false, closed: false }),
            wake: Condvar::new(),
            drained: Condvar::new(),
            queue_max: options.read_queue_max.max(1),
            deadline: options.read_deadline,
        });
        for number in 0..options.readers.max(1) {
            let (pool, own) = (Arc::clone(&readers), options.clone());
            std::thread::Builder::new()
                .name(format!("{}-read-{number}", options.service.role()))
                .spawn(move || Reader::new(&own).run(&pool, &own))
                .map_err(|source| {
                    readers.close();
                    file::io(&options.path, source)
                })?;
        }
        Ok(readers)
    }

    pub(crate) async fn read<T, E, F>(&self, label: &'static str, work: F) -> Result<T, ReadError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let reply = self.submit(label, work)?;
        unwrap_reply(reply.await.ok())
    }

    pub(crate) fn read_now<T, E, F>(&self, label: &'static str, work: F) -> Result<T, ReadError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let reply = self.submit(label, work)?;
        unwrap_reply(super::wait::wait(reply).ok())
    }

    /// Closes every connection and holds new reads in the queue.
    pub(crate) fn pause(&self) {
        let mut state = self.state.lock();
        state.paused = true;
        self.wake.notify_all();
        let until = Instant::now() + DRAIN_TIMEOUT;
        while state.open > 0 {
            if self.drained.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
    }

    /// Lets the readers open the file again.
    pub(crate) fn resume(&self) {
        self.state.lock().paused = false;
        self.wake.notify_all();
    }

    /// Takes in no more; what waits is answered as closed.
    pub(crate) fn close(&self) {
        let waiting = {
            let mut state = self.state.lock();
            state.closed = true;
            std::mem::take(&mut state.jobs)
        };
        self.wake.notify_all();
        for job in waiting {
            job.close();
        }
    }

    fn submit<T, E, F>(&self, label: &'static str, work: F) -> Result<oneshot::Receiver<Reply<T, E>>, ReadError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let (reply, receiver) = oneshot::channel();
        let job = Box::new(Typed { label, deadline: Instant::now() + self.deadline, work, reply });
        let mut state = self.state.lock();
        if state.closed {
            return Err(ReadError::Closed);
        }
        if state.jobs.len() >= self.queue_max {
            return Err(ReadError::Overloaded);
        }
        state.jobs.push_back(job);
        drop(state);
        self.wake.notify_one();
        Ok(receiver)
    }
}

fn unwrap_reply<T, E>(reply: Option<Reply<T, E>>) -> Result<T, ReadError<E>> {
    match reply {
        Some(Ok(result)) => result,
        Some(Err(panic)) => resume_unwind(panic),
        None => Err(ReadError::Closed),
    }
}

/// What one reader thread holds.
struct Reader {
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
    fn new(options: &StoreOptions) -> Self {
        Self {
            connection: None,
            deadline_ns: Arc::new(AtomicU64::new(0)),
            started: Instant::now(),
            observer: Observer::new(options.service),
            connections: Connections::new(options.service),
        }
    }

    fn run(mut self, pool: &Readers, options: &StoreOptions) {
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
