//! A call as devices are told of it.

use protocol::UserId;
use protocol::calls::{Call, Participant};

use super::CallState;

impl CallState {
    /// The register's value.
    #[must_use]
    pub fn view(&self) -> Call {
        Call {
            id: self.id,
            version: self.version,
            conversation: self.conversation,
            kind: self.kind,
            status: self.status,
            failure: self.failure,
            by: self.by,
            host: self.host,
            created_at: self.created_at,
            ring_until: self.ring_until,
            answered_at: self.answered_at,
            ended_at: self.ended_at,
            limit: self.rules.participants_max,
            waiting_room: self.rules.waiting_room,
            recovering: self.recovering,
            participants: self
                .parts
                .iter()
                .map(|(user, part)| Participant {
                    user: *user,
                    status: part.status,
                    epoch: part.leg.filter(|_| part.status.is_in()).map(|leg| leg.epoch),
                    joined_at: part.joined_at,
                    until: part.until,
                    media: part.media,
                    muted: part.muted,
                })
                .collect(),
        }
    }

    /// Everyone whose devices are told.
    pub fn audience(&self) -> impl Iterator<Item = UserId> {
        self.parts.keys().copied()
    }
}
