//! What is not as it must be, and what was looked at.

use std::fmt;

use super::History;
use super::fact::Fact;

/// One fault. The kind is what a test asks for, the words are for whoever looks for the cause.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// What kind of fault.
    pub kind: ViolationKind,
    /// Where, and what was expected.
    pub words: String,
}

/// The kinds of fault.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ViolationKind {
    /// The log has a hole or another order than its numbers.
    Numbering,
    /// An entry that the state before it forbids.
    Illegal,
    /// One client id, or one entry, twice.
    Double,
    /// What was acknowledged, or must have been delivered, is not there.
    Loss,
    /// What was refused is there.
    DoneThoughRefused,
    /// An entry that nobody asked for.
    Forged,
    /// Later asked for, earlier in the log; or delivered out of order.
    Reorder,
    /// Another content or tag at the same place.
    Differs,
    /// An answer older than what was known before it was asked for.
    Stale,
    /// Something that the reader may not see.
    Leak,
    /// Something withheld that the reader may see.
    WronglyWithheld,
    /// A wrong unread count, running number or marker.
    Unread,
    /// A marker that went back.
    MarkerBack,
    /// A page, a conversation or a list that is not the state at its head.
    WrongRead,
    /// A refusal without a reason in the log.
    WronglyRefused,
    /// A stream was declared void though the log is the same.
    Reset,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.words)
    }
}

/// Says that something is wrong.
pub(crate) fn wrong(violations: &mut Vec<Violation>, kind: ViolationKind, words: impl FnOnce() -> String) {
    if violations.len() < super::VIOLATIONS_MAX {
        violations.push(Violation { kind, words: words() });
    }
}

/// How much was looked at: a checker that saw nothing is not content.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Entries in the logs.
    pub entries: usize,
    /// Operations.
    pub operations: usize,
    /// Operations that were acknowledged.
    pub acknowledged: usize,
    /// Operations whose outcome stayed unknown.
    pub unknown: usize,
    /// Things that devices were told.
    pub heard: usize,
    /// Pages, conversations, lists and markers that were read.
    pub reads: usize,
}

impl Stats {
    pub(crate) fn of(history: &History) -> Self {
        use super::fact::Outcome;
        let mut stats = Self { entries: history.logs.values().map(Vec::len).sum(), ..Self::default() };
        for fact in history.devices.iter().flat_map(|device| &device.facts) {
            match fact {
                Fact::Did(operation) => {
                    stats.operations += 1;
                    match operation.outcome {
                        Outcome::Done(_) => stats.acknowledged += 1,
                        Outcome::Unknown => stats.unknown += 1,
                        Outcome::Refused(_) => {}
                    }
                }
                Fact::Heard { .. } => stats.heard += 1,
                Fact::Marks(_) => {}
                Fact::Page(_) | Fact::Summary(_) | Fact::List(_) | Fact::Marker(_) => stats.reads += 1,
            }
        }
        stats
    }
}
