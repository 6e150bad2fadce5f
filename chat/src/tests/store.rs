//! What the store itself holds, whatever path leads to it: constraints, migrations, batches that fail.

use protocol::chat::Sent;
use protocol::{ClientId, ErrorCode};
use runtime::store::{WriteError, migrate};
use rusqlite::{Connection, params};
use serde_json::json;

use super::world::World;
use crate::{Config, migrations, store_options};

#[tokio::test]
async fn what_breaks_a_limit_is_refused_by_the_tables_too() {
    let world = World::new();
    let owner = world.person();
    let group = world.group(owner, &[]).await;
    owner.send(&world, group, "x").await.unwrap();
    let too_long = format!("UPDATE entries SET text = '{}' WHERE kind = 8", "x".repeat(4_001));
    for sql in [
        too_long.as_str(),
        "UPDATE entries SET seq = 1 WHERE kind = 8",
        "UPDATE entries SET client_id = NULL WHERE kind = 8",
        "UPDATE conversations SET title = ''",
        "UPDATE conversations SET title = NULL",
        "UPDATE conversations SET members = 100001",
        "UPDATE memberships SET role = 3",
        "UPDATE memberships SET first_seq = 0",
        "UPDATE memberships SET left_seq = 1",
        "UPDATE memberships SET delivered_seq = read_seq - 1",
        "UPDATE memberships SET read_own = own_number + 1",
        "UPDATE streams SET number = head_seq + 1",
        "INSERT INTO direct_pairs SELECT randomblob(16), zeroblob(16), no FROM streams",
    ] {
        let sql = sql.to_owned();
        let refused = world.chat.store().write("test/break", move |tx| tx.execute(&sql, [])).await;
        let Err(WriteError::Refused(error)) = refused else { panic!("a constraint is missing") };
        assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::ConstraintViolation), "{error}");
    }
}

#[test]
fn every_migration_leads_back() {
    let folder = tempfile::tempdir().unwrap();
    let options = store_options(&Config::default(), folder.path());
    let newest = migrations().last().unwrap().version;
    for _ in 0..2 {
        assert_eq!(migrate::up_to(&options, newest).unwrap(), newest);
        for version in (0..newest).rev() {
            assert_eq!(migrate::down_to(&options, version).unwrap(), version);
        }
    }
}

#[test]
fn before_own_messages_were_numbered_a_late_one_had_moved_the_marker_to_itself() {
    let folder = tempfile::tempdir().unwrap();
    let options = store_options(&Config::default(), folder.path());
    migrate::up_to(&options, 3).unwrap();
    let (one, other) = ([1_u8; 16], [2_u8; 16]);
    {
        let store = Connection::open(&options.path).unwrap();
        for (seq, number, actor) in [(5, 1, one), (6, 2, other), (7, 3, one)] {
            let insert = "INSERT INTO entries (stream, seq, tag, at, kind, number, actor, client_id, text)
                          VALUES (1, ?1, 0, 0, 8, ?2, ?3, randomblob(16), 'x')";
            store.execute(insert, params![seq, number, actor]).unwrap();
        }
        // One has sent 5 and, with 6 unread, 7; other has sent 6 with 5 unread.
        for (user, read, number, own, read_own) in [(one, 5, 1, 2, 1), (other, 4, 0, 1, 0)] {
            let insert = "INSERT INTO memberships
                              (stream, user, joined_seq, first_seq, role, read_seq, read_number, delivered_seq, own_number, read_own)
                          VALUES (1, ?1, 2, 1, 0, ?2, ?3, ?2, ?4, ?5)";
            store.execute(insert, params![user, read, number, own, read_own]).unwrap();
        }
    }
    migrate::down_to(&options, 2).unwrap();
    let store = Connection::open(&options.path).unwrap();
    let marker = |user: [u8; 16]| {
        store
            .query_row(
                "SELECT read_seq, read_number, delivered_seq, untold FROM memberships WHERE user = ?",
                [user],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
            .unwrap()
    };
    assert_eq!([marker(one), marker(other)], [(7, 3, 7, 1), (6, 2, 6, 1)]);
}

#[tokio::test]
async fn after_a_batch_that_failed_the_writer_remembers_nothing_of_it() {
    let world = World::new();
    let owner = world.person();
    let group = world.group(owner, &[]).await;
    let mut unknown = 0;
    for _ in 0..60 {
        let body = json!({ "client_id": ClientId::now(), "text": "once" });
        let send = || owner.ask::<Sent>(&world, "messages.send", Some(group), body.clone());
        // A command that breaks its promise takes its whole batch with it, whoever is in it.
        let breaks = world.chat.store().write_judged_first("test/break", |tx| {
            tx.execute("UPDATE conversations SET members = members", []).map_err(|error| error.to_string())?;
            Err::<(), _>("broken".to_owned())
        });
        let (mut sent, broken) = tokio::join!(send(), breaks);
        assert!(matches!(broken, Err(WriteError::Unknown)));
        while let Err(code) = sent {
            assert_eq!(code, ErrorCode::OutcomeUnknown);
            unknown += 1;
            sent = send().await;
        }
    }
    assert!(unknown > 0, "no send ever shared a batch with the broken command");
    let log = world.conversation_log(group).await;
    let numbers = log.iter().filter_map(|(_, body)| body["number"].as_u64());
    assert!(numbers.eq(1..=60), "each message stands once, numbered without a gap");
}
