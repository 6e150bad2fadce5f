//! The checker of calls: what devices did and were told, against the rules that every call keeps, whatever breaks meanwhile.
//!
//! A call is a register, so unlike a conversation it has no log to be held against. But its versions are numbered, each version is told whole, and
//! none may be told differently to two devices. So everything that was told or answered is laid out by version, and every rule is a look along
//! that line ([`states`]); what was asked is then held against it ([`asked`]), and the records that calls leave against both ([`ends`]).
//!
//! Devices are recorded by [`Line`], which is to calls what [`Tracked`](crate::history::Tracked) is to logs.
//!
//! - Versions never go back at a device, and no answer is older than what was answered before it was asked for.
//! - One version is one state. What is over stays over, as it was over. Each participant has one leg.
//! - No ghosts: who is out is in again only by a join that came later; who is in and did not leave is shown in until the time in which they
//!   might have come back is over. Who has answered or declined is not rung again.
//! - A leg that another device has taken over says nothing more; a place is kept as long as was promised.
//! - A call ends for a reason, and leaves one record in its conversation, where at most one call goes on at a time.

mod asked;
mod ends;
mod fact;
mod line;
mod states;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use protocol::calls::{Call, CallRecord};
use protocol::{CallId, ConversationId};

pub use fact::{Asked, Device, Fact, Outcome, Time, Verb, now};
pub use line::{Known, Line};

/// At most this many violations are told.
const VIOLATIONS_MAX: usize = 100;

/// Everything that is known of a run's calls.
#[derive(Clone, Debug, Default)]
pub struct CallHistory {
    /// What each device did and was told, in its own order.
    pub devices: Vec<Device>,
    /// How every call stands when all is over.
    pub finals: BTreeMap<CallId, Call>,
    /// The records in the conversations' final logs, in their order.
    pub records: BTreeMap<ConversationId, Vec<CallRecord>>,
    /// For how long a place is kept.
    pub reconnect_ms: u64,
    /// For how long a call rings.
    pub ring_ms: u64,
    /// Calls that nobody can know any more: all who held them were killed or emptied at once.
    pub lost: BTreeSet<CallId>,
}

/// One fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallViolation {
    /// What kind of fault.
    pub kind: CallViolationKind,
    /// Where, and what was expected.
    pub words: String,
}

/// The kinds of fault.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CallViolationKind {
    /// A device was told or answered an older version than one that it knew, or that was answered before it asked.
    VersionBack,
    /// One version told in two ways.
    Differs,
    /// A call that was over goes on, or is over in another way.
    Revived,
    /// Somebody is shown in who was out and has not joined since.
    Ghost,
    /// Somebody is shown out who was in, and did not leave.
    Missing,
    /// Somebody is called again who had answered or declined.
    RingsAgain,
    /// Somebody is in twice, or a leg speaks that was taken over.
    TwoLegs,
    /// A leg was refused its place in the time for which it is kept.
    WronglyRefused,
    /// A call ended without a reason.
    EndedEarly,
    /// A call goes on when nobody is in it or called any more.
    Endless,
    /// A call that is over left no record, or several, or a wrong one.
    Record,
    /// Two calls went on in one conversation at a time.
    TwoCalls,
}

/// How much was looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CallStats {
    /// Calls.
    pub calls: usize,
    /// Of them: answered.
    pub answered: usize,
    /// Versions of them that somebody was told.
    pub versions: usize,
    /// Commands.
    pub asked: usize,
    /// Legs that came back to their call.
    pub came_back: usize,
    /// Come-backs that were too late, or whose call was over.
    pub too_late: usize,
    /// Records.
    pub records: usize,
}

/// Holds everything that was recorded against the rules.
///
/// # Errors
/// What is not as it must be, at most 100 of it.
pub fn check_calls(history: &CallHistory) -> Result<CallStats, Vec<CallViolation>> {
    let mut violations = Vec::new();
    let calls = states::States::of(history, &mut violations);
    calls.check(history, &mut violations);
    asked::check(history, &mut violations);
    ends::check(history, &calls, &mut violations);
    violations.truncate(VIOLATIONS_MAX);
    if violations.is_empty() { Ok(calls.stats(history)) } else { Err(violations) }
}

fn wrong(violations: &mut Vec<CallViolation>, kind: CallViolationKind, words: impl FnOnce() -> String) {
    if violations.len() < VIOLATIONS_MAX {
        violations.push(CallViolation { kind, words: words() });
    }
}

impl fmt::Display for CallViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.words)
    }
}
