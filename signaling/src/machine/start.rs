//! The first version of a call.

use std::collections::BTreeMap;

use protocol::calls::{CallKind, CallStatus, Media, ParticipantStatus};
use protocol::{CallId, ClientId, ConversationId, Millis, UserId};

use super::{CallState, Device, Leg, Machine, Outcome, Output, Part, Rules};

/// Who starts what.
#[derive(Clone, Debug)]
pub struct Start {
    /// The call's id.
    pub id: CallId,
    /// The client's id for it.
    pub client_id: ClientId,
    /// Where.
    pub conversation: ConversationId,
    /// Between two people.
    pub direct: bool,
    /// What it begins with.
    pub kind: CallKind,
    /// Who.
    pub by: UserId,
    /// With which device.
    pub device: Device,
    /// What it sends.
    pub media: Media,
    /// Whose devices are to ring.
    pub callees: Vec<Callee>,
    /// The server's times and limits.
    pub rules: Rules,
}

/// Someone who is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Callee {
    /// Who.
    pub user: UserId,
    /// Whether they are in another call.
    pub busy: bool,
}

impl Machine {
    /// A new call. It may be over at once: where everyone who is called is busy.
    #[must_use]
    pub fn start(start: Start, now: Millis) -> (CallState, Outcome) {
        let ring_until = now + start.rules.ring_ms;
        let mut parts: BTreeMap<_, _> =
            start.callees.iter().map(|callee| (callee.user, called(*callee, ring_until))).collect();
        let leg = Leg { epoch: now, session: start.device.session, connection: start.device.connection };
        let caller = Part {
            leg: Some(leg),
            joined_at: Some(now),
            media: start.media,
            admitted: true,
            last_epoch: leg.epoch,
            ..Part::new(ParticipantStatus::Joined)
        };
        parts.insert(start.by, caller);
        let call = CallState {
            id: start.id,
            version: now,
            conversation: start.conversation,
            direct: start.direct,
            kind: start.kind,
            status: CallStatus::Initiated,
            failure: None,
            by: start.by,
            client_id: start.client_id,
            host: start.by,
            created_at: now,
            ring_until,
            answered_at: None,
            ended_at: None,
            alone_since: None,
            recovering: false,
            rules: start.rules,
            parts,
        };
        let rings: Vec<_> =
            call.parts.iter().filter(|(_, part)| part.status.is_called()).map(|(user, _)| *user).collect();
        let mut machine = Self::at(call, now);
        if !rings.is_empty() {
            machine.outcome.outputs.push(Output::Ring { users: rings });
        }
        machine.settle();
        // Nobody is in a call that is over from the start.
        machine.outcome.epoch = (!machine.call.status.is_over()).then_some(leg.epoch);
        (machine.call, machine.outcome)
    }
}

fn called(callee: Callee, until: Millis) -> Part {
    if callee.busy {
        return Part::new(ParticipantStatus::Busy);
    }
    Part { until: Some(until), admitted: true, ..Part::new(ParticipantStatus::Invited) }
}
