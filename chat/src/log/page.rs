//! Reading a log: one page, with the reader's rights.

use link::{Item, Page, ReadRequest, Reader, Standing};
use protocol::{Position, Seq, StreamId, StreamKind, Tag, UserId};
use rusqlite::{Connection, OptionalExtension, params};

use super::row::{self, COLUMNS};
use super::visibility::{Stretch, Visibility};
use super::{Entry, Stream};
use crate::members::seat;
use crate::refuse::{Stop, refuse};

/// The most items in a page.
const ITEMS_MAX: u32 = 500;
/// A page ends with the entry that reaches this many bytes, so that one page fits the gateway's queue of a connection.
const BYTES_MAX: usize = 256 * 1024;

/// One page of a log.
pub(crate) fn read(connection: &Connection, request: ReadRequest) -> Result<Page, Stop> {
    let stream = Stream::find(connection, request.stream)?;
    let (stream, visibility) = match (stream, request.reader, request.stream.kind) {
        (Some(stream), Reader::System, _) => (stream, Visibility::whole()),
        (Some(stream), Reader::User(user), StreamKind::Conversation) => {
            (stream, seat::visibility(connection, stream.no, user)?)
        }
        (stream, reader, StreamKind::User) if reader_owns(reader, request.stream) => {
            (stream.unwrap_or(unbegun(request.stream)), Visibility::whole())
        }
        _ => return Ok(gone()),
    };
    if visibility.is_nothing() {
        return Ok(gone());
    }
    let end = visibility.end(stream.head.seq);
    let head = match end == stream.head.seq {
        true => stream.head,
        false => Position { seq: end, tag: tag_of(connection, stream.no, end)?.unwrap_or_default() },
    };
    if !visibility.is_open() && request.after >= end {
        return Ok(Page { items: Vec::new(), head, standing: Standing::Gone });
    }
    if !is_of_this_log(connection, &stream, head.seq, request)? {
        return Ok(Page { items: Vec::new(), head, standing: Standing::Reset });
    }
    let items = items(connection, &stream, &visibility, request)?;
    let reached = match items.last() {
        Some(Item::Entry(event)) => event.position().is_some_and(|(_, position)| position.seq >= head.seq),
        Some(Item::Withheld { last, .. }) => last.seq >= head.seq,
        None => true,
    };
    let standing = if visibility.is_open() || !reached { Standing::Member } else { Standing::Gone };
    Ok(Page { items, head, standing })
}

fn reader_owns(reader: Reader, stream: StreamId) -> bool {
    match reader {
        Reader::System => true,
        Reader::User(user) => user == UserId(stream.id),
    }
}

/// A user's log begins with its first entry; until then it is empty.
fn unbegun(id: StreamId) -> Stream {
    Stream { id, no: 0, head: Position::default(), number: 0, last_message: 0 }
}

/// What does not exist and what one never saw answer alike.
fn gone() -> Page {
    Page { items: Vec::new(), head: Position::default(), standing: Standing::Gone }
}

/// Whether the position that the reader names is of this log.
fn is_of_this_log(connection: &Connection, stream: &Stream, end: Seq, request: ReadRequest) -> Result<bool, Stop> {
    if request.after == 0 {
        return Ok(true);
    }
    if request.after > end {
        return Ok(false);
    }
    match request.tag {
        None => Ok(true),
        Some(tag) => Ok(tag_of(connection, stream.no, request.after)? == Some(tag)),
    }
}

fn items(
    connection: &Connection,
    stream: &Stream,
    visibility: &Visibility,
    request: ReadRequest,
) -> Result<Vec<Item>, Stop> {
    let limit = request.limit.clamp(1, ITEMS_MAX) as usize;
    let mut items = Vec::new();
    let mut bytes = 0;
    for stretch in visibility.stretches(request.after, stream.head.seq) {
        if items.len() >= limit || bytes >= BYTES_MAX {
            break;
        }
        if stretch.visible {
            entries(connection, stream, visibility, stretch, limit, &mut items, &mut bytes)?;
        } else {
            let tag = tag_of(connection, stream.no, stretch.last)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
            items.push(Item::Withheld { first: stretch.first, last: Position { seq: stretch.last, tag } });
        }
    }
    Ok(items)
}

fn entries(
    connection: &Connection,
    stream: &Stream,
    visibility: &Visibility,
    stretch: Stretch,
    limit: usize,
    items: &mut Vec<Item>,
    bytes: &mut usize,
) -> Result<(), Stop> {
    let sql = format!("SELECT {COLUMNS} FROM entries WHERE stream = ? AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?");
    let mut statement = connection.prepare_cached(&sql)?;
    let left = (limit - items.len()) as i64;
    let mut rows = statement.query(params![stream.no, stretch.first as i64, stretch.last as i64, left])?;
    while let Some(row) = rows.next()? {
        let entry = row::read(stream.id, row)?;
        if entry.is_about().is_some_and(|target| !visibility.sees(target)) {
            items.push(Item::Withheld { first: entry.position.seq, last: entry.position });
            continue;
        }
        let event = entry.event().map_err(|error| refuse(protocol::ErrorCode::Internal, error.to_string()))?;
        *bytes += event.body.len();
        items.push(Item::Entry(event));
        if *bytes >= BYTES_MAX {
            break;
        }
    }
    Ok(())
}

/// The entry with this number.
pub(crate) fn entry(connection: &Connection, stream: &Stream, seq: Seq) -> rusqlite::Result<Option<Entry>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM entries WHERE stream = ? AND seq = ?"))?
        .query_row(params![stream.no, seq as i64], |row| row::read(stream.id, row))
        .optional()
}

/// The tag of the entry with this number.
pub(crate) fn tag_of(connection: &Connection, stream_no: i64, seq: Seq) -> rusqlite::Result<Option<Tag>> {
    connection
        .prepare_cached("SELECT tag FROM entries WHERE stream = ? AND seq = ?")?
        .query_row(params![stream_no, seq as i64], |row| row.get(0).map(Tag))
        .optional()
}

/// The running number of messages at an entry.
pub(crate) fn number_at(connection: &Connection, stream_no: i64, seq: Seq) -> rusqlite::Result<Option<u64>> {
    connection
        .prepare_cached("SELECT number FROM entries WHERE stream = ? AND seq = ?")?
        .query_row(params![stream_no, seq as i64], |row| row::unsigned(row, 0))
        .optional()
}
