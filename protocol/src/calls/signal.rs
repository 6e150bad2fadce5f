//! What two legs of a call say to each other to bring their media together (RFC 8829, RFC 8838).
//!
//! The server relays it between joined legs of the same call and reads no more of it than its form.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{CallId, UserId};

/// One leg of a call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LegRef {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub epoch: u64,
}

/// A session description's role in offer/answer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DescriptionType {
    /// An offer. It supersedes what its sender said to that leg before.
    Offer,
    /// The answer to the other's offer.
    Answer,
}

/// A session description.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Its role.
    #[serde(rename = "type")]
    pub kind: DescriptionType,
    /// The description (RFC 8866), at most 32 KiB.
    pub sdp: String,
}

/// An ICE candidate, as `RTCIceCandidateInit` has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Candidate {
    /// The candidate attribute, at most 1 KiB; empty: there are no more of this generation.
    pub candidate: String,
    /// Which media section, by its identification tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_mid: Option<String>,
    /// Which media section, by its index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sdp_m_line_index: Option<u32>,
    /// Of which generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username_fragment: Option<String>,
}

/// Body of `call.signal`, the command: a description, candidates, or both.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendSignal {
    /// The sender's leg.
    pub epoch: u64,
    /// To which leg.
    pub to: LegRef,
    /// A description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// At most 32 candidates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
}

/// Body of `call.signal`, the event.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Signal {
    /// In which call.
    pub call: CallId,
    /// Numbered for the leg that it goes to, from 1 without a gap: who sees one missing asks `call.join` with its leg and the last
    /// number it has heard.
    pub number: u64,
    /// From which leg.
    pub from: LegRef,
    /// To which leg; every other device drops it.
    pub to: LegRef,
    /// A description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// Candidates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
}
