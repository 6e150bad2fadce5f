//! The running number of somebody's own messages at an entry that their marker moves to.
//!
//! It is known at the marker and at the head; between them own messages have to be counted, on the shorter side of the entry. As the
//! marker only moves forward, no entry is counted twice for one member, however they move it. Where no own message lies beyond the
//! marker, which is the rule, nothing is counted.

use protocol::Seq;
use rusqlite::{Connection, params};

use crate::log::row::unsigned;
use crate::log::{Stream, codes};
use crate::members::seat::Seat;

/// The own number at entry `seq`, which lies after the marker and at which `number` messages stand.
pub(super) fn number_at(
    connection: &Connection,
    stream: &Stream,
    seat: &Seat,
    seq: Seq,
    number: u64,
) -> rusqlite::Result<u64> {
    if seat.own_number == seat.read.own_number || number == stream.number {
        return Ok(seat.own_number);
    }
    if number - seat.read.number < stream.number - number {
        return Ok(seat.read.own_number + count(connection, stream.no, seat, seat.read.seq + 1, seq)?);
    }
    Ok(seat.own_number - count(connection, stream.no, seat, seq + 1, stream.head.seq)?)
}

/// How many messages of the seat's holder lie between two entries, both included.
fn count(connection: &Connection, stream_no: i64, seat: &Seat, first: Seq, last: Seq) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(&format!(
            "SELECT count(*) FROM entries WHERE stream = ? AND seq BETWEEN ? AND ? AND kind = {} AND actor = ?",
            codes::MESSAGE
        ))?
        .query_row(params![stream_no, first as i64, last as i64, seat.user.as_bytes()], |row| unsigned(row, 0))
}
