//! Coming in: ringing, answering, joining, taking over, coming back; and what a leg sends.

use protocol::calls::{CallStatus, Media, ParticipantStatus};
use protocol::{ErrorCode, UserId};

use super::state::PARTS_MAX;
use super::{Device, Leg, Machine, Output, Part, Step};

impl Machine {
    pub(super) fn ring(&mut self, user: UserId) -> Result<(), ErrorCode> {
        let part = self.call.parts.get_mut(&user).ok_or(ErrorCode::NotInCall)?;
        // A device that says so late says nothing wrong.
        if part.status != ParticipantStatus::Invited {
            return Ok(());
        }
        part.status = ParticipantStatus::Ringing;
        self.step(Step::Ringing(user));
        if self.call.status == CallStatus::Initiated {
            self.call.status = CallStatus::Ringing;
        }
        Ok(())
    }

    /// A device comes in with a new leg.
    pub(super) fn join(&mut self, user: UserId, device: Device, media: Media) -> Result<(), ErrorCode> {
        let room = self.call.count_in() < self.call.rules.participants_max as usize;
        let crowded = self.call.parts.len() >= PARTS_MAX;
        let waits = self.call.rules.waiting_room && user != self.call.host;
        let epoch = self.next;
        let part = match self.call.parts.get_mut(&user) {
            Some(part) => part,
            None if crowded => return Err(ErrorCode::CallFull),
            None => self.call.parts.entry(user).or_insert_with(|| Part::new(ParticipantStatus::Left)),
        };
        let was = part.status;
        let leg = Leg { epoch, session: device.session, connection: device.connection };
        let out = matches!(was, ParticipantStatus::Removed | ParticipantStatus::Waiting);
        if !was.is_in() && !part.admitted && (waits || out) {
            part.go(ParticipantStatus::Waiting);
            part.leg = Some(leg);
            self.step(Step::Waiting(user));
            return Ok(());
        }
        if !was.is_in() && !room {
            return Err(ErrorCode::CallFull);
        }
        part.status = ParticipantStatus::Joined;
        part.until = None;
        part.media = media;
        part.muted = false;
        part.admitted = true;
        part.joined_at = part.joined_at.or(Some(self.now));
        part.last_epoch = epoch;
        part.leg = Some(leg);
        self.outcome.epoch = Some(epoch);
        self.step(if was.is_in() { Step::TakenOver(user) } else { Step::Joined(user) });
        if was.is_called() {
            self.outcome.outputs.push(Output::Cancel { users: vec![user] });
        }
        if user != self.call.by {
            self.answered(user);
        }
        Ok(())
    }

    fn answered(&mut self, user: UserId) {
        if self.call.answered_at.is_none() {
            self.call.answered_at = Some(self.now);
            self.call.status = CallStatus::Active;
            self.step(Step::Answered(user));
        }
    }

    /// A device comes back to the leg that it had.
    pub(super) fn come_back(
        &mut self,
        user: UserId,
        device: Device,
        epoch: u64,
        media: Media,
    ) -> Result<(), ErrorCode> {
        self.call.leg(user, epoch)?;
        let part = self.call.parts.get_mut(&user).ok_or(ErrorCode::NotInCall)?;
        let was = part.status;
        part.status = ParticipantStatus::Joined;
        part.until = None;
        part.media = media;
        part.leg = Some(Leg { epoch, session: device.session, connection: device.connection });
        self.outcome.epoch = Some(epoch);
        if was == ParticipantStatus::Reconnecting {
            self.step(Step::Reconnected(user));
        }
        Ok(())
    }

    pub(super) fn set_media(&mut self, user: UserId, epoch: u64, media: Media) -> Result<(), ErrorCode> {
        self.call.leg(user, epoch)?;
        let part = self.call.parts.get_mut(&user).ok_or(ErrorCode::NotInCall)?;
        part.media = media;
        part.muted &= !media.audio;
        Ok(())
    }
}
