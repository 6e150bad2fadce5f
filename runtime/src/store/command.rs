//! A write command on its way to the writer and back, with its types erased in between.

use std::any::Any;
use std::cell::RefCell;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use protocol::ServiceName;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::WriteError;

/// Work to do on the writer thread after the COMMIT.
pub(crate) type Hook = Box<dyn FnOnce() + Send>;

/// A command's view of the store: the connection, inside the command's own savepoint.
///
/// It is a [`rusqlite::Connection`]; use `prepare_cached`. Starting or ending transactions here would end
/// the whole batch and is answered as a failure of it.
pub struct WriteTx<'a> {
    connection: &'a Connection,
    hooks: &'a RefCell<Vec<Hook>>,
    service: ServiceName,
}

impl<'a> WriteTx<'a> {
    pub(crate) fn new(connection: &'a Connection, hooks: &'a RefCell<Vec<Hook>>, service: ServiceName) -> Self {
        Self { connection, hooks, service }
    }

    /// Whose store this is.
    pub fn service(&self) -> ServiceName {
        self.service
    }

    /// Runs `hook` on the writer thread right after the commit, in commit order, before the caller is answered;
    /// never if the command is refused or the commit fails. It must not block: every write waits for it.
    pub fn on_commit(&self, hook: impl FnOnce() + Send + 'static) {
        self.hooks.borrow_mut().push(Box::new(hook));
    }
}

impl Deref for WriteTx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl std::fmt::Debug for WriteTx<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriteTx").finish_non_exhaustive()
    }
}

/// How a command left its savepoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ran {
    /// It wants to be committed.
    Done,
    /// It wants to be undone.
    Undo,
}

/// What became of the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Committed,
    Unknown,
    Full,
    Overloaded,
}

/// A command without its types.
pub(crate) trait Command: Send {
    fn label(&self) -> &'static str;
    /// Whether what it did has to be undone when it refuses; else it refuses only before it changes anything.
    fn needs_savepoint(&self) -> bool;
    fn run(&mut self, tx: &mut WriteTx<'_>) -> Ran;
    fn answer(self: Box<Self>, verdict: Verdict);
}

/// What the caller gets back; a panic travels as its payload.
pub(crate) type Reply<T, E> = Result<Result<T, WriteError<E>>, Box<dyn Any + Send>>;

/// The receiving half that a caller waits on.
pub(crate) type Receiver<T, E> = oneshot::Receiver<Reply<T, E>>;

struct Typed<T, E, F> {
    label: &'static str,
    needs_savepoint: bool,
    work: Option<F>,
    result: Option<Result<Result<T, E>, Box<dyn Any + Send>>>,
    reply: oneshot::Sender<Reply<T, E>>,
}

/// Packs `work` up, and hands out where its answer will arrive.
pub(crate) fn pack<T, E, F>(label: &'static str, needs_savepoint: bool, work: F) -> (Box<dyn Command>, Receiver<T, E>)
where
    T: Send + 'static,
    E: Send + 'static,
    F: FnOnce(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
{
    let (reply, receiver) = oneshot::channel();
    let command = Typed { label, needs_savepoint, work: Some(work), result: None, reply };
    (Box::new(command), receiver)
}

impl<T, E, F> Command for Typed<T, E, F>
where
    T: Send + 'static,
    E: Send + 'static,
    F: FnOnce(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
{
    fn label(&self) -> &'static str {
        self.label
    }

    fn needs_savepoint(&self) -> bool {
        self.needs_savepoint
    }

    fn run(&mut self, tx: &mut WriteTx<'_>) -> Ran {
        let Some(work) = self.work.take() else {
            return Ran::Undo;
        };
        // The savepoint is rolled back after a panic, so no half-done work is ever looked at.
        let result = catch_unwind(AssertUnwindSafe(|| work(tx)));
        let ran = match &result {
            Ok(Ok(_)) => Ran::Done,
            Ok(Err(_)) | Err(_) => Ran::Undo,
        };
        self.result = Some(result);
        ran
    }

    fn answer(self: Box<Self>, verdict: Verdict) {
        let answer = match (verdict, self.result) {
            (_, Some(Err(panic))) => Err(panic),
            (Verdict::Committed, Some(Ok(Ok(value)))) => Ok(Ok(value)),
            // A refusal stands only on a state that was committed: it may rest on a neighbour's work.
            (Verdict::Committed, Some(Ok(Err(error)))) => Ok(Err(WriteError::Refused(error))),
            (Verdict::Full, _) => Ok(Err(WriteError::Full)),
            (Verdict::Overloaded, _) => Ok(Err(WriteError::Overloaded)),
            (Verdict::Committed, None) | (Verdict::Unknown, _) => Ok(Err(WriteError::Unknown)),
        };
        // The caller may have gone; what is committed stays committed.
        let _ = self.reply.send(answer);
    }
}

/// Turns what arrived into the caller's result; a panic goes on where the command came from.
pub(crate) fn unwrap_reply<T, E>(reply: Option<Reply<T, E>>) -> Result<T, WriteError<E>> {
    match reply {
        Some(Ok(result)) => result,
        Some(Err(panic)) => resume_unwind(panic),
        None => Err(WriteError::Unknown),
    }
}
