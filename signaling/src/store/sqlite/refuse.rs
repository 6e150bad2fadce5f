//! From what the store's threads answer to what the trait does.

use protocol::ErrorCode;
use runtime::store::{ReadError, WriteError};

use super::StoreError;

pub(super) fn of_write(error: WriteError<rusqlite::Error>) -> StoreError {
    // What SQLite itself refused is a fault of ours, or of the disk.
    StoreError { code: error.code().unwrap_or(ErrorCode::Internal), cause: error.to_string() }
}

pub(super) fn of_read(error: ReadError<rusqlite::Error>) -> StoreError {
    StoreError { code: error.code().unwrap_or(ErrorCode::Internal), cause: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_says_whether_it_may_have_been_done() {
        let write = |error| of_write(error).code;
        assert_eq!(write(WriteError::Unknown), ErrorCode::OutcomeUnknown);
        assert_eq!(write(WriteError::Overloaded), ErrorCode::Overloaded);
        assert_eq!([write(WriteError::Closed), write(WriteError::Full)], [ErrorCode::Unavailable; 2]);
        assert_eq!(write(WriteError::Refused(rusqlite::Error::InvalidQuery)), ErrorCode::Internal);
        assert_eq!(of_read(ReadError::Timeout).code, ErrorCode::Timeout);
        assert_eq!(of_read(ReadError::Failed(rusqlite::Error::InvalidQuery)).code, ErrorCode::Internal);
    }
}
