//! What a device asks of a call.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, CallKind, Media, Signal};
use crate::Millis;
use crate::ids::{CallId, ClientId, UserId};

/// Body of `call.start`. A conversation has one call at a time: where one is going on, this joins it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartCall {
    /// Made by the client; repeating it never starts a second call.
    pub client_id: ClientId,
    /// What it begins with.
    pub kind: CallKind,
    /// What the caller sends.
    #[serde(default)]
    pub media: Media,
    /// Whether who joins by themselves waits for the host.
    #[serde(default)]
    pub waiting_room: bool,
}

/// Body of `call.join`: answers, joins, takes over from another device, or comes back.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinCall {
    /// Coming back: the leg that this device had. Without it the device gets a new leg, and another device of the user is out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// Coming back: the number of the last signal that this leg has heard.
    #[serde(default)]
    pub heard: u64,
    /// What this device sends.
    #[serde(default)]
    pub media: Media,
}

/// Answer of `call.start` and `call.join`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Joined {
    /// The call.
    pub call: Call,
    /// The device's leg; absent in the waiting room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// For the peer connections of this leg.
    pub ice: Ice,
    /// Coming back: the signals after the last one that was heard.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signals: Vec<Signal>,
    /// Coming back: signals were lost; negotiate with every other leg anew (restart ICE). The count of signals may have been lost, too:
    /// the next one begins it.
    #[serde(default)]
    pub renegotiate: bool,
}

/// Where peers find a way to each other, with credentials that end.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Ice {
    /// As `RTCConfiguration.iceServers` takes them.
    pub servers: Vec<IceServer>,
    /// When the credentials end: ask `call.ice` for new ones before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
}

/// A STUN or TURN server (W3C WebRTC, `RTCIceServer`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct IceServer {
    /// RFC 7064 and RFC 7065 URIs.
    pub urls: Vec<String>,
    /// TURN: the short-lived user name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// TURN: its password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// Body of `call.leave` and `call.ice`: which leg asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Leg {
    /// The leg.
    pub epoch: u64,
}

/// Body of `call.media`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetMedia {
    /// The leg.
    pub epoch: u64,
    /// What it sends now.
    pub media: Media,
}

/// Body of `call.admit`, `call.mute` and `call.remove` (host).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallMember {
    /// Whom.
    pub user: UserId,
}

/// Body of `call.recovering` and `call.recovered`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CallNotice {
    /// The call.
    pub call: CallId,
}
