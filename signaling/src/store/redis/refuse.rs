//! From what Redis answers to what the trait does.

use protocol::ErrorCode;
use runtime::redis::Failure;

use super::StoreError;

/// What a server says that can't serve now, and would do nothing wrong if it could.
const UNFIT: [&str; 6] = ["READONLY", "LOADING", "MASTERDOWN", "NOAUTH", "OOM", "MISCONF"];

/// A question has no answer: nothing was to be changed.
pub(super) fn of_read(failure: Failure) -> StoreError {
    of(failure, ErrorCode::Timeout)
}

/// A change has no answer: it may have been made.
pub(super) fn of_write(failure: Failure) -> StoreError {
    of(failure, ErrorCode::OutcomeUnknown)
}

fn of(failure: Failure, lost: ErrorCode) -> StoreError {
    let code = match &failure {
        Failure::Gone => ErrorCode::Unavailable,
        Failure::Lost(_) => lost,
        Failure::Refused(why) if UNFIT.iter().any(|code| why.contains(code)) => ErrorCode::Unavailable,
        Failure::Refused(_) => ErrorCode::Internal,
    };
    StoreError { code, cause: failure.to_string() }
}

/// What stands in Redis is not what was written there.
pub(super) fn unreadable(what: &str) -> StoreError {
    StoreError { code: ErrorCode::Internal, cause: format!("{what} in Redis can't be read") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_says_whether_it_may_have_been_done() {
        let lost = || Failure::Lost("late".to_owned());
        assert_eq!(of_write(lost()).code, ErrorCode::OutcomeUnknown);
        assert_eq!(of_read(lost()).code, ErrorCode::Timeout);
        assert_eq!([of_read(Failure::Gone).code, of_write(Failure::Gone).code], [ErrorCode::Unavailable; 2]);
        let refused = |why: &str| of_write(Failure::Refused(why.to_owned())).code;
        assert_eq!(refused("OOM: command not allowed"), ErrorCode::Unavailable);
        assert_eq!(refused("CALLS: a version grows"), ErrorCode::Internal);
    }
}
