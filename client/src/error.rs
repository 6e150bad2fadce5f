//! Why a command on the socket has no answer of its own.

use protocol::{ErrorBody, ErrorCode};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It was refused, by the server or by the client itself.
    #[error("{}: {}", error.code.as_str(), error.message)]
    Refused {
        /// Why.
        error: ErrorBody,
        /// Whether it may have been done all the same: an earlier transmission went unanswered.
        uncertain: bool,
    },
    /// The answer is not of the expected form.
    #[error("the answer is not of the expected form")]
    Unreadable(#[source] serde_json::Error),
    /// The body can't be written as JSON.
    #[error("the body is not JSON")]
    Body(#[source] serde_json::Error),
    /// The client has stopped.
    #[error("the client has stopped; the outcome of what it had not answered is unknown")]
    Stopped,
}

impl CommandError {
    /// The code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused { error, .. } => Some(error.code),
            Self::Unreadable(_) | Self::Body(_) | Self::Stopped => None,
        }
    }

    /// Whether the command may have been done all the same.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        match self {
            Self::Refused { uncertain, .. } => *uncertain,
            Self::Body(_) => false,
            Self::Unreadable(_) | Self::Stopped => true,
        }
    }
}
