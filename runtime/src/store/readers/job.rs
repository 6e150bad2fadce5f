//! A read on its way to a reader and back, with its types erased in between.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::store::ReadError;

pub(super) type Reply<T, E> = Result<Result<T, ReadError<E>>, Box<dyn Any + Send>>;

pub(super) trait Job: Send {
    fn label(&self) -> &'static str;
    fn deadline(&self) -> Instant;
    /// Runs on a connection and answers; the code tells whether SQLite failed.
    fn run(self: Box<Self>, connection: &Connection) -> i32;
    fn time_out(self: Box<Self>);
    fn close(self: Box<Self>);
}

pub(super) struct Typed<T, E, F> {
    pub(super) label: &'static str,
    pub(super) deadline: Instant,
    pub(super) work: F,
    pub(super) reply: oneshot::Sender<Reply<T, E>>,
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

/// Turns what arrived into the caller's result; a panic goes on where the read came from.
pub(super) fn unwrap_reply<T, E>(reply: Option<Reply<T, E>>) -> Result<T, ReadError<E>> {
    match reply {
        Some(Ok(result)) => result,
        Some(Err(panic)) => resume_unwind(panic),
        None => Err(ReadError::Closed),
    }
}
