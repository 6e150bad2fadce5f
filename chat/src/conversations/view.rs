//! Conversations as their members see them: `conversations.get` and `conversations.list`.

use protocol::chat::{self, ConversationKind, Conversations};
use protocol::{ConversationId, UserId};
use rusqlite::{Connection, OptionalExtension, params};

use super::{COLUMNS, Conversation};
use crate::log::row::id;
use crate::log::{page, stream};
use crate::members::seat::{self, Seat};
use crate::refuse::{Stop, not_found};

/// One conversation.
pub(crate) fn get(
    connection: &Connection,
    caller: UserId,
    conversation: ConversationId,
) -> Result<chat::Conversation, Stop> {
    let (conversation, seat) = seat::enter(connection, conversation, caller)?;
    view(connection, &conversation, &seat)
}

/// One page of the caller's conversations, by id.
pub(crate) fn list(
    connection: &Connection,
    caller: UserId,
    after: Option<ConversationId>,
    limit: usize,
) -> Result<Conversations, Stop> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {}, {COLUMNS}, conversations.id, memberships.{}
         FROM memberships CROSS JOIN conversations ON conversations.no = memberships.stream
             CROSS JOIN streams ON streams.no = conversations.no
         WHERE memberships.user = ? AND left_seq IS NULL AND conversations.id > ?
         ORDER BY conversations.id LIMIT ?",
        stream::COLUMNS,
        seat::COLUMNS,
    ))?;
    let after = after.map_or([0; 16], |after| *after.as_bytes());
    let found = statement
        .query_map(params![caller.as_bytes(), after, limit as i64 + 1], |row| {
            let id = id(row, 9)?.into();
            Ok((Conversation::read(id, row)?, seat::read(row, 10)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let more = found.len() > limit;
    let conversations = found
        .iter()
        .take(limit)
        .map(|(conversation, seat)| view(connection, conversation, seat))
        .collect::<Result<_, Stop>>()?;
    Ok(Conversations { conversations, more })
}

/// A conversation as the holder of this seat sees it.
pub(crate) fn view(
    connection: &Connection,
    conversation: &Conversation,
    seat: &Seat,
) -> Result<chat::Conversation, Stop> {
    let stream = &conversation.stream;
    let last_message = match stream.last_message {
        0 => None,
        seq if seat::visibility(connection, stream.no, seat.user)?.sees(seq) => {
            page::entry(connection, stream, seq)?.and_then(|entry| entry.message())
        }
        _ => None,
    };
    let peer = match conversation.kind {
        ConversationKind::Direct => Some(peer(connection, stream.no, seat.user)?.ok_or_else(not_found)?),
        ConversationKind::Group | ConversationKind::Channel => None,
    };
    Ok(chat::Conversation {
        id: conversation.id(),
        kind: conversation.kind,
        title: conversation.title.clone(),
        peer,
        role: seat.role,
        members: conversation.members,
        created_at: conversation.created_at,
        head: stream.head,
        last_message,
        read: seat.read,
        own_number: seat.own_number,
        unread: seat.read.unread(stream.number, seat.own_number),
    })
}

fn peer(connection: &Connection, stream_no: i64, user: UserId) -> rusqlite::Result<Option<UserId>> {
    connection
        .prepare_cached("SELECT user FROM memberships WHERE stream = ? AND user <> ? AND left_seq IS NULL LIMIT 1")?
        .query_row(params![stream_no, user.as_bytes()], |row| id(row, 0).map(UserId::from))
        .optional()
}
