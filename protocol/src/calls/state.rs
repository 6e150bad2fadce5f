//! What a call is at one version.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::ids::{CallId, ConversationId, UserId};

/// What a call begins with; everyone may turn a camera on later.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// Sound.
    Audio,
    /// Sound and picture.
    Video,
}

/// Where a call is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallStatus {
    /// It was started; no device has said yet that it rings.
    Initiated,
    /// At least one device rings.
    Ringing,
    /// Somebody answered.
    Active,
    /// It was answered and is over.
    Ended,
    /// Nobody answered in time.
    Missed,
    /// Everyone who was called said no.
    Declined,
    /// Everyone who was called is in another call.
    Busy,
    /// The caller hung up before anyone answered.
    Cancelled,
    /// It broke; `failure` says how.
    Failed,
}

/// Why a call failed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallFailure {
    /// Nobody who was in it came back in time.
    ConnectionLost,
    /// The people in it may not be in it any more.
    Revoked,
    /// It lasted for a day, the longest that a call may.
    Expired,
}

/// What someone sends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// The microphone is on.
    #[serde(default)]
    pub audio: bool,
    /// The camera is on.
    #[serde(default)]
    pub video: bool,
    /// The screen is shared.
    #[serde(default)]
    pub screen: bool,
    /// The hand is raised.
    #[serde(default)]
    pub hand: bool,
}

/// Where a participant is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParticipantStatus {
    /// Called; no device of theirs has said yet that it rings. Or admitted, and expected to join.
    Invited,
    /// A device of theirs rings.
    Ringing,
    /// In the waiting room.
    Waiting,
    /// In the call.
    Joined,
    /// In the call; their socket dropped, and their place is kept until `until`.
    Reconnecting,
    /// Was in the call, and left or did not come back.
    Left,
    /// Said no.
    Declined,
    /// Is in another call.
    Busy,
    /// Did not answer in time.
    Missed,
    /// Removed by the host, or no member of the conversation any more. They join again only when the host admits them.
    Removed,
}

/// Someone in a call, or called to it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Participant {
    /// Who.
    pub user: UserId,
    /// Where they are.
    pub status: ParticipantStatus,
    /// Joined or reconnecting: their leg. It grows with every device that takes over; a device whose own leg is lower is out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// When they came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_at: Option<Millis>,
    /// Reconnecting: until when their place is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
    /// What they send.
    pub media: Media,
    /// The host muted their microphone; they may turn it on again.
    #[serde(default)]
    pub muted: bool,
}

/// A call, whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Call {
    /// Its id.
    pub id: CallId,
    /// Grows with every change.
    pub version: u64,
    /// Where it belongs: only its members are called and may join.
    pub conversation: ConversationId,
    /// What it began with.
    pub kind: CallKind,
    /// Where it is.
    pub status: CallStatus,
    /// Failed: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<CallFailure>,
    /// Who started it.
    pub by: UserId,
    /// Who admits, mutes and removes.
    pub host: UserId,
    /// When it was started.
    pub created_at: Millis,
    /// Until when devices ring.
    pub ring_until: Millis,
    /// When the first of those who were called came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Millis>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Millis>,
    /// How many may be in it.
    pub limit: u32,
    /// Who joins by themselves waits for the host.
    #[serde(default)]
    pub waiting_room: bool,
    /// The process that served it has ended, and not everyone in it is back yet.
    #[serde(default)]
    pub recovering: bool,
    /// Everyone who is in it, was in it, or was called.
    pub participants: Vec<Participant>,
}

impl CallStatus {
    /// Whether nothing follows.
    #[must_use]
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Initiated | Self::Ringing | Self::Active)
    }

    /// The word in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Initiated => "initiated",
            Self::Ringing => "ringing",
            Self::Active => "active",
            Self::Ended => "ended",
            Self::Missed => "missed",
            Self::Declined => "declined",
            Self::Busy => "busy",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }
}

impl CallFailure {
    /// The word in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionLost => "connection_lost",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

impl CallKind {
    /// The word in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }
}

impl ParticipantStatus {
    /// Whether they hold a place in the call.
    #[must_use]
    pub const fn is_in(self) -> bool {
        matches!(self, Self::Joined | Self::Reconnecting)
    }

    /// Whether their devices ring.
    #[must_use]
    pub const fn is_called(self) -> bool {
        matches!(self, Self::Invited | Self::Ringing)
    }
}

impl Call {
    /// Someone's part in it.
    #[must_use]
    pub fn participant(&self, user: UserId) -> Option<&Participant> {
        self.participants.iter().find(|participant| participant.user == user)
    }
}
