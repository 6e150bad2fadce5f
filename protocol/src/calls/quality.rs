//! How a call sounds and looks to those who are in it (W3C WebRTC statistics).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::UserId;

/// Body of `call.quality`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportQuality {
    /// The leg that reports.
    pub epoch: u64,
    /// Each peer connection, at most as many as may be in a call.
    pub peers: Vec<PeerQuality>,
}

/// One peer connection since the last report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeerQuality {
    /// With whom.
    pub user: UserId,
    /// Round trip, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip_ms: Option<u32>,
    /// Jitter of what comes in, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter_ms: Option<u32>,
    /// Packets of what comes in that were lost, in hundredths of a percent (0 to 10,000).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_per_10000: Option<u32>,
    /// What comes in, in kilobits per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incoming_kbps: Option<u32>,
    /// What goes out, in kilobits per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outgoing_kbps: Option<u32>,
    /// Whether it goes through a TURN relay.
    #[serde(default)]
    pub relayed: bool,
}
