//! `members.list`.

use protocol::chat::{Member, Members};
use protocol::limits::MARKERS_NAMED_MEMBERS_MAX;
use protocol::{ConversationId, UserId};
use rusqlite::{Connection, params};

use super::seat::{self, COLUMNS};
use crate::refuse::Stop;

/// One page of the members, by user id.
pub(crate) fn list(
    connection: &Connection,
    caller: UserId,
    conversation: ConversationId,
    after: Option<UserId>,
    limit: usize,
) -> Result<Members, Stop> {
    let (conversation, _) = seat::enter(connection, conversation, caller)?;
    let named = conversation.members <= MARKERS_NAMED_MEMBERS_MAX as u64;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM memberships WHERE stream = ? AND user > ? AND left_seq IS NULL ORDER BY user LIMIT ?"
    ))?;
    let after = after.map_or([0; 16], |after| *after.as_bytes());
    let mut members = statement
        .query_map(params![conversation.stream.no, after, limit as i64 + 1], |row| {
            let seat = seat::read(row, 0)?;
            Ok(Member {
                user: seat.user,
                role: seat.role,
                joined_seq: seat.joined_seq,
                read_seq: named.then_some(seat.read.seq),
                delivered_seq: named.then_some(seat.delivered_seq),
            })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let more = members.len() > limit;
    members.truncate(limit);
    Ok(Members { members, more })
}
