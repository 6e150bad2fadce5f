//! How a command ends without having been done: refused to its client, or failed in the store.

use link::Refusal;
use protocol::ErrorCode;
use runtime::store::{ReadError, WriteError};

/// Why a command's work stopped; everything it did is undone.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The state does not allow it.
    Refused(Refusal),
    /// SQLite said no: a fault of ours, or of the disk.
    Store(rusqlite::Error),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error)
    }
}

/// A refusal with words of its own.
pub(crate) fn refuse(code: ErrorCode, message: impl Into<String>) -> Stop {
    Stop::Refused(Refusal::new(code, message))
}

/// What does not exist, and what one may not see: both answer exactly this.
pub(crate) fn not_found() -> Stop {
    Stop::Refused(Refusal::of(ErrorCode::NotFound))
}

/// The body is of the right form, but a value in it is not allowed.
pub(crate) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, message)
}

pub(crate) fn of_write(error: WriteError<Stop>) -> Refusal {
    let code = error.code();
    match (error, code) {
        (WriteError::Refused(stop), _) => of_stop(stop),
        (_, Some(code)) => Refusal::of(code),
        (_, None) => Refusal::of(ErrorCode::Internal),
    }
}

pub(crate) fn of_read(error: ReadError<Stop>) -> Refusal {
    let code = error.code();
    match (error, code) {
        (ReadError::Failed(stop), _) => of_stop(stop),
        (_, Some(code)) => Refusal::of(code),
        (_, None) => Refusal::of(ErrorCode::Internal),
    }
}

fn of_stop(stop: Stop) -> Refusal {
    match stop {
        Stop::Refused(refusal) => refusal,
        Stop::Store(error) => {
            tracing::error!(%error, "a statement failed");
            Refusal::of(ErrorCode::Internal)
        }
    }
}
