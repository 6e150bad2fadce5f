//! Why a command does not go on.
//!
//! Two questions decide what becomes of a refusal: is what the command did undone (then it travels as the transaction's
//! error), or does it stay, because the refusal itself is worth remembering (a counted failure, a revoked session)? The latter
//! travels as a [`Denial`] inside a successful transaction. What of it changed something has its audit row already; a mere
//! refusal, such as a wrong password, is left to the spool.

use link::Refusal;
use protocol::{ErrorCode, UserId};
use runtime::store::{ReadError, WriteError};

/// Ends a transaction and undoes it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    /// The command is refused.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The store said no.
    #[error("{0}")]
    Sql(#[from] rusqlite::Error),
    /// Something that must not be: it is logged, the client learns only that.
    #[error("{0}")]
    Fault(String),
}

/// A refusal on its way out of the service.
#[derive(Debug)]
pub(crate) struct Denial {
    /// What the client is told.
    pub(crate) refusal: Refusal,
    /// Whether the audit trail has it already.
    pub(crate) audited: bool,
    /// Whose account it is about, if that is known.
    pub(crate) user: Option<UserId>,
    /// Whether the browser's refresh cookie is worth nothing any more.
    pub(crate) clear_cookie: bool,
}

/// What a transaction that was committed says: yes, or a no that stays.
pub(crate) type Verdict<T> = Result<T, Denial>;

impl Denial {
    /// A refusal that was audited in the transaction that decided it.
    pub(crate) fn audited(refusal: Refusal) -> Self {
        Self { audited: true, ..Self::from(refusal) }
    }

    /// A refusal about this account.
    pub(crate) fn about(user: Option<UserId>, refusal: Refusal) -> Self {
        Self { user, ..Self::from(refusal) }
    }

    /// The same, and the browser forgets its cookie.
    pub(crate) fn clearing_cookie(mut self) -> Self {
        self.clear_cookie = true;
        self
    }
}

impl From<Refusal> for Denial {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, audited: false, user: None, clear_cookie: false }
    }
}

impl Stop {
    fn into_refusal(self) -> Refusal {
        match self {
            Self::Refused(refusal) => refusal,
            Self::Sql(rusqlite::Error::SqliteFailure(error, _))
                if matches!(error.code, rusqlite::ErrorCode::DiskFull | rusqlite::ErrorCode::SystemIoFailure) =>
            {
                tracing::error!(%error, "the store can't be written");
                Refusal::of(ErrorCode::Unavailable)
            }
            fault => {
                tracing::error!(error = %fault, "a command failed");
                Refusal::of(ErrorCode::Internal)
            }
        }
    }
}

/// What a client is told of a write that was not acknowledged.
pub(crate) fn of_write(error: WriteError<Stop>) -> Refusal {
    match error.code() {
        Some(code) => Refusal::of(code),
        None => match error.refusal() {
            Some(stop) => stop.into_refusal(),
            None => Refusal::of(ErrorCode::Internal),
        },
    }
}

/// What a client is told of a read that has no answer.
pub(crate) fn of_read(error: ReadError<Stop>) -> Refusal {
    match error.code() {
        Some(code) => Refusal::of(code),
        None => match error.failure() {
            Some(stop) => stop.into_refusal(),
            None => Refusal::of(ErrorCode::Internal),
        },
    }
}
