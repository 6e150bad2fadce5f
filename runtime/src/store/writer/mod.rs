//! The one writer: the callers' side of its queue.
//!
//! - `engine`: the thread that runs commands in batches and commits them.
//! - `failure`: what happens when a batch can't be committed.
//! - `checkpoint`: when the WAL is copied back into the file.

mod checkpoint;
mod engine;
mod failure;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rusqlite::Connection;
use tokio::sync::{oneshot, watch};

use super::command::{self, Command, Receiver, Reply, WriteTx};
use super::queue::{Queue, Rejected, Work};
use super::readers::Readers;
use super::{OpenError, StoreOptions, WriteError, file};

use engine::Engine;

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

    pub(crate) fn submit<T, E, F>(
        &self,
        from: Work,
        label: &'static str,
        needs_savepoint: bool,
        work: F,
    ) -> Result<Receiver<T, E>, WriteError<E>>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: FnOnce(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (command, receiver) = command::pack(label, needs_savepoint, work);
        self.push(from, Item::Command(command))?;
        Ok(receiver)
    }

    pub(crate) fn checkpoint(&self) -> Result<Receiver<(), rusqlite::Error>, WriteError<rusqlite::Error>> {
        let (reply, receiver) = oneshot::channel();
        self.push(Work::Own, Item::Checkpoint(reply))?;
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

    fn push<E>(&self, from: Work, item: Item) -> Result<(), WriteError<E>> {
        self.queue.push(from, item).map_err(|rejected| match rejected {
            Rejected::Full => WriteError::Overloaded,
            Rejected::Closed => WriteError::Closed,
        })
    }
}
