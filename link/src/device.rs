//! What a gateway reports of the devices it holds: who is there, and what has reached them.
//!
//! A gateway reports changes at least once a second while there are any, and restates that it lives at least every 5 s. A service
//! that does not know the gateway (it was restarted) asks for the whole list. A gateway that is silent for 15 s holds nothing.

use protocol::{ConnectionId, Seq, SessionId, StreamId, UserId};
use uuid::Uuid;

/// How often a gateway restates that it lives, in milliseconds.
pub const REPORT_EVERY_MS: u64 = 5_000;
/// After this many milliseconds without a report a gateway's devices count as gone.
pub const LEASE_MS: u64 = 15_000;

/// A device: one live connection of a login. Two tabs of a browser are two, because one may be in use while the other is not.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Device {
    /// Whose.
    pub user: UserId,
    /// Which login.
    pub session: SessionId,
    /// Which connection of it.
    pub connection: ConnectionId,
}

/// What has changed since the gateway's last report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeviceReport {
    /// The gateway process; a new one for each start.
    pub gateway: Uuid,
    /// Whether `opened` is the whole list.
    pub whole: bool,
    /// Devices that came.
    pub opened: Vec<Device>,
    /// Devices that went.
    pub closed: Vec<Device>,
    /// What devices have acknowledged.
    pub acknowledged: Vec<Acknowledged>,
}

/// A device has all entries of a stream up to one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Acknowledged {
    /// Whose device.
    pub user: UserId,
    /// Which stream.
    pub stream: StreamId,
    /// Up to which entry.
    pub seq: Seq,
}

/// The answer to a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeviceAnswer {
    /// The service does not know this gateway's devices: report the whole list.
    pub resend: bool,
}
