//! Markers: how far each member has read and received.
//!
//! Both are max-registers: they only move forward. A member's own read marker is durable when `read.mark` is answered. Telling is
//! another matter: [`teller`] does it about once a second for all that has moved, from a flag that stands in the membership
//! itself, so that a crash between the two loses nothing. The user's own devices hear it as an entry of the user's log, the others
//! as a register; in conversations of more than 50 as a count ([`counted`]).
//!
//! `unread` is a subtraction, never a scan: the messages after the marker, by their running numbers, without one's own among them,
//! by a second running number ([`own`]). Both are kept for the head and for the marker. A message that was written offline and sent
//! late thus changes nothing of what is unread; one that is sent with nothing unread takes the marker along
//! (`messages::send`), so that the two numbers rarely differ.

pub(crate) mod counted;
pub(crate) mod delivered;
mod own;
pub(crate) mod register;
pub(crate) mod teller;

use protocol::chat::{MarkRead, ReadMarker, ReadState};
use protocol::{ConversationId, ErrorCode, UserId};
use rusqlite::params;

use crate::log::{Change, page};
use crate::members::seat;
use crate::refuse::{Stop, refuse};

/// In `untold`: the read marker has moved.
pub(crate) const UNTOLD_READ: i64 = 1;
/// In `untold`: the delivery marker has moved.
pub(crate) const UNTOLD_DELIVERED: i64 = 2;

/// Moves the caller's read marker forward; a lower number changes nothing. The flag says whether it moved.
pub(crate) fn mark(
    change: &Change<'_, '_>,
    caller: UserId,
    conversation: ConversationId,
    request: MarkRead,
) -> Result<(ReadState, bool), Stop> {
    let (conversation, seat) = seat::enter(change.connection(), conversation, caller)?;
    let stream = conversation.stream;
    if request.seq > stream.head.seq {
        return Err(refuse(ErrorCode::InvalidRequest, "seq: the conversation has no such entry yet."));
    }
    let state = |read: ReadMarker| ReadState {
        seq: read.seq,
        number: read.number,
        own_number: read.own_number,
        unread: read.unread(stream.number, seat.own_number),
    };
    if request.seq <= seat.read.seq {
        return Ok((state(seat.read), false));
    }
    let number =
        page::number_at(change.connection(), stream.no, request.seq)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let own_number = own::number_at(change.connection(), &stream, &seat, request.seq, number)?;
    change
        .connection()
        .prepare_cached(
            "UPDATE memberships SET read_seq = ?1, read_number = ?2, read_own = ?7,
                 delivered_seq = max(delivered_seq, ?1), untold = untold | ?3
             WHERE stream = ?4 AND user = ?5 AND joined_seq = ?6",
        )?
        .execute(params![
            request.seq as i64,
            number as i64,
            UNTOLD_READ,
            stream.no,
            caller.as_bytes(),
            seat.joined_seq as i64,
            own_number as i64
        ])?;
    Ok((state(ReadMarker { seq: request.seq, number, own_number }), true))
}
