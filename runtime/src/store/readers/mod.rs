//! The pool of readers: a few threads, a read-only connection each, one bounded queue in front.
//!
//! The deadline holds inside SQLite, by a progress handler that looks at the clock every few thousand steps; an
//! interrupt from outside could hit the query that follows the one it was meant for. It also holds in the
//! queue: a job whose time is over when a reader gets to it is answered without being run.

mod job;
mod reader;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::queue::Work;
use super::{OpenError, ReadError, StoreOptions, file};

pub(crate) use job::last_error_code;

use job::{Job, Reply, Typed, unwrap_reply};
use reader::Reader;

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

    pub(crate) async fn read<T, E, F>(&self, from: Work, label: &'static str, work: F) -> Result<T, ReadError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let reply = self.submit(from, label, work)?;
        unwrap_reply(reply.await.ok())
    }

    pub(crate) fn read_now<T, E, F>(&self, from: Work, label: &'static str, work: F) -> Result<T, ReadError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let reply = self.submit(from, label, work)?;
        unwrap_reply(crate::store::wait::wait(reply).ok())
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

    fn submit<T, E, F>(
        &self,
        from: Work,
        label: &'static str,
        work: F,
    ) -> Result<oneshot::Receiver<Reply<T, E>>, ReadError<E>>
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
        if state.jobs.len() >= from.room(self.queue_max) {
            return Err(ReadError::Overloaded);
        }
        state.jobs.push_back(job);
        drop(state);
        self.wake.notify_one();
        Ok(receiver)
    }
}
