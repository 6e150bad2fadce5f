//! Heads of logs: what a user hears, and what a gateway compares its cursors with.

use link::Head;
use protocol::{ConversationId, Position, StreamId, StreamKind, Tag, UserId};
use rusqlite::Connection;

use crate::log::Stream;
use crate::log::row::{id, unsigned};

/// The user's own log, then those of all their conversations.
pub(crate) fn subscriptions(connection: &Connection, user: UserId) -> rusqlite::Result<Vec<Head>> {
    let mut heads = vec![own(connection, StreamId::user(user))?];
    let mut statement = connection.prepare_cached(
        "SELECT conversations.id, head_seq, head_tag
         FROM memberships CROSS JOIN conversations ON conversations.no = memberships.stream
             CROSS JOIN streams ON streams.no = memberships.stream
         WHERE memberships.user = ? AND left_seq IS NULL",
    )?;
    let mut rows = statement.query([user.as_bytes()])?;
    while let Some(row) = rows.next()? {
        let conversation: ConversationId = id(row, 0)?.into();
        let position = Position { seq: unsigned(row, 1)?, tag: Tag(row.get(2)?) };
        heads.push(Head { stream: StreamId::conversation(conversation), position });
    }
    Ok(heads)
}

/// The heads of these logs. A user's log begins with its first entry; until then it is empty, not absent.
pub(crate) fn heads(connection: &Connection, streams: &[StreamId]) -> rusqlite::Result<Vec<Head>> {
    let mut heads = Vec::with_capacity(streams.len());
    for id in streams {
        match id.kind {
            StreamKind::User => heads.push(own(connection, *id)?),
            StreamKind::Conversation => {
                heads.extend(Stream::find(connection, *id)?.map(|stream| Head { stream: *id, position: stream.head }))
            }
        }
    }
    Ok(heads)
}

fn own(connection: &Connection, id: StreamId) -> rusqlite::Result<Head> {
    let position = Stream::find(connection, id)?.map_or(Position::default(), |stream| stream.head);
    Ok(Head { stream: id, position })
}
