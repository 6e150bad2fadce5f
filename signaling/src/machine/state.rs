//! The value: a call with everyone in it, as it stands in the store.

use std::collections::BTreeMap;

use protocol::calls::{CallFailure, CallKind, CallStatus, Media, ParticipantStatus};
use protocol::limits::{CALL_PARTICIPANTS_MAX, CALL_RING_MEMBERS_MAX};
use protocol::{CallId, ClientId, ConnectionId, ConversationId, ErrorCode, Millis, SessionId, UserId};
use serde::{Deserialize, Serialize};

/// The most people that one call remembers: who is in it, was, waits or was called.
pub(super) const PARTS_MAX: usize = 128;
const _: () = assert!(CALL_RING_MEMBERS_MAX + CALL_PARTICIPANTS_MAX < PARTS_MAX);

/// A call at one version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CallState {
    /// Its id.
    pub id: CallId,
    /// `max(previous + 1, milliseconds)`.
    pub version: u64,
    /// Where it belongs.
    pub conversation: ConversationId,
    /// Between two people: it is over when one leaves.
    pub direct: bool,
    /// What it began with.
    pub kind: CallKind,
    /// Where it is in its life.
    pub status: CallStatus,
    /// Failed: why.
    pub failure: Option<CallFailure>,
    /// Who started it.
    pub by: UserId,
    /// The id under which they did.
    pub client_id: ClientId,
    /// Who admits, mutes and removes.
    pub host: UserId,
    /// When it was started.
    pub created_at: Millis,
    /// Until when those who were called at the start ring.
    pub ring_until: Millis,
    /// When the first of them came in.
    pub answered_at: Option<Millis>,
    /// When it was over.
    pub ended_at: Option<Millis>,
    /// Since when there is but one in it.
    pub alone_since: Option<Millis>,
    /// Legs are awaited that a restart has cut off.
    pub recovering: bool,
    /// What the server was configured for when it was started.
    pub rules: Rules,
    /// Everyone who is in it, was in it, or was called.
    pub parts: BTreeMap<UserId, Part>,
}

/// The times and limits of one call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rules {
    /// How many may be in it.
    pub participants_max: u32,
    /// Who joins by themselves waits for the host.
    pub waiting_room: bool,
    /// For how long a device rings, in milliseconds.
    pub ring_ms: Millis,
    /// For how long the place of someone whose socket dropped is kept, in milliseconds.
    pub reconnect_ms: Millis,
    /// For how long someone may be the only one, in milliseconds.
    pub alone_ms: Millis,
}

/// Someone's part in a call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Part {
    /// Where they are.
    pub status: ParticipantStatus,
    /// Joined or reconnecting: the device that holds their place. Waiting: the device that waits.
    pub leg: Option<Leg>,
    /// When they first came in.
    pub joined_at: Option<Millis>,
    /// Called or reconnecting: until when.
    pub until: Option<Millis>,
    /// What they send.
    pub media: Media,
    /// The host muted them.
    pub muted: bool,
    /// The host let them in, or they were called: they need not wait.
    pub admitted: bool,
    /// The last epoch that they held; a device that shows a lower one was taken over.
    pub last_epoch: u64,
}

/// A device in the call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Leg {
    /// Its fencing number: the version that made it.
    pub epoch: u64,
    /// Whose login.
    pub session: SessionId,
    /// By which connection it is reached.
    pub connection: ConnectionId,
}

impl Part {
    /// Someone of whom nothing is known yet.
    #[must_use]
    pub(super) fn new(status: ParticipantStatus) -> Self {
        Self {
            status,
            leg: None,
            joined_at: None,
            until: None,
            media: Media::default(),
            muted: false,
            admitted: false,
            last_epoch: 0,
        }
    }

    /// Goes on to a status in which nobody holds a place.
    pub(super) fn go(&mut self, status: ParticipantStatus) {
        self.status = status;
        self.leg = None;
        self.until = None;
        self.media = Media::default();
        self.muted = false;
        self.admitted = false;
    }
}

impl CallState {
    /// How many hold a place.
    #[must_use]
    pub fn count_in(&self) -> usize {
        self.parts.values().filter(|part| part.status.is_in()).count()
    }

    /// Whether anyone's devices ring.
    #[must_use]
    pub fn calls_someone(&self) -> bool {
        self.parts.values().any(|part| part.status.is_called())
    }

    /// The leg by which a device speaks.
    ///
    /// # Errors
    /// `call_over`, `call_taken_over` by another device of the user, `call_expired` where their place was not kept any longer,
    /// `not_in_call` for anyone else.
    pub fn leg(&self, user: UserId, epoch: u64) -> Result<&Leg, ErrorCode> {
        if self.status.is_over() {
            return Err(ErrorCode::CallOver);
        }
        let part = self.parts.get(&user).ok_or(ErrorCode::NotInCall)?;
        match &part.leg {
            Some(leg) if leg.epoch == epoch && part.status.is_in() => Ok(leg),
            _ => Err(part.lost(epoch)),
        }
    }
}

impl Part {
    /// Why a leg that is not the present one can't speak.
    pub(super) fn lost(&self, epoch: u64) -> ErrorCode {
        match self.status {
            ParticipantStatus::Left if epoch == self.last_epoch && epoch > 0 => ErrorCode::CallExpired,
            _ if epoch > 0 && epoch < self.last_epoch => ErrorCode::CallTakenOver,
            _ => ErrorCode::NotInCall,
        }
    }
}
