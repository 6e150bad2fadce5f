//! What is recorded of a device in calls.

use std::time::{SystemTime, UNIX_EPOCH};

use protocol::calls::Call;
use protocol::{CallId, ClientId, ConversationId, ErrorCode, UserId};

/// Microseconds of the wall's clock. A call's versions are milliseconds of the same clock: everything is on one machine.
pub type Time = u64;

/// The time.
///
/// # Panics
/// When the clock stands before 1970.
#[must_use]
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is set");
    u64::try_from(since.as_micros()).expect("a time before the year 500,000")
}

/// What one device did and was told, in its own order.
#[derive(Clone, Debug)]
pub struct Device {
    /// Whose.
    pub user: UserId,
    /// What the test calls it.
    pub name: String,
    /// In the order in which the app came to know them.
    pub facts: Vec<Fact>,
}

/// One of them.
#[derive(Clone, Debug)]
pub enum Fact {
    /// It asked for something, and was answered or gave up.
    Asked(Asked),
    /// It was told how a call stands.
    Told {
        /// When.
        at: Time,
        /// How.
        call: Box<Call>,
    },
}

/// A command on a call.
#[derive(Clone, Debug)]
pub struct Asked {
    /// When it was called.
    pub began: Time,
    /// When it was answered, or given up.
    pub ended: Time,
    /// What.
    pub verb: Verb,
    /// What came of it.
    pub outcome: Outcome,
}

/// What was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the fields are those of protocol::calls")]
pub enum Verb {
    Start { conversation: ConversationId, client_id: ClientId },
    Join { call: CallId },
    ComeBack { call: CallId, epoch: u64 },
    Decline { call: CallId },
    Leave { call: CallId, epoch: u64 },
    Signal { call: CallId, epoch: u64 },
    Get { call: CallId },
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It was done, and the call stands so. Whoever came in has this epoch.
    Stands {
        /// The call.
        call: Box<Call>,
        /// The leg.
        epoch: Option<u64>,
    },
    /// It was done.
    Done,
    /// It was refused, and certainly not done.
    Refused(ErrorCode),
    /// Nobody knows.
    Unknown,
}

impl Verb {
    /// The call that is named; one that is started has no name yet.
    #[must_use]
    pub fn call(&self) -> Option<CallId> {
        match *self {
            Self::Start { .. } => None,
            Self::Join { call }
            | Self::ComeBack { call, .. }
            | Self::Decline { call }
            | Self::Leave { call, .. }
            | Self::Signal { call, .. }
            | Self::Get { call } => Some(call),
        }
    }
}

impl Asked {
    /// The call that it was about, as far as anybody knows.
    pub(crate) fn about(&self) -> Option<CallId> {
        match &self.outcome {
            Outcome::Stands { call, .. } => Some(call.id),
            _ => self.verb.call(),
        }
    }

    /// The leg that it came into, or back to, and was acknowledged.
    pub(crate) fn came_in(&self) -> Option<u64> {
        match (&self.verb, &self.outcome) {
            (Verb::Start { .. } | Verb::Join { .. } | Verb::ComeBack { .. }, Outcome::Stands { epoch, .. }) => *epoch,
            _ => None,
        }
    }
}

impl Fact {
    /// How a call stood, if that is what was told or answered.
    pub(crate) fn state(&self) -> Option<&Call> {
        match self {
            Self::Told { call, .. } | Self::Asked(Asked { outcome: Outcome::Stands { call, .. }, .. }) => Some(call),
            Self::Asked(_) => None,
        }
    }
}
