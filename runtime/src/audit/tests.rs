use protocol::{ServiceName, UserId};
use tempfile::TempDir;

use super::*;
use crate::store::{Migration, ReadError, Store, StoreOptions, WriteError};

const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "audit", up: MIGRATION_SQL, down: MIGRATION_DOWN_SQL }];

fn open(directory: &TempDir) -> Store {
    let path = directory.path().join("auth.db");
    Store::open(StoreOptions::new(path, ServiceName::Auth, MIGRATIONS)).unwrap()
}

fn all(store: &Store, filter: Filter) -> Vec<Record> {
    store
        .read_now("audit/query", move |connection| query(connection, &filter))
        .unwrap_or_else(|error: ReadError<rusqlite::Error>| panic!("{error}"))
}

fn denial(action: &'static str) -> Event {
    Event::new(action, "account", AuditResult::Denied).with_reason("wrong password").with_request(
        Some("203.0.113.9".parse().unwrap()),
        None,
        None,
    )
}

#[test]
fn an_event_is_stored_with_its_change_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    let user = UserId::now();
    let event = Event::new("session.login", "account", AuditResult::Allowed).with_user(Some(user)).with_request(
        Some("2001:db8::1".parse().unwrap()),
        Some(protocol::RequestId::now()),
        Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned()),
    );
    let stored = event.clone();
    store.write_now("audit/append", move |tx| append(tx, &stored)).unwrap();
    let undone: Result<(), WriteError<String>> = store.write_now("audit/append", |tx| {
        append(tx, &denial("session.login")).map_err(|error| error.to_string())?;
        Err("refused".to_owned())
    });
    assert!(matches!(undone, Err(WriteError::Refused(_))));
    let records = all(&store, Filter::default());
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].event, event);
    assert_eq!(records[0].count, 1);
}

#[test]
fn the_trail_can_be_neither_changed_nor_shortened() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    store.write_now("audit/append", |tx| append(tx, &denial("session.login"))).unwrap();
    for sql in ["UPDATE audit SET reason = 'x'", "DELETE FROM audit", "UPDATE audit SET at = 0"] {
        let outcome = store.write_now("audit/tamper", move |tx| tx.execute(sql, []));
        assert!(matches!(outcome, Err(WriteError::Refused(_))), "{sql}");
    }
    assert_eq!(all(&store, Filter::default()).len(), 1);
}

#[test]
fn only_age_takes_events_out() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    store
        .write_now("audit/append", |tx| {
            let mut old = denial("session.login");
            old.at -= (KEEP_AT_LEAST_DAYS + 1) * 86_400_000;
            append(tx, &old)?;
            append(tx, &denial("session.login"))
        })
        .unwrap();
    let expired = store.write_now("audit/expire", |tx| expire(tx, 1)).unwrap();
    assert_eq!(expired, 1);
    assert_eq!(all(&store, Filter::default()).len(), 1);
}

#[test]
fn a_query_filters_and_pages() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    let user = UserId::now();
    store
        .write_now("audit/append", move |tx| {
            for number in 0..10 {
                let event = match number % 2 {
                    0 => denial("session.login"),
                    _ => Event::new("member.kick", "conversation:1", AuditResult::Allowed).with_user(Some(user)),
                };
                append(tx, &event)?;
            }
            Ok::<_, rusqlite::Error>(())
        })
        .unwrap();
    let kicks = Filter { user: Some(user), action: Some("member.kick".to_owned()), ..Filter::default() };
    assert_eq!(all(&store, kicks).len(), 5);
    let denied = Filter { result: Some(AuditResult::Denied), limit: 3, ..Filter::default() };
    let first = all(&store, denied.clone());
    let second = all(&store, Filter { after: first.last().map(|record| record.id), ..denied });
    assert_eq!((first.len(), second.len()), (3, 2));
    assert!(first.iter().chain(&second).map(|record| record.id).rev().is_sorted());
    let future = Filter { from: Some(u64::MAX >> 1), ..Filter::default() };
    assert!(all(&store, future).is_empty());
}

#[tokio::test]
async fn a_flood_of_equal_denials_is_one_row_with_a_count() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    let spool = Spool::start(store.clone(), 1_000);
    for _ in 0..500 {
        spool.report(denial("session.login"));
    }
    spool.report(denial("session.refresh"));
    spool.drain().await;
    let records = all(&store, Filter::default());
    let count = |action: &str| {
        records.iter().filter(|record| record.event.action == action).map(|record| record.count).collect::<Vec<_>>()
    };
    assert_eq!(count("session.login"), [500]);
    assert_eq!(count("session.refresh"), [1]);
}

#[tokio::test]
async fn what_a_full_spool_cannot_take_is_counted_in_one_row() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    let spool = Spool::start(store.clone(), 10);
    // Nothing yields in between, so the spool can't keep up.
    for _ in 0..100 {
        spool.report(denial("session.login"));
    }
    spool.drain().await;
    let records = all(&store, Filter::default());
    let total: u64 = records.iter().map(|record| record.count).sum();
    assert_eq!(total, 100);
    let overflow: Vec<_> = records.iter().filter(|record| record.event.action == "audit.overflow").collect();
    assert_eq!(overflow.len(), 1);
    assert_eq!(overflow[0].count, 90);
}
