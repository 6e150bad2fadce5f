//! The bodies of `call.*`: what a call is, what its devices ask for, and what they are told.
//!
//! A call is a versioned register, told whole: a device that has the newest version knows who rings, who is in and what is over, and
//! needs no event that came before. What devices negotiate with each other (SDP, candidates) is no state of the call: it is numbered
//! for each leg and replayed until it is superseded.

mod asks;
mod quality;
mod record;
mod signal;
mod state;

pub use asks::{CallMember, CallNotice, Ice, IceServer, JoinCall, Joined, Leg, SetMedia, StartCall};
pub use quality::{PeerQuality, ReportQuality};
pub use record::{CallIndex, CallParticipation, CallRecord, Calls, ListCalls, SeenCalls};
pub use signal::{Candidate, Description, DescriptionType, LegRef, SendSignal, Signal};
pub use state::{Call, CallFailure, CallKind, CallStatus, Media, Participant, ParticipantStatus};

/// Register `call:<call>`. Body: [`Call`].
pub const CALL_STATE: &str = "call.state";
/// Register `calls:<user>`. Body: [`CallIndex`].
pub const CALLS_INDEX: &str = "calls.index";
/// Ephemeral: something from another leg of the call. Body: [`Signal`].
pub const CALL_SIGNAL: &str = "call.signal";
/// Ephemeral: the server has lost its hold of the call's legs and waits for them to come back. Body: [`CallNotice`].
pub const CALL_RECOVERING: &str = "call.recovering";
/// Ephemeral: every leg is back, or given up. Body: [`CallNotice`].
pub const CALL_RECOVERED: &str = "call.recovered";
/// `c:` a call was over. Body: [`CallRecord`].
pub const CALL_RECORD: &str = "call.record";
