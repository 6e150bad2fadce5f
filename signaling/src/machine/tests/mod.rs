//! The machine by examples, by random inputs, and with devices in a lossy world.

mod examples;
mod merge;
mod properties;
mod simulation;

use protocol::calls::{CallKind, Media};
use protocol::{CallId, ClientId, ConnectionId, ConversationId, Millis, SessionId, UserId};
use uuid::Uuid;

use super::{CallState, Callee, Device, Input, Machine, Outcome, Rules, Start};

/// When everything begins.
pub(super) const T0: Millis = 1_800_000_000_000;

pub(super) const RULES: Rules =
    Rules { participants_max: 4, waiting_room: false, ring_ms: 45_000, reconnect_ms: 30_000, alone_ms: 300_000 };

pub(super) const MEDIA: Media = Media { audio: true, video: true, screen: false, hand: false };

pub(super) fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n + 1))
}

/// The `device`th device of a user, on its `nth` connection.
pub(super) fn device(owner: u128, device: u128, nth: u128) -> Device {
    Device {
        session: SessionId(Uuid::from_u128(owner * 1_000 + device)),
        connection: ConnectionId(Uuid::from_u128(owner * 1_000_000 + device * 1_000 + nth)),
    }
}

/// A call of user 0 to `others` more.
pub(super) fn started(others: u128, rules: Rules) -> (CallState, Outcome) {
    Machine::start(start(others, rules), T0)
}

/// What starts it.
pub(super) fn start(others: u128, rules: Rules) -> Start {
    Start {
        id: CallId(Uuid::from_u128(7)),
        client_id: ClientId(Uuid::from_u128(8)),
        conversation: ConversationId(Uuid::from_u128(9)),
        direct: others == 1,
        kind: CallKind::Video,
        by: user(0),
        device: device(0, 0, 0),
        media: MEDIA,
        callees: (1..=others).map(|n| Callee { user: user(n), busy: false }).collect(),
        rules,
    }
}

pub(super) fn joins(n: u128, epoch: Option<u64>) -> Input {
    Input::Join { user: user(n), device: device(n, 0, 0), epoch, media: MEDIA }
}
