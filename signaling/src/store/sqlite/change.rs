//! A new call, and a call's next version: each in one transaction with all that it brings with it.

use protocol::Millis;
use rusqlite::{Connection, params};

use super::super::unit::{Stage, Unit};
use super::{Created, Swapped, find, history, outputs, places};

pub(super) fn create(tx: &Connection, unit: &Unit, now: Millis) -> rusqlite::Result<Created> {
    if let Some(call) = find::started(tx, unit.by, unit.client_id)? {
        return Ok(Created::Before(call));
    }
    if matches!(unit.stage, Stage::Live { .. })
        && let Some(call) = find::live_in(tx, unit.conversation)?
    {
        return Ok(Created::Taken(call));
    }
    insert(tx, unit)?;
    follow(tx, unit, now)?;
    Ok(Created::Done)
}

/// A call that is not there.
pub(super) fn insert(tx: &Connection, unit: &Unit) -> rusqlite::Result<()> {
    let (due, ended_at) = match &unit.stage {
        Stage::Live { deadline, .. } => (Some(*deadline as i64), None),
        Stage::Over(end) => (None, Some(end.at as i64)),
    };
    tx.prepare_cached(
        "INSERT INTO calls (id, version, conversation, by_user, client_id, due, ended_at, unit)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        unit.id.as_bytes(),
        unit.version as i64,
        unit.conversation.as_bytes(),
        unit.by.as_bytes(),
        unit.client_id.as_bytes(),
        due,
        ended_at,
        unit.body
    ])?;
    Ok(())
}

pub(super) fn swap(tx: &Connection, expected: u64, unit: &Unit, now: Millis) -> rusqlite::Result<Swapped> {
    // Two statements, so that the version of a call that goes on touches no index of those that are over.
    let (sql, time) = match &unit.stage {
        Stage::Live { deadline, .. } => {
            ("UPDATE calls SET version = ?3, unit = ?4, due = ?5 WHERE id = ?1 AND version = ?2", *deadline)
        }
        Stage::Over(end) => (
            "UPDATE calls SET version = ?3, unit = ?4, due = NULL, ended_at = ?5 WHERE id = ?1 AND version = ?2",
            end.at,
        ),
    };
    let changed = tx.prepare_cached(sql)?.execute(params![
        unit.id.as_bytes(),
        expected as i64,
        unit.version as i64,
        unit.body,
        time as i64
    ])?;
    if changed == 0 {
        return Ok(Swapped::Changed);
    }
    follow(tx, unit, now)?;
    Ok(Swapped::Done)
}

/// What a version brings with it.
fn follow(tx: &Connection, unit: &Unit, now: Millis) -> rusqlite::Result<()> {
    match &unit.stage {
        Stage::Live { places, .. } => places::set(tx, unit.id, places)?,
        Stage::Over(end) => {
            places::set(tx, unit.id, &[])?;
            history::enter(tx, unit.id, end)?;
        }
    }
    outputs::add(tx, unit, now)
}
