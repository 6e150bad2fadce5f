//! What stands in no log, whole, for a device that connects: the presence of those its user shares a conversation with, and
//! the markers of others.
//!
//! A marker that has not moved since its member came in says nothing that the member's entry doesn't, and is left out.

use std::collections::BTreeSet;
use std::sync::Arc;

use link::Event;
use protocol::chat::MarkerChanged;
use protocol::limits::{MARKERS_NAMED_MEMBERS_MAX, PRESENCE_PUSH_MEMBERS_MAX};
use protocol::{ConversationId, ErrorCode, Millis, UserId};
use rusqlite::{Connection, params};

use crate::log::row::{id, unsigned};
use crate::markers::counted::Counts;
use crate::markers::register;
use crate::presence::{Presences, shell};
use crate::refuse::{Stop, refuse};

/// The registers that a user sees, at most so many.
pub(crate) fn of(
    connection: &Connection,
    presences: &Presences,
    counts: &Counts,
    user: UserId,
    at_most: usize,
    now: Millis,
) -> Result<Vec<Event>, Stop> {
    let mut events = Vec::new();
    let mut people = BTreeSet::new();
    let mut statement = connection.prepare_cached(
        "SELECT conversations.id, conversations.members, theirs.user, theirs.read_seq, theirs.delivered_seq,
             theirs.delivered_seq > theirs.joined_seq
         FROM memberships AS own
             CROSS JOIN conversations ON conversations.no = own.stream AND conversations.members <= ?2
             CROSS JOIN memberships AS theirs ON theirs.stream = own.stream AND theirs.left_seq IS NULL
         WHERE own.user = ?1 AND own.left_seq IS NULL AND theirs.user <> ?1
         ORDER BY own.stream DESC",
    )?;
    let mut rows = statement.query(params![user.as_bytes(), PRESENCE_PUSH_MEMBERS_MAX as i64])?;
    while let Some(row) = rows.next()? {
        if events.len() + people.len() >= at_most {
            break;
        }
        let other: UserId = id(row, 2)?.into();
        people.insert(other);
        if row.get(5)? && unsigned(row, 1)? <= MARKERS_NAMED_MEMBERS_MAX as u64 {
            let body = MarkerChanged {
                conversation: id(row, 0)?.into(),
                user: other,
                read_seq: unsigned(row, 3)?,
                delivered_seq: unsigned(row, 4)?,
            };
            events.push(register::named(&body, now).map_err(internal)?);
        }
    }
    for conversation in large(connection, user)? {
        events.extend(counts.get(conversation));
    }
    for other in people {
        if let Some(told) = presences.state(connection, other, now)? {
            events.push(shell::register(&told, Arc::new([user]), now).map_err(internal)?);
        }
    }
    events.truncate(at_most);
    Ok(events)
}

/// The user's conversations whose markers are told as counts.
fn large(connection: &Connection, user: UserId) -> rusqlite::Result<Vec<ConversationId>> {
    connection
        .prepare_cached(
            "SELECT conversations.id FROM memberships CROSS JOIN conversations ON conversations.no = stream
             WHERE memberships.user = ? AND left_seq IS NULL AND members > ?",
        )?
        .query_map(params![user.as_bytes(), MARKERS_NAMED_MEMBERS_MAX as i64], |row| id(row, 0).map(Into::into))?
        .collect()
}

fn internal(error: serde_json::Error) -> Stop {
    refuse(ErrorCode::Internal, error.to_string())
}
