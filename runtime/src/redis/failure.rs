//! Why Redis did not do what it was asked, and whether it may have done it all the same.

use redis::RedisError;

/// Why a command has no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// Redis is not there; the command was not sent.
    #[error("Redis can't be reached")]
    Gone,
    /// The command was sent and not answered: it may have been done.
    #[error("Redis did not answer: {0}")]
    Lost(String),
    /// Redis refused it, and has done nothing.
    #[error("Redis refused: {0}")]
    Refused(String),
}

impl Failure {
    /// As the metric's label.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Lost(_) => "lost",
            Self::Refused(_) => "refused",
        }
    }
}

/// What an error of the library means.
pub(super) fn of(error: &RedisError) -> Failure {
    match error.is_io_error() || error.is_connection_dropped() || error.is_unrecoverable_error() {
        true => Failure::Lost(error.to_string()),
        false => Failure::Refused(error.to_string()),
    }
}

/// Whether it is the server itself that can't serve: a replica, one that loads its data, one that is out of memory. Another connection may find a better one.
pub(super) fn is_unfit(error: &RedisError) -> bool {
    matches!(error.code(), Some("READONLY" | "LOADING" | "MASTERDOWN" | "NOAUTH" | "OOM" | "MISCONF"))
}
