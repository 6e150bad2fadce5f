//! Reads of calls. States leave as they stand in the tables; the caller parses them.

use protocol::{CallId, ClientId, ConversationId, Millis, UserId};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, params};

pub(super) fn load(tx: &Connection, call: CallId) -> rusqlite::Result<Option<Vec<u8>>> {
    tx.prepare_cached("SELECT unit FROM calls WHERE id = ?1")?
        .query_row(params![call.as_bytes()], |row| row.get(0))
        .optional()
}

pub(super) fn started(tx: &Connection, user: UserId, client_id: ClientId) -> rusqlite::Result<Option<CallId>> {
    let mut statement = tx.prepare_cached("SELECT id FROM calls WHERE client_id = ?1 AND by_user = ?2")?;
    Ok(ids(&mut statement, params![client_id.as_bytes(), user.as_bytes()])?.pop())
}

pub(super) fn live_in(tx: &Connection, conversation: ConversationId) -> rusqlite::Result<Option<CallId>> {
    let mut statement = tx.prepare_cached("SELECT id FROM calls WHERE conversation = ?1 AND ended_at IS NULL")?;
    Ok(ids(&mut statement, params![conversation.as_bytes()])?.pop())
}

pub(super) fn live(tx: &Connection, after: Option<CallId>, limit: usize) -> rusqlite::Result<Vec<Vec<u8>>> {
    let after = after.as_ref().map_or(&[][..], |call| call.as_bytes());
    tx.prepare_cached("SELECT unit FROM calls WHERE ended_at IS NULL AND id > ?1 ORDER BY id LIMIT ?2")?
        .query_map(params![after, limit as i64], |row| row.get(0))?
        .collect()
}

pub(super) fn over_since(tx: &Connection, since: Millis, limit: usize) -> rusqlite::Result<Vec<Vec<u8>>> {
    tx.prepare_cached("SELECT unit FROM calls WHERE ended_at >= ?1 ORDER BY ended_at DESC, id DESC LIMIT ?2")?
        .query_map(params![since as i64, limit as i64], |row| row.get(0))?
        .collect()
}

/// The ids in a statement's only column.
pub(super) fn ids<I: From<[u8; 16]>>(
    statement: &mut CachedStatement<'_>,
    params: impl Params,
) -> rusqlite::Result<Vec<I>> {
    statement.query_map(params, |row| Ok(row.get::<_, [u8; 16]>(0)?.into()))?.collect()
}
