//! What travels on the socket, as JSON text frames (subprotocol `secureconnect.v1.json`).
//!
//! The client sends commands `{id, type, to, body}` and signals without id (`ack`, `ping`); the server sends replies
//! `{id, ok}` / `{id, error}` and events. `hello`, `sync` and `renew` are commands that the gateway itself serves; every other
//! command stands in [`crate::commands`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::envelope::ErrorBody;
use crate::ids::{ConnectionId, SessionId, UserId};
use crate::position::{Epoch, Position, Seq, StreamId, Tag};
use crate::{ClientId, Millis};

/// The subprotocol of JSON text frames.
pub const SUBPROTOCOL_JSON: &str = "secureconnect.v1.json";
/// A subprotocol entry that carries the access token begins with this.
pub const SUBPROTOCOL_BEARER: &str = "bearer.";

/// A frame from the client.
#[derive(Deserialize, Serialize, Debug)]
pub struct ClientFrame<'a> {
    /// Chosen by the client, answered in the reply; absent where no reply is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// The command's name, or `hello`, `sync`, `renew`, `ack`, `ping`.
    #[serde(rename = "type", borrow)]
    pub name: std::borrow::Cow<'a, str>,
    /// What the command is routed by, where its table row says so.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub to: Option<std::borrow::Cow<'a, str>>,
    /// The idempotency key, where the command's table row wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<ClientId>,
    /// The W3C `traceparent` of the caller's span, for whoever follows requests through several systems; one that is not well-formed is ignored.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<std::borrow::Cow<'a, str>>,
    /// The command's body; absent means `{}`.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub body: Option<&'a RawValue>,
}

/// A frame from the server. It is one of three: a reply (`id` with `ok` or `error`), a pong, or an event.
#[derive(Deserialize, Serialize, Debug, Default)]
pub struct ServerFrame<'a> {
    /// A reply: the id of the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// A reply: what the command answers.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub ok: Option<&'a RawValue>,
    /// A reply: why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
    /// An event: its name; or `pong`.
    #[serde(rename = "type", default, borrow, skip_serializing_if = "Option::is_none")]
    pub name: Option<std::borrow::Cow<'a, str>>,
    /// An event of a log: which entry it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<From>,
    /// An event of a versioned register: which one, and its version; a lower version than the known one is dropped.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub register: Option<Register<'a>>,
    /// An ephemeral event: when it stops to mean anything (server time).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
    /// An event: when it happened (server time).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Millis>,
    /// An event: its body.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub body: Option<&'a RawValue>,
}

/// Which entry of which log an event is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct From {
    /// The log.
    pub stream: StreamId,
    /// The entry's number. Numbers are gapless: a reader that sees `n` after `n - 2` has missed one.
    pub seq: Seq,
    /// The entry's tag.
    pub tag: Tag,
}

/// Which register an event is of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Register<'a> {
    /// Its name, such as `presence:<user>`.
    #[serde(borrow)]
    pub key: std::borrow::Cow<'a, str>,
    /// Grows with every change.
    pub version: u64,
}

/// The event name of a range of entries that the reader may not see; `body` is [`Withheld`], `from` is the range's last entry.
pub const EVENT_WITHHELD: &str = "withheld";
/// The event name that tells a live socket that its token expires soon: send `renew`. The body is [`Expiring`].
pub const EVENT_TOKEN_EXPIRING: &str = "token.expiring";
/// The event name after everything up to the present was sent once: the client is in step. The body is empty.
pub const EVENT_LIVE: &str = "live";
/// The event name of a stream whose position was not of this log: drop what is kept of it, then go on from the heads that the
/// body ([`Reset`]) names.
pub const EVENT_RESET: &str = "reset";

/// A range of entries that the reader may not see.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Withheld {
    /// The first entry of the range.
    pub first: Seq,
    /// The last entry of the range.
    pub last: Seq,
}

/// The socket's token expires soon.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Expiring {
    /// When, in server time.
    pub expires_at: Millis,
}

/// A stream begins anew for this reader.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Reset {
    /// The stream.
    pub stream: StreamId,
    /// Where it goes on.
    pub head: Position,
}

/// The body of `hello`, the first frame of every socket.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// The access token, where neither the header nor the subprotocol carried it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Where the client was connected before: the epoch of the last `welcome`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    /// Where the client was connected before: the `connection` of the last `welcome`, to resume it. Without it, or where the
    /// server doesn't know it, another connection of the login begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
    /// The client's name and version, for logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

/// The answer to `hello`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Welcome {
    /// Who the token says the client is.
    pub user: UserId,
    /// The login behind the token.
    pub session: SessionId,
    /// Names this connection for a later `resume`; a secret of the client.
    pub connection: String,
    /// Names this connection to others, such as which of a login's tabs takes part in a call; the same after a resume.
    pub connection_id: ConnectionId,
    /// Whether the server still knew the connection: then it sends what was missed by itself, and no `sync` is needed.
    pub resumed: bool,
    /// The store's epoch; when it differs from the client's, all positions of the client are void.
    pub epoch: Epoch,
    /// The server's time.
    pub time: Millis,
    /// When the token expires (server time).
    pub expires_at: Millis,
    /// How often to beat, in milliseconds.
    pub heartbeat_ms: u64,
    /// After how many events to acknowledge at the latest.
    pub ack_every_events: u32,
    /// After how many milliseconds to acknowledge at the latest.
    pub ack_every_ms: u64,
    /// The largest frame the server takes, in bytes.
    pub frame_bytes_max: u64,
}

/// The body of `sync`: where the client stands. A client that was not `resumed` sends its positions in one or more of these, the
/// last one with `done`; the server then sends what is missing of every stream.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct Sync {
    /// At most [`crate::limits::POSITIONS_PER_SYNC_MAX`] streams with the position after the last entry the client has.
    #[serde(default)]
    pub positions: Vec<StreamPosition>,
    /// Whether this is the last of the client's `sync` frames.
    #[serde(default)]
    pub done: bool,
}

/// The answer to a `sync`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema, Default)]
pub struct Synced {
    /// On the last `sync`: the streams that the client did not name, with the head each starts from. What lies before can be read
    /// as history.
    pub started: Vec<StreamPosition>,
    /// The streams whose position is not of this log (or that the client may not read any more): what the client keeps of them is
    /// void. Where the client may still read the stream it also stands in `started`.
    pub reset: Vec<StreamId>,
}

/// A stream and a position in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StreamPosition {
    /// The stream.
    pub stream: StreamId,
    /// The position.
    #[serde(flatten)]
    pub position: Position,
}

/// The body of `ack`: the client has these entries and all before them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct Ack {
    /// For each stream with news since the last `ack`: the last entry's number.
    pub positions: Vec<AckPosition>,
}

/// One acknowledged stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AckPosition {
    /// The stream.
    pub stream: StreamId,
    /// The last entry that the client has, with all before it.
    pub seq: Seq,
}

/// The body of `renew`: a fresh access token of the same session.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Renew {
    /// The token.
    pub token: String,
}

/// The answer to `renew`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Renewed {
    /// When the new token expires (server time).
    pub expires_at: Millis,
}
