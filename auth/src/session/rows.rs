//! Sessions in the store. One that ended stays until its refresh token would have expired, so that this token is told apart
//! from one that never was.

use protocol::accounts::Session;
use protocol::{Millis, SessionId, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Rotation;
use crate::sql::{number, read_number, read_session, read_time, read_user};

/// A session.
#[derive(Clone, Debug)]
pub(crate) struct SessionRow {
    pub(crate) id: SessionId,
    pub(crate) account: UserId,
    pub(crate) rotation: Rotation,
    pub(crate) device: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) created_at: Millis,
    pub(crate) seen_at: Millis,
    pub(crate) expires_at: Millis,
    pub(crate) ended_at: Option<Millis>,
}

impl SessionRow {
    /// Whether it goes on.
    pub(crate) fn lives(&self, now: Millis) -> bool {
        self.ended_at.is_none() && self.expires_at > now
    }

    /// As its owner sees it.
    pub(crate) fn shown_to(self, asking: SessionId) -> Session {
        Session {
            id: self.id,
            device: self.device,
            created_at: self.created_at,
            last_seen_at: self.seen_at,
            address: self.address,
            current: self.id == asking,
        }
    }
}

const COLUMNS: &str =
    "id, account, generation, rotated_at, repeated, device, address, created_at, seen_at, expires_at, ended_at";

fn read(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    Ok(SessionRow {
        id: read_session(row, 0)?,
        account: read_user(row, 1)?,
        rotation: Rotation {
            generation: read_number(row, 2)?,
            rotated_at: read_number(row, 3)?,
            repeated: row.get(4)?,
        },
        device: row.get(5)?,
        address: row.get(6)?,
        created_at: read_number(row, 7)?,
        seen_at: read_number(row, 8)?,
        expires_at: read_number(row, 9)?,
        ended_at: read_time(row, 10)?,
    })
}

/// The session of this id.
pub(crate) fn by_id(store: &Connection, id: SessionId) -> rusqlite::Result<Option<SessionRow>> {
    store
        .prepare_cached(&format!("SELECT {COLUMNS} FROM sessions WHERE id = ?1"))?
        .query_row([id.as_bytes()], read)
        .optional()
}

/// A user's sessions that go on, the last seen first.
pub(crate) fn living(store: &Connection, account: UserId, now: Millis) -> rusqlite::Result<Vec<SessionRow>> {
    store
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM sessions WHERE account = ?1 AND ended_at IS NULL AND expires_at > ?2
             ORDER BY seen_at DESC, id DESC"
        ))?
        .query_map(params![account.as_bytes(), number(now)], read)?
        .collect()
}

/// Adds a session.
pub(crate) fn insert(store: &Connection, session: &SessionRow) -> rusqlite::Result<()> {
    store
        .prepare_cached(
            "INSERT INTO sessions (id, account, generation, rotated_at, repeated, device, address, created_at, seen_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            session.id.as_bytes(),
            session.account.as_bytes(),
            number(session.rotation.generation),
            number(session.rotation.rotated_at),
            session.rotation.repeated,
            session.device,
            session.address,
            number(session.created_at),
            number(session.seen_at),
            number(session.expires_at),
        ])?;
    Ok(())
}

/// Writes what a refresh changes.
pub(crate) fn refreshed(store: &Connection, session: &SessionRow) -> rusqlite::Result<()> {
    store
        .prepare_cached(
            "UPDATE sessions SET generation = ?2, rotated_at = ?3, repeated = ?4, address = ?5, seen_at = ?6, expires_at = ?7
             WHERE id = ?1",
        )?
        .execute(params![
            session.id.as_bytes(),
            number(session.rotation.generation),
            number(session.rotation.rotated_at),
            session.rotation.repeated,
            session.address,
            number(session.seen_at),
            number(session.expires_at),
        ])?;
    Ok(())
}

/// Ends a session.
pub(crate) fn end(store: &Connection, id: SessionId, now: Millis) -> rusqlite::Result<()> {
    store
        .prepare_cached("UPDATE sessions SET ended_at = ?2 WHERE id = ?1 AND ended_at IS NULL")?
        .execute(params![id.as_bytes(), number(now)])?;
    Ok(())
}
