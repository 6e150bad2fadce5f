//! A version that another store has judged is kept as it is: what a process goes on with when the store that it shares is gone.
//!
//! An older version than the one that is there changes nothing. What stands in its way is older knowledge: another live call of the
//! conversation, another call of the same client id.

use std::collections::HashSet;

use protocol::CallId;
use rusqlite::{Connection, OptionalExtension, params};

use super::super::unit::{Stage, Unit};
use super::{change, find, history, places};

pub(super) fn put(tx: &Connection, unit: &Unit) -> rusqlite::Result<()> {
    let there: Option<(i64, bool)> = tx
        .prepare_cached("SELECT version, ended_at IS NOT NULL FROM calls WHERE id = ?1")?
        .query_row(params![unit.id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    if there.is_some_and(|(version, over)| over || version >= unit.version as i64) {
        return Ok(());
    }
    drop_where(tx, "id = ?1", &[unit.id.as_bytes()])?;
    drop_where(tx, "client_id = ?1 AND by_user = ?2", &[unit.client_id.as_bytes(), unit.by.as_bytes()])?;
    if matches!(unit.stage, Stage::Live { .. }) {
        drop_where(tx, "conversation = ?1 AND ended_at IS NULL", &[unit.conversation.as_bytes()])?;
    }
    change::insert(tx, unit)?;
    match &unit.stage {
        Stage::Live { places, .. } => places::set(tx, unit.id, places),
        Stage::Over(end) => {
            places::set(tx, unit.id, &[])?;
            let kept =
                tx.prepare_cached("SELECT 1 FROM records WHERE call = ?1")?.exists(params![unit.id.as_bytes()])?;
            if kept { Ok(()) } else { history::enter(tx, unit.id, end) }
        }
    }
}

/// Forgets live calls other than these; what they owe stays.
pub(super) fn keep_live(tx: &Connection, only: &HashSet<CallId>) -> rusqlite::Result<()> {
    let mut statement = tx.prepare_cached("SELECT id FROM calls WHERE ended_at IS NULL")?;
    let there: Vec<CallId> = find::ids(&mut statement, [])?;
    for call in there.iter().filter(|call| !only.contains(call)) {
        drop_where(tx, "id = ?1", &[call.as_bytes()])?;
    }
    Ok(())
}

fn drop_where(tx: &Connection, which: &str, values: &[&[u8; 16]]) -> rusqlite::Result<()> {
    for table in ["places", "calls"] {
        let column = if table == "places" { "call" } else { "id" };
        let sql = format!("DELETE FROM {table} WHERE {column} IN (SELECT id FROM calls WHERE {which})");
        tx.prepare_cached(&sql)?.execute(rusqlite::params_from_iter(values))?;
    }
    Ok(())
}
