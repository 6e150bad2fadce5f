//! Who holds a place in which live call.
//!
//! Most versions change nothing of it, so what is there is read first and only the difference written.

use protocol::{CallId, UserId};
use rusqlite::{Connection, OptionalExtension, params};

use super::find::ids;

/// From now on exactly these hold a place in the call.
pub(super) fn set(tx: &Connection, call: CallId, holders: &[UserId]) -> rusqlite::Result<()> {
    let mut statement = tx.prepare_cached("SELECT user FROM places WHERE call = ?1")?;
    let before: Vec<UserId> = ids(&mut statement, params![call.as_bytes()])?;
    for user in before.iter().filter(|user| !holders.contains(user)) {
        tx.prepare_cached("DELETE FROM places WHERE call = ?1 AND user = ?2")?
            .execute(params![call.as_bytes(), user.as_bytes()])?;
    }
    for user in holders.iter().filter(|user| !before.contains(user)) {
        tx.prepare_cached("INSERT INTO places (call, user) VALUES (?1, ?2)")?
            .execute(params![call.as_bytes(), user.as_bytes()])?;
    }
    Ok(())
}

/// Those of these users who hold a place in a call other than `except`.
pub(super) fn busy(tx: &Connection, users: Vec<UserId>, except: Option<CallId>) -> rusqlite::Result<Vec<UserId>> {
    let mut statement = tx.prepare_cached("SELECT 1 FROM places WHERE user = ?1 AND call IS NOT ?2 LIMIT 1")?;
    let except = except.map(|call| *call.as_bytes());
    let mut busy = Vec::new();
    for user in users {
        if statement.query_row(params![user.as_bytes(), except], |_| Ok(())).optional()?.is_some() {
            busy.push(user);
        }
    }
    Ok(busy)
}
