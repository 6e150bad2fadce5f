//! The durable, numbered list of what is void before its time.
//!
//! Numbers are gapless and given in the transaction that revokes: a gateway that has number n has everything up to n.

use std::sync::Arc;

use link::{Audience, Event, Identity, Revocation, Revocations, Revoked};
use protocol::{Millis, UserId};
use rusqlite::{Connection, Row, params};

use crate::sql::{number, read_number, read_session, read_time, read_user};

/// The most rows in one answer.
const PAGE: usize = 10_000;

/// Adds a row.
pub(crate) fn append(store: &Connection, user: UserId, revoked: Revoked, until: Millis) -> rusqlite::Result<u64> {
    let newest = store
        .prepare_cached("UPDATE revocation_head SET newest = newest + 1 RETURNING newest")?
        .query_row([], |row| read_number(row, 0))?;
    let (session, before) = match revoked {
        Revoked::Session(session) => (Some(*session.as_bytes()), None),
        Revoked::TokensBefore(before) => (None, Some(number(before))),
    };
    store
        .prepare_cached(
            "INSERT INTO revocations (number, account, session, tokens_before, until) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![number(newest), user.as_bytes(), session, before, number(until)])?;
    Ok(newest)
}

/// The hint that the list has grown. It says nothing else: who hears it reads the list.
pub(crate) fn grown(at: Millis) -> Event {
    Event {
        identity: Identity::Ephemeral { until: at },
        audience: Audience::Users(Arc::default()),
        name: "revocations.grown".into(),
        at,
        body: b"{}".as_slice().into(),
        by_rights: false,
        effects: Arc::default(),
    }
}

/// The rows after a number that still concern a live token.
pub(crate) fn after(store: &Connection, after: u64, now: Millis) -> rusqlite::Result<Revocations> {
    let head = store.prepare_cached("SELECT newest FROM revocation_head")?.query_row([], |row| read_number(row, 0))?;
    let rows: Vec<Revocation> = store
        .prepare_cached(
            "SELECT number, account, session, tokens_before, until FROM revocations
             WHERE number > ?1 AND until > ?2 ORDER BY number LIMIT ?3",
        )?
        .query_map(params![number(after), number(now), PAGE as i64], read)?
        .collect::<Result<_, _>>()?;
    // A full page may have left something out: then it goes on from its last row.
    let newest = match rows.last() {
        Some(last) if rows.len() == PAGE => last.number,
        _ => head,
    };
    Ok(Revocations { rows, newest })
}

fn read(row: &Row<'_>) -> rusqlite::Result<Revocation> {
    let revoked = match read_time(row, 3)? {
        Some(before) => Revoked::TokensBefore(before),
        None => Revoked::Session(read_session(row, 2)?),
    };
    Ok(Revocation { number: read_number(row, 0)?, user: read_user(row, 1)?, revoked, until: read_number(row, 4)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::SessionId;

    fn store() -> Connection {
        let store = Connection::open_in_memory().unwrap();
        for migration in crate::schema::MIGRATIONS {
            store.execute_batch(migration.up).unwrap();
        }
        store
    }

    #[test]
    fn numbers_have_no_gap_also_when_a_revocation_is_undone() {
        let store = store();
        let user = UserId::now();
        let revoke = || append(&store, user, Revoked::Session(SessionId::now()), 100).unwrap();
        assert_eq!(revoke(), 1);
        store.execute_batch("SAVEPOINT command").unwrap();
        assert_eq!(revoke(), 2);
        store.execute_batch("ROLLBACK TO command; RELEASE command").unwrap();
        assert_eq!(revoke(), 2);
        let numbers: Vec<_> = after(&store, 0, 0).unwrap().rows.iter().map(|row| row.number).collect();
        assert_eq!(numbers, [1, 2]);
    }

    #[test]
    fn what_concerns_no_live_token_is_left_out_and_the_number_goes_on() {
        let store = store();
        let user = UserId::now();
        append(&store, user, Revoked::Session(SessionId::now()), 100).unwrap();
        append(&store, user, Revoked::TokensBefore(7), 200).unwrap();
        let all = after(&store, 0, 100).unwrap();
        assert_eq!(all.newest, 2);
        assert_eq!(all.rows.len(), 1);
        assert_eq!(all.rows[0].revoked, Revoked::TokensBefore(7));
        assert_eq!(after(&store, 2, 0).unwrap(), Revocations { rows: vec![], newest: 2 });
        store.execute("DELETE FROM revocations", []).unwrap();
        assert_eq!(append(&store, user, Revoked::TokensBefore(8), 300).unwrap(), 3);
    }

    #[test]
    fn a_long_list_comes_in_pages() {
        let store = store();
        let user = UserId::now();
        store.execute_batch("BEGIN").unwrap();
        for _ in 0..PAGE + 5 {
            append(&store, user, Revoked::TokensBefore(1), 100).unwrap();
        }
        store.execute_batch("COMMIT").unwrap();
        let first = after(&store, 0, 0).unwrap();
        assert_eq!((first.rows.len(), first.newest), (PAGE, PAGE as u64));
        let second = after(&store, first.newest, 0).unwrap();
        assert_eq!((second.rows.len(), second.newest), (5, PAGE as u64 + 5));
    }
}
