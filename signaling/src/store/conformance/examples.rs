//! Calls to keep, made by the machine itself.

use protocol::calls::{CallKind, Media};
use protocol::{CallId, ClientId, ConnectionId, ConversationId, Millis, SessionId, UserId};
use uuid::Uuid;

use super::super::{CallStore, Created, Swapped};
use super::Home;
use crate::machine::{CallState, Callee, Device, Input, Machine, Output, Rules, Start};

pub(crate) const RING_MS: Millis = 45_000;

const RULES: Rules =
    Rules { participants_max: 4, waiting_room: false, ring_ms: RING_MS, reconnect_ms: 30_000, alone_ms: 300_000 };

pub(crate) fn user(n: u128) -> UserId {
    UserId(Uuid::from_u128(n + 1))
}

pub(crate) fn call_id(n: u128) -> CallId {
    CallId(Uuid::from_u128(n + 1))
}

pub(crate) fn conversation(n: u128) -> ConversationId {
    ConversationId(Uuid::from_u128(n + 1))
}

pub(crate) fn client_id(n: u128) -> ClientId {
    ClientId(Uuid::from_u128(n + 1))
}

pub(crate) fn device(n: u128) -> Device {
    Device { session: SessionId(Uuid::from_u128(n + 1)), connection: ConnectionId(Uuid::from_u128(n + 1)) }
}

/// A call that somebody is about to start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Example {
    pub(crate) n: u128,
    pub(crate) conversation: u128,
    pub(crate) client_id: u128,
    pub(crate) by: u128,
    /// Who is called: this one, or the users of this number and the next.
    pub(crate) calls: u128,
    pub(crate) direct: bool,
    pub(crate) busy: bool,
}

/// User 0 calls user 1 in a conversation of the call's own.
pub(crate) fn example(n: u128) -> Example {
    Example { n, conversation: n, client_id: n, by: 0, calls: 1, direct: true, busy: false }
}

impl Example {
    /// Its first version, and what follows from it.
    pub(crate) fn at(self, now: Millis) -> (CallState, Vec<Output>) {
        let callees = self.calls..self.calls + if self.direct { 1 } else { 2 };
        let start = Start {
            id: call_id(self.n),
            client_id: client_id(self.client_id),
            conversation: conversation(self.conversation),
            direct: self.direct,
            kind: CallKind::Audio,
            by: user(self.by),
            device: device(self.by),
            media: Media::default(),
            callees: callees.map(|n| Callee { user: user(n), busy: self.busy }).collect(),
            rules: RULES,
        };
        let (call, outcome) = Machine::start(start, now);
        (call, outcome.outputs)
    }

    /// It is started, and nothing is in its way.
    pub(crate) async fn starts(self, home: &impl Home) -> CallState {
        let (call, outputs) = self.at(home.store().now().await.unwrap());
        assert_eq!(home.store().create(&call, &outputs).await, Ok(Created::Done));
        call
    }
}

/// The next version, and what follows from it.
pub(crate) fn next(call: &CallState, now: Millis, input: Input) -> (CallState, Vec<Output>) {
    let (next, outcome) = Machine::handle(call, now, input).expect("it is not refused");
    (next, outcome.outputs)
}

/// The next version is stored, and nothing is in its way.
pub(crate) async fn goes_on(home: &impl Home, call: &CallState, input: Input) -> CallState {
    let (next, outputs) = next(call, home.store().now().await.unwrap(), input);
    assert_eq!(home.store().swap(call.version, &next, &outputs).await, Ok(Swapped::Done));
    next
}

pub(crate) fn joins(n: u128) -> Input {
    Input::Join { user: user(n), device: device(n), epoch: None, media: Media::default() }
}

/// The one who started it hangs up.
pub(crate) fn hangs_up(call: &CallState) -> Input {
    let epoch = call.parts[&call.by].leg.expect("is in it").epoch;
    Input::Leave { user: call.by, epoch }
}
