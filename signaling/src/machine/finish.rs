//! The end of a call.

use protocol::Millis;
use protocol::calls::{CallFailure, CallParticipation, CallRecord, CallStatus, ParticipantStatus};

use super::{CallState, Machine, Output, Step};

impl Machine {
    /// The end of a call whose conversation has another one by now: it was started where that could not be seen.
    #[must_use]
    pub fn give_way(call: &CallState, now: Millis) -> (CallState, Vec<Output>) {
        let mut machine = Self::at(call.clone(), now);
        if !call.status.is_over() {
            machine.finish(CallStatus::Failed, Some(CallFailure::ConnectionLost));
            machine.call.version = machine.next;
        }
        (machine.call, machine.outcome.outputs)
    }

    /// It is over: everyone is out, nothing rings, and its record is written.
    pub(super) fn finish(&mut self, status: CallStatus, failure: Option<CallFailure>) {
        self.call.status = status;
        self.call.failure = failure;
        self.call.ended_at = Some(self.now);
        self.call.alone_since = None;
        self.call.recovering = false;
        let mut rang = Vec::new();
        for (user, part) in &mut self.call.parts {
            match part.status {
                ParticipantStatus::Joined | ParticipantStatus::Reconnecting | ParticipantStatus::Waiting => {
                    part.go(ParticipantStatus::Left);
                }
                ParticipantStatus::Invited | ParticipantStatus::Ringing => {
                    part.go(ParticipantStatus::Missed);
                    rang.push(*user);
                }
                ParticipantStatus::Left
                | ParticipantStatus::Declined
                | ParticipantStatus::Busy
                | ParticipantStatus::Missed
                | ParticipantStatus::Removed => {}
            }
        }
        if !rang.is_empty() {
            self.outcome.outputs.push(Output::Cancel { users: rang.clone() });
            self.outcome.outputs.push(Output::Missed { users: rang });
        }
        self.outcome.outputs.push(Output::Record { record: self.call.record() });
        self.step(Step::Over(status));
    }

    /// Ends what cannot go on: nobody is in it, or nobody who was called can come any more.
    pub(super) fn end_if_nobody_is_left(&mut self) {
        if self.call.status.is_over() {
            return;
        }
        let answered = self.call.answered_at.is_some();
        if self.call.count_in() == 0 {
            let status = if answered { CallStatus::Ended } else { CallStatus::Cancelled };
            return self.finish(status, None);
        }
        let called: Vec<_> =
            self.call.parts.iter().filter(|(user, _)| **user != self.call.by).map(|(_, part)| part.status).collect();
        let may_come =
            called.iter().any(|status| status.is_called() || status.is_in() || *status == ParticipantStatus::Waiting);
        // A call that rings nowhere is there to be joined.
        if answered || called.is_empty() || may_come {
            return;
        }
        let any = |wanted| called.contains(&wanted);
        let status = if any(ParticipantStatus::Declined) {
            CallStatus::Declined
        } else if any(ParticipantStatus::Missed) {
            CallStatus::Missed
        } else if any(ParticipantStatus::Busy) {
            CallStatus::Busy
        } else {
            CallStatus::Cancelled
        };
        self.finish(status, None);
    }
}

impl CallState {
    /// What is left of it when it is over.
    #[must_use]
    pub fn record(&self) -> CallRecord {
        let ended_at = self.ended_at.unwrap_or(self.created_at);
        CallRecord {
            call: self.id,
            conversation: self.conversation,
            kind: self.kind,
            status: self.status,
            failure: self.failure,
            by: self.by,
            created_at: self.created_at,
            answered_at: self.answered_at,
            ended_at,
            duration_ms: self.answered_at.map_or(0, |answered| ended_at.saturating_sub(answered)),
            participants: self
                .parts
                .iter()
                .map(|(user, part)| CallParticipation { user: *user, status: part.status, joined_at: part.joined_at })
                .collect(),
        }
    }
}
