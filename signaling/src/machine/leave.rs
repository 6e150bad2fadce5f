//! Going out: by one's own will, by the host's, by a lost socket, by the end of a membership or a login.

use protocol::calls::{CallStatus, ParticipantStatus};
use protocol::{ConnectionId, ErrorCode, SessionId, UserId};

use super::{Machine, Notice, Output, Step};

impl Machine {
    /// Saying no twice, or after the ring is over, is no mistake; one who is in the call leaves instead.
    pub(super) fn decline(&mut self, user: UserId) -> Result<(), ErrorCode> {
        let part = self.call.parts.get_mut(&user).ok_or(ErrorCode::NotInCall)?;
        if part.status.is_in() {
            return Err(ErrorCode::Conflict);
        }
        if part.status.is_called() {
            part.go(ParticipantStatus::Declined);
            self.outcome.outputs.push(Output::Cancel { users: vec![user] });
            self.step(Step::Declined(user));
        } else if part.status == ParticipantStatus::Waiting {
            part.go(ParticipantStatus::Left);
            self.step(Step::Left(user));
        }
        Ok(())
    }

    pub(super) fn leave(&mut self, user: UserId, epoch: u64) -> Result<(), ErrorCode> {
        match self.call.leg(user, epoch) {
            Ok(_) => {}
            // Leaving twice is no mistake.
            Err(ErrorCode::CallExpired) => return Ok(()),
            Err(refused) => return Err(refused),
        }
        self.go(user, ParticipantStatus::Left);
        self.step(Step::Left(user));
        if user == self.call.by && self.call.answered_at.is_none() {
            self.finish(CallStatus::Cancelled, None);
        } else if self.call.direct {
            self.finish(CallStatus::Ended, None);
        }
        Ok(())
    }

    /// A socket has ended: the place of the leg that it carried is kept for a while. A place in the waiting room is not: who waits
    /// asks again.
    pub(super) fn lose(&mut self, connection: ConnectionId) {
        let until = self.now + self.call.rules.reconnect_ms;
        let mut lost = Vec::new();
        for (user, part) in &mut self.call.parts {
            let holds = part.leg.is_some_and(|leg| leg.connection == connection);
            if holds && part.status == ParticipantStatus::Joined {
                part.status = ParticipantStatus::Reconnecting;
                part.until = Some(until);
                lost.push(*user);
            } else if holds && part.status == ParticipantStatus::Waiting {
                part.go(ParticipantStatus::Left);
            }
        }
        lost.into_iter().for_each(|user| self.step(Step::Disconnected(user)));
    }

    /// Nothing is known of any socket: everyone has to come back.
    pub(super) fn restart(&mut self) {
        let until = self.now + self.call.rules.reconnect_ms;
        for part in self.call.parts.values_mut() {
            if part.status.is_in() {
                part.status = ParticipantStatus::Reconnecting;
                part.until = Some(until);
                self.call.recovering = true;
            } else if part.status == ParticipantStatus::Waiting {
                part.go(ParticipantStatus::Left);
            }
        }
        if self.call.recovering {
            self.step(Step::Recovering);
            self.outcome.notices.push(Notice::Recovering);
        }
    }

    pub(super) fn gone(&mut self, user: UserId) {
        let Some(part) = self.call.parts.get(&user) else { return };
        let status = part.status;
        if !(status.is_in() || status.is_called() || status == ParticipantStatus::Waiting) {
            return;
        }
        if status.is_called() {
            self.outcome.outputs.push(Output::Cancel { users: vec![user] });
        }
        self.go(user, ParticipantStatus::Removed);
        self.step(Step::Removed(user));
        if self.call.direct {
            self.fail_or_cancel();
        }
    }

    /// A login was ended: the leg that it held goes at once; other devices of the user are not concerned.
    pub(super) fn revoke(&mut self, session: SessionId) {
        let holds = |part: &super::Part| part.leg.is_some_and(|leg| leg.session == session);
        let users: Vec<_> = self.call.parts.iter().filter(|(_, part)| holds(part)).map(|(user, _)| *user).collect();
        for user in users {
            self.go(user, ParticipantStatus::Left);
            self.step(Step::Revoked(user));
            if self.call.direct || (user == self.call.by && self.call.answered_at.is_none()) {
                self.fail_or_cancel();
                return;
            }
        }
    }

    /// Someone can't be in it any more without whom it can't go on.
    fn fail_or_cancel(&mut self) {
        match self.call.answered_at {
            Some(_) => self.finish(CallStatus::Failed, Some(protocol::calls::CallFailure::Revoked)),
            None => self.finish(CallStatus::Cancelled, None),
        }
    }

    /// Takes someone's place away.
    pub(super) fn go(&mut self, user: UserId, status: ParticipantStatus) {
        if let Some(part) = self.call.parts.get_mut(&user) {
            part.go(status);
        }
    }
}
