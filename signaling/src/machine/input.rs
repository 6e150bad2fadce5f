//! What can happen to a call.

use protocol::calls::Media;
use protocol::{ConnectionId, SessionId, UserId};

/// Whose connection a command came on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Device {
    /// The login.
    pub session: SessionId,
    /// The connection.
    pub connection: ConnectionId,
}

impl Input {
    /// Whether it happens by itself: nobody asks for it, and every process that knows the call may notice it.
    #[must_use]
    pub fn happens_by_itself(&self) -> bool {
        matches!(self, Self::Lost { .. } | Self::Gone { .. } | Self::Revoked { .. } | Self::Due)
    }
}

/// Something that happens to a call. Whether its sender is a member of the conversation was asked before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    /// A device of someone who is called rings.
    Ring {
        /// Whose.
        user: UserId,
    },
    /// A device answers, joins, takes over, or comes back (with its epoch).
    Join {
        /// Whose.
        user: UserId,
        /// Which.
        device: Device,
        /// Its leg, where it had one.
        epoch: Option<u64>,
        /// What it sends.
        media: Media,
    },
    /// What a leg sends has changed.
    Media {
        /// Whose.
        user: UserId,
        /// Its leg.
        epoch: u64,
        /// What it sends.
        media: Media,
    },
    /// Someone who is called says no.
    Decline {
        /// Who.
        user: UserId,
    },
    /// A leg leaves.
    Leave {
        /// Whose.
        user: UserId,
        /// Which.
        epoch: u64,
    },
    /// The host ends it for all.
    End {
        /// Who asks.
        by: UserId,
    },
    /// The host lets someone in.
    Admit {
        /// Who asks.
        by: UserId,
        /// Whom.
        user: UserId,
    },
    /// The host mutes someone.
    Mute {
        /// Who asks.
        by: UserId,
        /// Whom.
        user: UserId,
    },
    /// The host removes someone.
    Remove {
        /// Who asks.
        by: UserId,
        /// Whom.
        user: UserId,
    },
    /// A connection has ended.
    Lost {
        /// Which.
        connection: ConnectionId,
    },
    /// Someone is no member of the conversation any more.
    Gone {
        /// Who.
        user: UserId,
    },
    /// A login was ended.
    Revoked {
        /// Which.
        session: SessionId,
    },
    /// The process that knew all connections is a new one.
    Restarted,
    /// A deadline may have come.
    Due,
}
