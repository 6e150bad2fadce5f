//! Presence: who is there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::ids::UserId;

/// Whether somebody is there: the most present of their devices.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    /// No device is connected.
    Offline,
    /// Connected, not in use.
    Away,
    /// In use.
    Online,
}

/// Somebody's presence; the body of `presence.changed`, register `presence:<user>`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Presence {
    /// Whose.
    pub user: UserId,
    /// The state.
    pub state: PresenceState,
    /// When they were last there; absent while they are, or when it isn't known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen_at: Option<Millis>,
}

/// Body of `presence.get` and `presence.watch`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
pub struct PresenceOf {
    /// Whose: at most 100 to read, 200 to watch. Who shares no conversation with the caller is left out.
    #[serde(default)]
    pub users: Vec<UserId>,
}

/// Answer of `presence.get` and `presence.watch`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema, Default)]
pub struct Presences {
    /// The present states.
    pub presences: Vec<Presence>,
}

/// Body of `presence.set`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPresence {
    /// `online` or `away`.
    pub state: PresenceState,
}
