//! What can go wrong, one small enum per operation; each variant says whether anything was done.

use std::path::PathBuf;

use protocol::ErrorCode;

/// Why a store did not open. Nothing was changed unless the message says so.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file is not one of ours.
    #[error(
        "{path} is not a SecureConnect store ({found}); it was left untouched. Move it away or configure another data directory"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        found: String,
    },
    /// The file belongs to another service.
    #[error("{path} is the store of {owner}, not of {wanted}; it was left untouched")]
    OtherService {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: &'static str,
        /// Who tried to open it.
        wanted: &'static str,
    },
    /// The file was written by a newer build.
    #[error(
        "{path} has schema version {found}, this build knows up to {known}; it was left untouched. Run the newer build, or its `migrate` command down to {known} first"
    )]
    NewerSchema {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The newest version of this build.
        known: u32,
    },
    /// The build's own list of migrations is wrong.
    #[error("migration list: {0}")]
    Migrations(String),
    /// A migration failed and was rolled back.
    #[error("migration {version} ({name}) failed and was rolled back: {source}")]
    Migration {
        /// Its number.
        version: u32,
        /// Its name.
        name: &'static str,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The disk is full.
    #[error("no space left for {path}; nothing was damaged, free some space and start again")]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The file or its folder can't be used.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("{path}: {source}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

/// Why a write was not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<E> {
    /// The command itself said no; what it did was undone.
    #[error("{0}")]
    Refused(E),
    /// Too much waits already, or the store is being opened again: nothing was done.
    #[error("the store is overloaded; retry after a moment")]
    Overloaded,
    /// The commit failed: it may or may not be on disk. Retry with the same id.
    #[error("the outcome is unknown; retry with the same id")]
    Unknown,
    /// The store is closed or closing: nothing was done.
    #[error("the store is closed; retry after a moment")]
    Closed,
    /// The disk is full: nothing was acknowledged, and nothing is damaged.
    #[error("the disk is full; retry with the same id when there is space")]
    Full,
}

impl<E> WriteError<E> {
    /// The refusal's own error, if it was a refusal.
    pub fn refusal(self) -> Option<E> {
        match self {
            Self::Refused(error) => Some(error),
            _ => None,
        }
    }

    /// The code that a client is answered with; `None` for a refusal, which has its own.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused(_) => None,
            Self::Overloaded => Some(ErrorCode::Overloaded),
            Self::Unknown => Some(ErrorCode::OutcomeUnknown),
            Self::Closed | Self::Full => Some(ErrorCode::Unavailable),
        }
    }
}

/// Why a read has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError<E> {
    /// The query itself failed.
    #[error("{0}")]
    Failed(E),
    /// Too many reads wait already.
    #[error("too many reads wait for the store; retry after a moment")]
    Overloaded,
    /// It took longer than the read deadline.
    #[error("the read took too long; retry after a moment")]
    Timeout,
    /// The store is closed, or its file can't be opened.
    #[error("the store is closed; retry after a moment")]
    Closed,
}

impl<E> ReadError<E> {
    /// The query's own error, if it was that.
    pub fn failure(self) -> Option<E> {
        match self {
            Self::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// The code that a client is answered with; `None` for a failed query, which has its own.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Failed(_) => None,
            Self::Overloaded => Some(ErrorCode::Overloaded),
            Self::Timeout => Some(ErrorCode::Timeout),
            Self::Closed => Some(ErrorCode::Unavailable),
        }
    }
}
