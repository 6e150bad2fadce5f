//! What the host may do, and who is host.

use protocol::calls::{CallStatus, ParticipantStatus};
use protocol::{ErrorCode, UserId};

use super::{Machine, Output, Step};

impl Machine {
    fn must_be_host(&self, user: UserId) -> Result<(), ErrorCode> {
        let part = self.call.parts.get(&user).ok_or(ErrorCode::NotInCall)?;
        if !part.status.is_in() {
            return Err(ErrorCode::NotInCall);
        }
        if user == self.call.host { Ok(()) } else { Err(ErrorCode::Forbidden) }
    }

    /// Ends it for all. Whoever is not host leaves; between two people that ends it too.
    pub(super) fn end(&mut self, by: UserId) -> Result<(), ErrorCode> {
        self.must_be_host(by)?;
        let status = if self.call.answered_at.is_some() { CallStatus::Ended } else { CallStatus::Cancelled };
        self.finish(status, None);
        Ok(())
    }

    /// Lets someone in who waits or was removed: they are called once more.
    pub(super) fn admit(&mut self, by: UserId, user: UserId) -> Result<(), ErrorCode> {
        self.must_be_host(by)?;
        let until = self.now + self.call.rules.ring_ms;
        let room = self.call.count_in() < self.call.rules.participants_max as usize;
        let part = self.call.parts.get_mut(&user).ok_or(ErrorCode::NotFound)?;
        match part.status {
            ParticipantStatus::Waiting | ParticipantStatus::Removed if !room => Err(ErrorCode::CallFull),
            ParticipantStatus::Waiting | ParticipantStatus::Removed => {
                part.go(ParticipantStatus::Invited);
                part.until = Some(until);
                part.admitted = true;
                self.outcome.outputs.push(Output::Ring { users: vec![user] });
                self.step(Step::Admitted(user));
                Ok(())
            }
            // Whom nothing keeps out needs no admission.
            _ => Ok(()),
        }
    }

    pub(super) fn mute(&mut self, by: UserId, user: UserId) -> Result<(), ErrorCode> {
        self.must_be_host(by)?;
        let part = self.call.parts.get_mut(&user).filter(|part| part.status.is_in()).ok_or(ErrorCode::NotFound)?;
        if !part.muted {
            part.media.audio = false;
            part.muted = true;
            self.step(Step::Muted(user));
        }
        Ok(())
    }

    /// Removes someone who is in, waits, or is called. In a call between two one ends it instead.
    pub(super) fn remove(&mut self, by: UserId, user: UserId) -> Result<(), ErrorCode> {
        self.must_be_host(by)?;
        if user == by || self.call.direct {
            return Err(ErrorCode::Conflict);
        }
        let part = self.call.parts.get_mut(&user).ok_or(ErrorCode::NotFound)?;
        let status = part.status;
        if status == ParticipantStatus::Removed {
            return Ok(());
        }
        part.go(ParticipantStatus::Removed);
        if status.is_called() {
            self.outcome.outputs.push(Output::Cancel { users: vec![user] });
        }
        self.step(Step::Removed(user));
        Ok(())
    }

    /// A host who has left is followed by who has been in it longest; one whose socket dropped stays host.
    pub(super) fn move_host(&mut self) {
        let parts = &self.call.parts;
        if parts.get(&self.call.host).is_some_and(|part| part.status.is_in()) {
            return;
        }
        let present = |status| move |(_, part): &(&UserId, &super::Part)| part.status == status;
        let longest =
            |status| parts.iter().filter(present(status)).min_by_key(|(_, part)| part.joined_at).map(|(user, _)| *user);
        let next = longest(ParticipantStatus::Joined).or_else(|| longest(ParticipantStatus::Reconnecting));
        if let Some(user) = next {
            self.call.host = user;
            self.step(Step::HostMoved(user));
        }
    }
}
