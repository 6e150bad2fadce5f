//! The checker is checked: what is clean is accepted, and every planted fault is found.

mod markers;
mod model;
mod planted;
mod random;

use super::{History, ViolationKind, check};

/// The history is accepted.
fn accepted(history: &History) -> super::Stats {
    match check(history) {
        Ok(stats) => stats,
        Err(violations) => {
            let words: Vec<_> = violations.iter().take(5).map(ToString::to_string).collect();
            panic!("{} violations, first:\n{}", violations.len(), words.join("\n"));
        }
    }
}

/// The history is refused, for this reason among others.
fn refused(history: &History, kind: ViolationKind) {
    let violations = check(history).expect_err("the fault was not found");
    let kinds: Vec<_> = violations.iter().map(|violation| violation.kind).collect();
    assert!(kinds.contains(&kind), "{kind:?} is not among {violations:?}");
}
