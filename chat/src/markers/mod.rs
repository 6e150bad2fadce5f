//! Markers: how far each member has read and received.
//!
//! Both are max-registers: they only move forward. A member's own read marker is durable when `read.mark` is answered. Telling is
//! another matter: [`teller`] does it about once a second for all that has moved, from a flag that stands in the membership
//! itself, so that a crash between the two loses nothing. The user's own devices hear it as an entry of the user's log, the others
//! as a register; in conversations of more than 50 as a count ([`counted`]).
//!
//! An own message moves its sender's marker to itself, so everything after a marker is from others, and `unread` is a subtraction:
//! the running number of messages at the head minus that at the marker. That an own message has moved the marker over messages of
//! others is told like any other move; where there was nothing between, whoever folds the log sees it from the message.

pub(crate) mod counted;
pub(crate) mod delivered;
pub(crate) mod register;
pub(crate) mod teller;

use protocol::chat::{MarkRead, ReadMarker, ReadState};
use protocol::{ConversationId, ErrorCode, UserId};
use rusqlite::params;

use crate::log::{Change, page};
use crate::members::seat;
use crate::refuse::{Stop, refuse};

/// In `untold`: the read marker has moved. (The send's statement sets it by a comparison, which is 1 where it holds.)
pub(crate) const UNTOLD_READ: i64 = 1;
const _: () = assert!(UNTOLD_READ == 1);
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
        unread: stream.number.saturating_sub(read.number),
    };
    if request.seq <= seat.read.seq {
        return Ok((state(seat.read), false));
    }
    let number =
        page::number_at(change.connection(), stream.no, request.seq)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    change
        .connection()
        .prepare_cached(
            "UPDATE memberships SET read_seq = ?1, read_number = ?2, delivered_seq = max(delivered_seq, ?1),
                 untold = untold | ?3
             WHERE stream = ?4 AND user = ?5 AND joined_seq = ?6",
        )?
        .execute(params![
            request.seq as i64,
            number as i64,
            UNTOLD_READ,
            stream.no,
            caller.as_bytes(),
            seat.joined_seq as i64
        ])?;
    Ok((state(ReadMarker { seq: request.seq, number }), true))
}
