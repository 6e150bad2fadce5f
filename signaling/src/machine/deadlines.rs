//! What happens by time alone.

use protocol::Millis;
use protocol::calls::{CallFailure, CallStatus, ParticipantStatus};
use protocol::limits::CALL_TTL_MS;

use super::{CallState, Machine, Notice, Output, Step};

impl CallState {
    /// When [`super::Input::Due`] has to come next; never for a call that is over.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        if self.status.is_over() {
            return None;
        }
        let people = self.parts.values().filter_map(|part| part.until);
        let alone = self.alone_since.map(|since| since + self.rules.alone_ms);
        people.chain(alone).chain([self.created_at + CALL_TTL_MS]).min()
    }
}

impl Machine {
    pub(super) fn due(&mut self) {
        if self.call.created_at + CALL_TTL_MS <= self.now {
            return self.finish(CallStatus::Failed, Some(CallFailure::Expired));
        }
        self.stop_ringing();
        self.give_up();
        let alone = self.call.alone_since.is_some_and(|since| since + self.call.rules.alone_ms <= self.now);
        if alone && !self.call.status.is_over() {
            let status = if self.call.answered_at.is_some() { CallStatus::Ended } else { CallStatus::Missed };
            self.finish(status, None);
        }
    }

    fn stop_ringing(&mut self) {
        let now = self.now;
        let mut missed = Vec::new();
        for (user, part) in &mut self.call.parts {
            if part.status.is_called() && part.until.is_none_or(|until| until <= now) {
                part.go(ParticipantStatus::Missed);
                missed.push(*user);
            }
        }
        missed.iter().for_each(|user| self.step(Step::Missed(*user)));
        if !missed.is_empty() {
            self.outcome.outputs.push(Output::Missed { users: missed });
        }
    }

    /// Those who have not come back in time lose their place.
    fn give_up(&mut self) {
        let now = self.now;
        let mut given_up = Vec::new();
        for (user, part) in &mut self.call.parts {
            let late = part.until.is_none_or(|until| until <= now);
            if part.status == ParticipantStatus::Reconnecting && late {
                part.go(ParticipantStatus::Left);
                given_up.push(*user);
            }
        }
        for user in &given_up {
            self.step(Step::GivenUp(*user));
        }
        let over = self.call.direct || self.call.count_in() == 0;
        if !given_up.is_empty() && over {
            self.finish(CallStatus::Failed, Some(CallFailure::ConnectionLost));
        }
    }

    /// Who is the only one, and calls nobody, is not so for good.
    pub(super) fn watch_the_lonely(&mut self) {
        let alone = self.call.count_in() == 1 && !self.call.calls_someone();
        self.call.alone_since = match (alone, self.call.alone_since) {
            (false, _) => None,
            (true, Some(since)) => Some(since),
            (true, None) => Some(self.now),
        };
    }

    /// After a restart: whether all were found or given up.
    pub(super) fn recovered(&mut self) {
        let awaited = self.call.parts.values().any(|part| part.status == ParticipantStatus::Reconnecting);
        if self.call.recovering && !awaited {
            self.call.recovering = false;
            self.step(Step::Recovered);
            self.outcome.notices.push(Notice::Recovered);
        }
    }
}
