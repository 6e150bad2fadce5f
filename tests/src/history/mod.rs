//! The history checker: what clients did and saw, against the one log that the store was left with.
//!
//! A run is recorded from outside, by clients ([`Recorder`]): each operation with the times of its call and its answer, each
//! event in the order in which the app was handed it, each read with its answer. Afterwards the final log of every conversation
//! is read, and [`check`] holds everything against it. There is one truth, the log, so nothing has to be searched for: every
//! check is a look-up, and hundreds of thousands of operations take seconds.
//!
//! What is checked:
//! - **The log itself** ([`log`]): gapless numbers, one entry for a client id, running numbers, and that every entry was legal
//!   against the state folded from the entries before it (roles, bans, last owners, edits of deleted messages).
//! - **Operations** ([`operations`]): what was acknowledged is there, once, as it was asked for; what was refused is not; what is
//!   unknown is there at most once; an entry that nobody asked for is a forgery; who asked later stands later.
//! - **What was delivered** ([`delivered`]): each client's view of a stream is the log, in order, nothing twice, nothing left out but
//!   what it may not see, and to the end where the client was in step.
//! - **What was read** ([`reads`]): no answer is older than what was acknowledged or seen before it was asked for; it is exactly
//!   the state at the head that it names; markers never go back and pass nothing of others that nobody marked as read; unread is
//!   right.
//!
//! Text is kept as a hash: a checker needs to know whether two texts are the same, not what they say.

mod content;
mod delivered;
mod fact;
mod log;
mod operations;
mod order;
mod reads;
mod recorder;
mod rules;
mod state;
#[cfg(test)]
mod tests;
mod tracked;
mod violation;

use std::collections::{BTreeMap, HashSet};

use protocol::{ConversationId, UserId};

pub use content::{Content, LogEntry, MessageState, TextHash};
pub use fact::{
    Device, Fact, ListFact, MarkAsked, MarkerFact, Operation, Outcome, PageFact, Seen, SummaryFact, Time, Verb,
};
pub use recorder::{Recorded, Recorder};
pub use tracked::{Hearing, Tracked, read_logs};
pub use violation::{Stats, Violation, ViolationKind};

use log::Log;
use order::Order;

/// At most this many violations are told: the first ones are what one reads.
const VIOLATIONS_MAX: usize = 100;

/// Everything that is known of a run.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// What each device did and saw, in its own order.
    pub devices: Vec<Device>,
    /// The final log of every conversation, from its first entry on.
    pub logs: BTreeMap<ConversationId, Vec<LogEntry>>,
    /// Who may delete messages everywhere.
    pub moderators: HashSet<UserId>,
    /// Entries by these users need no recorded operation: what was set up before the run, or by other means.
    pub unrecorded: HashSet<UserId>,
    /// Whether the store was replaced or rolled back during the run, so that devices may be told to begin anew.
    pub restored: bool,
}

/// How many violations a failing test shows.
const VIOLATIONS_SHOWN: usize = 20;

/// The same as [`check`], for a test that can only go on when all is right.
///
/// # Panics
/// When something is not as it must be.
pub fn must_be_right(history: &History) -> Stats {
    check(history).unwrap_or_else(|violations| {
        let words: Vec<String> = violations.iter().take(VIOLATIONS_SHOWN).map(ToString::to_string).collect();
        panic!("{} violations, the first:\n{}", violations.len(), words.join("\n"));
    })
}

/// Holds everything that was recorded against the logs.
///
/// # Errors
/// What is not as it must be, at most 100 of it.
pub fn check(history: &History) -> Result<Stats, Vec<Violation>> {
    let mut violations = Vec::new();
    let mut logs = BTreeMap::new();
    for (conversation, entries) in &history.logs {
        logs.insert(*conversation, Log::build(*conversation, entries, history, &mut violations));
    }
    let order = Order::of(history);
    operations::check(history, &mut logs, &order, &mut violations);
    delivered::check(history, &mut logs, &mut violations);
    reads::check(history, &mut logs, &order, &mut violations);
    violations.truncate(VIOLATIONS_MAX);
    if violations.is_empty() { Ok(Stats::of(history)) } else { Err(violations) }
}
