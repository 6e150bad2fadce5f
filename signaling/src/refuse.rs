//! How a command ends without having been done.

use link::Refusal;
use protocol::ErrorCode;

use crate::store::StoreError;

/// What does not exist, and what one may not see: both answer exactly this.
pub(crate) fn not_found() -> Refusal {
    Refusal::of(ErrorCode::NotFound)
}

/// The body is of the right form, but a value in it is not allowed.
pub(crate) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, message)
}

/// A fault of ours.
pub(crate) fn internal(error: &dyn std::error::Error) -> Refusal {
    tracing::error!(%error, "a body can't be written");
    Refusal::of(ErrorCode::Internal)
}

/// The machine said no.
pub(crate) fn of_machine(code: ErrorCode) -> Refusal {
    let refusal = Refusal::of(code);
    if code == ErrorCode::CallFull { refusal.after(5_000) } else { refusal }
}

/// The store could not answer.
pub(crate) fn of_store(error: StoreError) -> Refusal {
    if error.code == ErrorCode::Internal {
        tracing::error!(cause = %error.cause, "the store failed");
    }
    Refusal::of(error.code)
}
