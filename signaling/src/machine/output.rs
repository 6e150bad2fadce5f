//! What follows from a change.

use protocol::UserId;
use protocol::calls::{CallRecord, CallStatus};
use serde::{Deserialize, Serialize};

/// Something that is committed together with the version that caused it, and performed afterwards, at least once.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Output {
    /// These people's devices are to ring.
    Ring {
        /// Who is called.
        users: Vec<UserId>,
    },
    /// These people's devices are to stop ringing.
    Cancel {
        /// Who was called.
        users: Vec<UserId>,
    },
    /// These people have missed the call.
    Missed {
        /// Who was called.
        users: Vec<UserId>,
    },
    /// The call is over: its record goes into the conversation's log and the history.
    Record {
        /// The record.
        record: CallRecord,
    },
}

/// Something that was done, for logs and metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// A device rings.
    Ringing(UserId),
    /// The first of those who were called came in.
    Answered(UserId),
    /// Someone came in.
    Joined(UserId),
    /// Another device took someone's place over.
    TakenOver(UserId),
    /// Someone's socket dropped.
    Disconnected(UserId),
    /// They came back in time.
    Reconnected(UserId),
    /// They did not.
    GivenUp(UserId),
    /// Someone waits for the host.
    Waiting(UserId),
    /// The host let them in.
    Admitted(UserId),
    /// The host muted them.
    Muted(UserId),
    /// Someone said no.
    Declined(UserId),
    /// Someone did not answer.
    Missed(UserId),
    /// Someone left.
    Left(UserId),
    /// Someone was removed, or is no member any more.
    Removed(UserId),
    /// A login was ended, and its leg with it.
    Revoked(UserId),
    /// Someone else is host.
    HostMoved(UserId),
    /// All legs wait to be found again.
    Recovering,
    /// All were found or given up.
    Recovered,
    /// It is over.
    Over(CallStatus),
}

/// Something that everyone in the call is told once, and that is worth nothing later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice {
    /// `call.recovering`.
    Recovering,
    /// `call.recovered`.
    Recovered,
}

/// What follows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// To be committed with the version.
    pub outputs: Vec<Output>,
    /// For logs and metrics.
    pub steps: Vec<Step>,
    /// To be told.
    pub notices: Vec<Notice>,
    /// The leg that a join made or found; none in the waiting room.
    pub epoch: Option<u64>,
}

impl Step {
    /// Its name in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ringing(_) => "ringing",
            Self::Answered(_) => "answered",
            Self::Joined(_) => "joined",
            Self::TakenOver(_) => "taken_over",
            Self::Disconnected(_) => "disconnected",
            Self::Reconnected(_) => "reconnected",
            Self::GivenUp(_) => "given_up",
            Self::Waiting(_) => "waiting",
            Self::Admitted(_) => "admitted",
            Self::Muted(_) => "muted",
            Self::Declined(_) => "declined",
            Self::Missed(_) => "missed",
            Self::Left(_) => "left",
            Self::Removed(_) => "removed",
            Self::Revoked(_) => "revoked",
            Self::HostMoved(_) => "host_moved",
            Self::Recovering => "recovering",
            Self::Recovered => "recovered",
            Self::Over(_) => "over",
        }
    }

    /// Whom it is about.
    #[must_use]
    pub const fn user(self) -> Option<UserId> {
        match self {
            Self::Ringing(user)
            | Self::Answered(user)
            | Self::Joined(user)
            | Self::TakenOver(user)
            | Self::Disconnected(user)
            | Self::Reconnected(user)
            | Self::GivenUp(user)
            | Self::Waiting(user)
            | Self::Admitted(user)
            | Self::Muted(user)
            | Self::Declined(user)
            | Self::Missed(user)
            | Self::Left(user)
            | Self::Removed(user)
            | Self::Revoked(user)
            | Self::HostMoved(user) => Some(user),
            Self::Recovering | Self::Recovered | Self::Over(_) => None,
        }
    }
}
