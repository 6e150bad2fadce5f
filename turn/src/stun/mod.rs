//! STUN messages (RFC 8489) as far as TURN needs them: reading, writing, and MESSAGE-INTEGRITY.
//!
//! This is a codec of our own because those at hand don't suit a server that strangers write to: `stun-types` writes a warning to the
//! log for every malformed packet, takes bytes beyond the message's own length for attributes, and asserts where it should refuse. What TURN needs is
//! small: a header of 20 bytes, attributes of type, length and value, and one HMAC.
//!
//! Reading borrows and allocates nothing. What isn't exactly a message is none: there is no partial parse.

mod address;
mod integrity;
mod read;
mod write;

#[cfg(test)]
mod tests;

pub use address::{decode_xor_address, encode_xor_address};
pub use integrity::IntegrityKey;
pub use read::{Attribute, Attributes, Message, NotStun};
pub use write::MessageWriter;

/// The value that tells STUN from other protocols on the same port.
pub const MAGIC_COOKIE: u32 = 0x2112_A442;
/// The length of a message's header.
pub const HEADER_BYTES: usize = 20;

/// What pairs a response with its request.
pub type TransactionId = [u8; 12];

/// What kind of message it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// Wants a response.
    Request,
    /// Wants none.
    Indication,
    /// The request was granted.
    Success,
    /// The request was refused.
    Error,
}

/// The methods of STUN and TURN.
pub mod method {
    /// What is my address?
    pub const BINDING: u16 = 0x001;
    /// Make an allocation.
    pub const ALLOCATE: u16 = 0x003;
    /// Keep the allocation, or end it.
    pub const REFRESH: u16 = 0x004;
    /// Send this to a peer.
    pub const SEND: u16 = 0x006;
    /// A peer sent this.
    pub const DATA: u16 = 0x007;
    /// Let these addresses send to me.
    pub const CREATE_PERMISSION: u16 = 0x008;
    /// A short name for a peer.
    pub const CHANNEL_BIND: u16 = 0x009;
}

/// The attributes of STUN and TURN.
pub mod attribute {
    #![allow(missing_docs, reason = "they are the names of the standard")]
    pub const USERNAME: u16 = 0x0006;
    pub const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub const ERROR_CODE: u16 = 0x0009;
    pub const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
    pub const CHANNEL_NUMBER: u16 = 0x000C;
    pub const LIFETIME: u16 = 0x000D;
    pub const XOR_PEER_ADDRESS: u16 = 0x0012;
    pub const DATA: u16 = 0x0013;
    pub const REALM: u16 = 0x0014;
    pub const NONCE: u16 = 0x0015;
    pub const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    pub const REQUESTED_ADDRESS_FAMILY: u16 = 0x0017;
    pub const EVEN_PORT: u16 = 0x0018;
    pub const REQUESTED_TRANSPORT: u16 = 0x0019;
    pub const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub const RESERVATION_TOKEN: u16 = 0x0022;

    /// Whether one that isn't known makes the message one that can't be understood.
    pub const fn is_required(kind: u16) -> bool {
        kind < 0x8000
    }
}

/// Why a request was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorCode {
    /// It makes no sense.
    BadRequest,
    /// Show credentials, or others.
    Unauthorized,
    /// That peer must not be reached.
    Forbidden,
    /// It has attributes that must be understood and are not.
    UnknownAttribute,
    /// There is an allocation where none may be, or none where one must be.
    AllocationMismatch,
    /// The nonce is old; here is another.
    StaleNonce,
    /// No address of this family is to be had.
    AddressFamilyNotSupported,
    /// The allocation is somebody else's.
    WrongCredentials,
    /// Only UDP is relayed.
    UnsupportedTransport,
    /// The peer's address is of another family than the allocation's.
    PeerAddressFamilyMismatch,
    /// The user has as many as one may have.
    AllocationQuotaReached,
    /// The server can't take more.
    InsufficientCapacity,
}

impl ErrorCode {
    /// Number and reason, as the standard words them.
    pub const fn parts(self) -> (u16, &'static str) {
        match self {
            Self::BadRequest => (400, "Bad Request"),
            Self::Unauthorized => (401, "Unauthorized"),
            Self::Forbidden => (403, "Forbidden"),
            Self::UnknownAttribute => (420, "Unknown Attribute"),
            Self::AllocationMismatch => (437, "Allocation Mismatch"),
            Self::StaleNonce => (438, "Stale Nonce"),
            Self::AddressFamilyNotSupported => (440, "Address Family not Supported"),
            Self::WrongCredentials => (441, "Wrong Credentials"),
            Self::UnsupportedTransport => (442, "Unsupported Transport Protocol"),
            Self::PeerAddressFamilyMismatch => (443, "Peer Address Family Mismatch"),
            Self::AllocationQuotaReached => (486, "Allocation Quota Reached"),
            Self::InsufficientCapacity => (508, "Insufficient Capacity"),
        }
    }
}
