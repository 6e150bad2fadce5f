//! What the command line tells people. Answers go to stdout, everything else to stderr, where it can't be taken for a log line.

use std::fmt::Display;
use std::io::Write;

/// An answer.
pub(crate) fn answer(text: impl Display) {
    // A reader that went away (`| head`) wants no more.
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A problem, or a word on the way.
pub(crate) fn problem(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
