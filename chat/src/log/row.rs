//! An entry as a row, and back.
//!
//! Columns instead of one JSON body: a message's row is half as long, and the store's own constraints can hold the limits.

use protocol::chat::ReadMoved;
use protocol::{ClientId, ConversationId, Position, Seq, StreamId, Tag, UserId};
use rusqlite::types::{FromSqlError, Type};
use rusqlite::{Connection, Row, ToSql};

use super::codes::{self, Code};
use super::entry::{Content, Entry, Text};

/// The columns of [`read`], in its order.
pub(crate) const COLUMNS: &str = "seq, tag, at, kind, number, actor, client_id, subject, target, target_tag, detail, text, edited_at, revision, body";

/// The columns that depend on what the entry says.
#[derive(Default)]
struct Columns<'a> {
    kind: i64,
    actor: Option<&'a [u8]>,
    client_id: Option<&'a [u8]>,
    subject: Option<&'a [u8]>,
    target: Option<i64>,
    target_tag: Option<i64>,
    detail: Option<i64>,
    text: Option<&'a str>,
    edited_at: Option<i64>,
    revision: i64,
    body: Option<Vec<u8>>,
}

/// Writes the entry's row.
pub(crate) fn insert(connection: &Connection, stream_no: i64, entry: &Entry) -> rusqlite::Result<()> {
    let columns = columns(&entry.content)?;
    let values: [&dyn ToSql; 16] = [
        &stream_no,
        &(entry.position.seq as i64),
        &entry.position.tag.0,
        &(entry.at as i64),
        &columns.kind,
        &(entry.number as i64),
        &columns.actor,
        &columns.client_id,
        &columns.subject,
        &columns.target,
        &columns.target_tag,
        &columns.detail,
        &columns.text,
        &columns.edited_at,
        &columns.revision,
        &columns.body,
    ];
    connection
        .prepare_cached(
            "INSERT INTO entries (stream, seq, tag, at, kind, number, actor, client_id, subject, target, target_tag, detail,
                 text, edited_at, revision, body) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        )?
        .execute(values.as_slice())?;
    Ok(())
}

fn columns(content: &Content) -> rusqlite::Result<Columns<'_>> {
    let of = |kind| Columns { kind, ..Columns::default() };
    Ok(match content {
        Content::Created { kind, title, by } => Columns {
            actor: Some(by.as_bytes()),
            detail: Some(kind.code()),
            text: title.as_deref(),
            ..of(codes::CREATED)
        },
        Content::Updated { title, by } => {
            Columns { actor: Some(by.as_bytes()), text: Some(title), ..of(codes::UPDATED) }
        }
        Content::Joined { user, role, by } => member(codes::JOINED, user, by, Some(role.code())),
        Content::Left { user, how, by } => member(codes::LEFT, user, by, Some(how.code())),
        Content::RoleChanged { user, role, by } => member(codes::ROLE_CHANGED, user, by, Some(role.code())),
        Content::Banned { user, by } => member(codes::BANNED, user, by, None),
        Content::Unbanned { user, by } => member(codes::UNBANNED, user, by, None),
        Content::Message(message) => Columns {
            actor: Some(message.by.as_bytes()),
            client_id: Some(message.client_id.as_bytes()),
            target: message.reply_to.map(|seq| seq as i64),
            detail: message.deleted.then_some(1),
            text: Some(&message.text),
            edited_at: message.edited_at.map(|at| at as i64),
            revision: message.revision.into(),
            ..of(codes::MESSAGE)
        },
        Content::Edited { target, text, revision, by, client_id, by_rights } => Columns {
            actor: Some(by.as_bytes()),
            client_id: Some(client_id.as_bytes()),
            target: Some(*target as i64),
            detail: Some(i64::from(*by_rights)),
            text: Some(text),
            revision: i64::from(*revision),
            ..of(codes::EDITED)
        },
        Content::Deleted { target, by } => {
            Columns { actor: Some(by.as_bytes()), target: Some(*target as i64), ..of(codes::DELETED) }
        }
        Content::Called(body) => {
            Columns { actor: Some(body.by.as_bytes()), body: Some(json(body)?), ..of(codes::CALLED) }
        }
        Content::Entered(body, tag) => Columns {
            subject: Some(body.conversation.as_bytes()),
            target: Some(body.joined_seq as i64),
            target_tag: Some(tag.0.into()),
            body: Some(json(body)?),
            ..of(codes::ENTERED)
        },
        Content::Gone(body, tag) => Columns {
            subject: Some(body.conversation.as_bytes()),
            target: Some(body.left_seq as i64),
            target_tag: Some(tag.0.into()),
            body: Some(json(body)?),
            ..of(codes::GONE)
        },
        Content::ReadMoved(body) => Columns {
            subject: Some(body.conversation.as_bytes()),
            target: Some(body.seq as i64),
            detail: Some(body.number as i64),
            // Entries from before this number was kept have 0 here, as the memberships of their time have.
            revision: body.own_number as i64,
            ..of(codes::READ_MOVED)
        },
    })
}

