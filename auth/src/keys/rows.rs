//! The keys in the store.

use protocol::Millis;
use rusqlite::{Connection, params};

use super::SigningKey;
use crate::sql::{number, read_number};
use crate::stop::Stop;

/// All keys.
pub(crate) fn load(connection: &Connection) -> Result<Vec<SigningKey>, Stop> {
    let mut statement = connection.prepare_cached("SELECT kid, signs_from, pkcs8 FROM signing_keys")?;
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, String>(0)?, read_number(row, 1)?, row.get::<_, Vec<u8>>(2)?)))?;
    rows.map(|row| {
        let (kid, signs_from, pkcs8) = row?;
        SigningKey::read(kid, signs_from, &pkcs8).map_err(Stop::Fault)
    })
    .collect()
}

/// Keeps a new key.
pub(crate) fn insert(connection: &Connection, key: &SigningKey, now: Millis) -> Result<(), Stop> {
    connection
        .prepare_cached("INSERT INTO signing_keys (kid, signs_from, pkcs8, created_at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![key.kid, number(key.signs_from), key.pkcs8(), number(now)])?;
    Ok(())
}

/// Forgets keys whose last token has expired.
pub(crate) fn drop_spent(connection: &Connection, kids: &[String]) -> Result<(), Stop> {
    let mut statement = connection.prepare_cached("DELETE FROM signing_keys WHERE kid = ?1")?;
    for kid in kids {
        statement.execute([kid])?;
    }
    Ok(())
}
