//! What is still to be performed, in the order of each call's versions.
//!
//! Only the first output of a call has a time at which it may be leased, whatever waits behind it: so one that can't be performed holds up
//! its own call and no other, and the queue of all that may be leased is a walk along one index.

use protocol::{CallId, ConversationId, Millis};
use rusqlite::{Connection, OptionalExtension, params};

use super::super::unit::{self, Unit};
use super::{OutputKey, Pending};

/// An output as the writer hands it out.
pub(super) struct Claimed {
    key: OutputKey,
    conversation: ConversationId,
    output: Vec<u8>,
    attempts: u32,
}

impl Claimed {
    /// One that can't be read holds up its own call, and is looked at again when its lease has run out.
    pub(super) fn parse(self) -> Option<Pending> {
        let Self { key, conversation, output, attempts } = self;
        unit::parse(&output)
            .inspect_err(
                |error| tracing::error!(call = %key.call, version = key.version, %error, "an output can't be read"),
            )
            .ok()
            .map(|output| Pending { key, conversation, output, attempts })
    }
}

/// Adds a version's outputs behind what its call waits for already.
pub(super) fn add(tx: &Connection, unit: &Unit, now: Millis) -> rusqlite::Result<()> {
    for (index, output) in unit.outputs.iter().enumerate() {
        tx.prepare_cached(
            "INSERT INTO outputs (call, version, idx, conversation, output, due)
             VALUES (?1, ?2, ?3, ?4, ?5, CASE WHEN EXISTS (SELECT 1 FROM outputs WHERE call = ?1) THEN NULL ELSE ?6 END)",
        )?
        .execute(params![
            unit.id.as_bytes(),
            unit.version as i64,
            index as i64,
            unit.conversation.as_bytes(),
            output,
            now as i64
        ])?;
    }
    Ok(())
}

/// Leases what may be leased, what was due first before the rest.
pub(super) fn claim(tx: &Connection, now: Millis, lease_ms: Millis, limit: usize) -> rusqlite::Result<Vec<Claimed>> {
    let claimed = tx
        .prepare_cached(
            "SELECT call, version, idx, conversation, output, attempts FROM outputs
             WHERE due <= ?1 ORDER BY due, call LIMIT ?2",
        )?
        .query_map(params![now as i64, limit as i64], |row| {
            Ok(Claimed {
                key: OutputKey {
                    call: CallId::from(row.get::<_, [u8; 16]>(0)?),
                    version: row.get::<_, i64>(1)? as u64,
                    index: row.get(2)?,
                },
                conversation: row.get::<_, [u8; 16]>(3)?.into(),
                output: row.get(4)?,
                attempts: row.get(5)?,
            })
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    let mut lease = tx.prepare_cached(
        "UPDATE outputs SET due = ?4, attempts = attempts + 1 WHERE call = ?1 AND version = ?2 AND idx = ?3",
    )?;
    let until = now.saturating_add(lease_ms) as i64;
    for Claimed { key, .. } in &claimed {
        lease.execute(params![key.call.as_bytes(), key.version as i64, key.index, until])?;
    }
    Ok(claimed)
}

/// Takes an output away and lets the next one of its call come first.
pub(super) fn performed(tx: &Connection, key: OutputKey, now: Millis) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM outputs WHERE call = ?1 AND version = ?2 AND idx = ?3")?.execute(params![
        key.call.as_bytes(),
        key.version as i64,
        key.index
    ])?;
    tx.prepare_cached(
        "UPDATE outputs SET due = ?2
         WHERE no = (SELECT no FROM outputs WHERE call = ?1 ORDER BY version, idx LIMIT 1) AND due IS NULL",
    )?
    .execute(params![key.call.as_bytes(), now as i64])?;
    Ok(())
}

/// Lets an output be leased again from a time on. One that waits behind another has no time yet.
pub(super) fn postpone(tx: &Connection, key: OutputKey, until: Millis) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE outputs SET due = ?4 WHERE call = ?1 AND version = ?2 AND idx = ?3 AND due IS NOT NULL")?
        .execute(params![key.call.as_bytes(), key.version as i64, key.index, until as i64])?;
    Ok(())
}

/// When the next one may be leased.
pub(super) fn next(tx: &Connection) -> rusqlite::Result<Option<Millis>> {
    tx.prepare_cached("SELECT due FROM outputs WHERE due IS NOT NULL ORDER BY due LIMIT 1")?
        .query_row([], |row| Ok(row.get::<_, i64>(0)? as Millis))
        .optional()
}