fn member<'a>(kind: i64, user: &'a UserId, by: &'a UserId, detail: Option<i64>) -> Columns<'a> {
    Columns { kind, actor: Some(by.as_bytes()), subject: Some(user.as_bytes()), detail, ..Columns::default() }
}

/// Reads a row of [`COLUMNS`].
pub(crate) fn read(stream: StreamId, row: &Row<'_>) -> rusqlite::Result<Entry> {
    let position = Position { seq: unsigned(row, 0)?, tag: Tag(row.get(1)?) };
    let by = || id(row, 5).map(UserId::from);
    let subject = || id(row, 7);
    let target = || unsigned(row, 8);
    let content = match row.get::<_, i64>(3)? {
        codes::CREATED => Content::Created { kind: code(row, 10)?, title: row.get(11)?, by: by()? },
        codes::UPDATED => Content::Updated { title: row.get(11)?, by: by()? },
        codes::JOINED => Content::Joined { user: subject()?.into(), role: code(row, 10)?, by: by()? },
        codes::LEFT => Content::Left { user: subject()?.into(), how: code(row, 10)?, by: by()? },
        codes::ROLE_CHANGED => Content::RoleChanged { user: subject()?.into(), role: code(row, 10)?, by: by()? },
        codes::BANNED => Content::Banned { user: subject()?.into(), by: by()? },
        codes::UNBANNED => Content::Unbanned { user: subject()?.into(), by: by()? },
        codes::MESSAGE => Content::Message(Text {
            by: by()?,
            client_id: ClientId::from(id(row, 6)?),
            text: row.get(11)?,
            reply_to: row.get::<_, Option<i64>>(8)?.map(|seq| seq as Seq),
            edited_at: row.get::<_, Option<i64>>(12)?.map(|at| at as u64),
            revision: row.get(13)?,
            deleted: row.get::<_, Option<i64>>(10)? == Some(1),
        }),
        codes::EDITED => Content::Edited {
            target: target()?,
            text: row.get(11)?,
            revision: row.get(13)?,
            by: by()?,
            client_id: ClientId::from(id(row, 6)?),
            // Entries from before this was noted have nothing here: each reads them by their rights.
            by_rights: row.get::<_, Option<i64>>(10)? != Some(0),
        },
        codes::DELETED => Content::Deleted { target: target()?, by: by()? },
        codes::CALLED => Content::Called(Box::new(parse(row, 14)?)),
        codes::ENTERED => Content::Entered(parse(row, 14)?, Tag(row.get(9)?)),
        codes::GONE => Content::Gone(parse(row, 14)?, Tag(row.get(9)?)),
        codes::READ_MOVED => Content::ReadMoved(ReadMoved {
            conversation: ConversationId::from(subject()?),
            seq: target()?,
            number: unsigned(row, 10)?,
            own_number: unsigned(row, 13)?,
        }),
        unknown => return Err(FromSqlError::OutOfRange(unknown).into()),
    };
    Ok(Entry { stream, position, at: unsigned(row, 2)?, number: unsigned(row, 4)?, content })
}

/// A 16-byte id.
pub(crate) fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<[u8; 16]> {
    row.get(column)
}

/// A number that is never negative.
pub(crate) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|value| value as u64)
}

/// A kind, role or way of leaving.
pub(crate) fn code<T: Code>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let value = row.get(column)?;
    T::of(value).ok_or_else(|| FromSqlError::OutOfRange(value).into())
}

fn parse<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let body = row.get_ref(column)?.as_blob()?;
    serde_json::from_slice(body)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, Box::new(error)))
}

fn json(body: &impl serde::Serialize) -> rusqlite::Result<Vec<u8>> {
    serde_json::to_vec(body).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
