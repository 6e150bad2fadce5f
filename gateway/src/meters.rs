//! The gateway's metrics, with handles that are looked up once.

use std::collections::HashMap;

use metrics::{Counter, Gauge, counter, gauge};
use protocol::commands::{COMMANDS, Cost};
use protocol::{CloseCode, ServiceName};

const SERVICE: &str = ServiceName::Gateway.as_str();
/// The label of commands that don't exist: clients can invent any name.
const UNKNOWN: &str = "unknown";
/// What clients send beside commands.
const SIGNALS: [&str; 5] = ["hello", "sync", "renew", "ack", "ping"];
/// What the server sends.
const SENT: [&str; 2] = ["event", "reply"];
/// How a command was answered: done, refused for the client's own reason, or failed for the server's.
const RESULTS: [&str; 3] = ["ok", "refused", "failed"];
/// Sockets that ended without a close of ours.
pub(crate) const TRANSPORT: &str = "transport";

/// All handles.
pub(crate) struct Meters {
    pub(crate) sockets: Gauge,
    received: HashMap<&'static str, Counter>,
    received_unknown: Counter,
    pub(crate) events_sent: Counter,
    pub(crate) replies_sent: Counter,
    errors: HashMap<&'static str, Counter>,
    answers: [Counter; 3],
    limits: HashMap<&'static str, (Counter, Counter)>,
}

impl Meters {
    /// Makes every series known, at zero.
    pub(crate) fn new() -> Self {
        let received = |name: &'static str| counter!("websocket_messages_total", "service" => SERVICE, "type" => name, "direction" => "in");
        let [events_sent, replies_sent] = SENT.map(
            |name| counter!("websocket_messages_total", "service" => SERVICE, "type" => name, "direction" => "out"),
        );
        let names = SIGNALS.into_iter().chain(COMMANDS.iter().filter(|spec| spec.socket).map(|spec| spec.name));
        let errors = CloseCode::ALL.iter().map(|code| code.as_str()).chain([TRANSPORT]);
        let this = Self {
            sockets: gauge!("websocket_connections", "service" => SERVICE),
            received: names.map(|name| (name, received(name))).collect(),
            received_unknown: received(UNKNOWN),
            events_sent,
            replies_sent,
            errors: errors
                .map(|name| (name, counter!("websocket_errors_total", "service" => SERVICE, "error" => name)))
                .collect(),
            answers: RESULTS.map(|result| counter!("command_answers_total", "service" => SERVICE, "result" => result)),
            limits: endpoints().map(|endpoint| (endpoint, limit(endpoint))).collect(),
        };
        this.zero();
        this
    }

    fn zero(&self) {
        self.sockets.increment(0.0);
        let plain = [&self.received_unknown, &self.events_sent, &self.replies_sent];
        let limits = self.limits.values().flat_map(|(hits, blocked)| [hits, blocked]);
        let plain = plain.into_iter().chain(&self.answers);
        for counter in plain.chain(self.received.values()).chain(self.errors.values()).chain(limits) {
            counter.increment(0);
        }
    }

    /// A frame of this type came.
    pub(crate) fn received(&self, name: &str) {
        self.received.get(name).unwrap_or(&self.received_unknown).increment(1);
    }

    /// A command was answered with this status of HTTP, or with the code that has it on a socket.
    pub(crate) fn answered(&self, status: u16) {
        let [ok, refused, failed] = &self.answers;
        let counter = match status {
            ..400 => ok,
            400..500 => refused,
            500.. => failed,
        };
        counter.increment(1);
    }

    /// A socket ended by an error.
    pub(crate) fn error(&self, name: &str) {
        if let Some(counter) = self.errors.get(name) {
            counter.increment(1);
        }
    }

    /// Something was counted against a limit.
    pub(crate) fn limit(&self, endpoint: &str, blocked: bool) {
        if let Some((hits, refused)) = self.limits.get(endpoint) {
            hits.increment(1);
            refused.increment(u64::from(blocked));
        }
    }
}

/// The route patterns, the socket, and the classes of what sockets send.
fn endpoints() -> impl Iterator<Item = &'static str> {
    let rest = COMMANDS.iter().filter_map(|spec| spec.rest.map(|rest| rest.path));
    let classes = COMMANDS.iter().filter(|spec| spec.socket).map(|spec| socket_endpoint(spec.cost));
    let all: std::collections::BTreeSet<_> = rest.chain(classes).chain([SOCKET_OPEN, SOCKET_FRAMES]).collect();
    all.into_iter()
}

/// The label of opening a socket.
pub(crate) const SOCKET_OPEN: &str = "/v1/ws";
/// The label of a socket's frames.
pub(crate) const SOCKET_FRAMES: &str = "socket:frames";

/// The label of a command that came over a socket.
pub(crate) fn socket_endpoint(cost: Cost) -> &'static str {
    match cost {
        Cost::Read => "socket:read",
        Cost::Write => "socket:write",
        Cost::Send => "socket:send",
        Cost::Join => "socket:join",
        Cost::Login => "socket:login",
        Cost::Register => "socket:register",
        Cost::Call => "socket:call",
        Cost::Signal => "socket:signal",
        Cost::Ephemeral => "socket:ephemeral",
    }
}

fn limit(endpoint: &'static str) -> (Counter, Counter) {
    (
        counter!("rate_limit_hits_total", "endpoint" => endpoint),
        counter!("rate_limit_blocked_total", "endpoint" => endpoint),
    )
}
