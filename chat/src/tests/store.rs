//! What the store itself holds, whatever path leads to it: constraints, migrations, batches that fail.

use protocol::chat::Sent;
use protocol::{ClientId, ErrorCode};
use runtime::store::{WriteError, migrate};
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
