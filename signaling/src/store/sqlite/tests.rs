//! The suite in a file of its own, and what only tables have: constraints, migrations, and plans.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use protocol::{ErrorCode, Millis};
use runtime::store::{Store, WriteError, migrate};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::super::conformance::examples::{example, joins, next};
use super::super::conformance::{Home, T0, conforms};
use super::super::{CallStore, Created, StoreError, Swapped};
use super::{SqliteCalls, migrations, store_options};

/// A folder, and the store in it.
struct Folder {
    calls: SqliteCalls,
    time: Arc<AtomicU64>,
    folder: TempDir,
}

impl Folder {
    fn open(folder: TempDir, time: Arc<AtomicU64>) -> Self {
        let store = Store::open(store_options(folder.path())).unwrap();
        let clock = Arc::clone(&time);
        Self { calls: SqliteCalls::with_clock(store, move || clock.load(Ordering::Relaxed)), time, folder }
    }
}

impl Home for Folder {
    type Store = SqliteCalls;

    async fn new() -> Self {
        Self::open(tempfile::tempdir().unwrap(), Arc::new(AtomicU64::new(T0)))
    }

    fn store(&self) -> &SqliteCalls {
        &self.calls
    }

    fn advance(&self, ms: Millis) {
        self.time.fetch_add(ms, Ordering::Relaxed);
    }

    async fn reopen(self) -> Self {
        let Self { calls, time, folder } = self;
        calls.store.close().await;
        Self::open(folder, time)
    }
}

conforms!(Folder);

#[test]
fn every_migration_leads_back() {
    let folder = tempfile::tempdir().unwrap();
    let options = store_options(folder.path());
    let newest = migrations().last().unwrap().version;
    for _ in 0..2 {
        assert_eq!(migrate::up_to(&options, newest).unwrap(), newest);
        for version in (0..newest).rev() {
            assert_eq!(migrate::down_to(&options, version).unwrap(), version);
        }
    }
}

const EXAMPLES: &str = "
INSERT INTO calls VALUES (1, zeroblob(16), 5, zeroblob(16), zeroblob(16), zeroblob(16), 9, NULL, x'7b7d');
INSERT INTO calls VALUES (2, randomblob(16), 5, zeroblob(16), randomblob(16), zeroblob(16), NULL, 9, x'7b7d');
INSERT INTO outputs VALUES (1, zeroblob(16), 5, 0, zeroblob(16), x'7b7d', 9, 0);
INSERT INTO outputs VALUES (2, zeroblob(16), 5, 1, zeroblob(16), x'7b7d', NULL, 0);
INSERT INTO records VALUES (zeroblob(16), 9, x'7b7d');
INSERT INTO history VALUES (zeroblob(16), zeroblob(16), 1);
";

#[tokio::test]
async fn what_breaks_a_rule_is_refused_by_the_tables_too() {
    let home = Folder::new().await;
    let store = &home.calls.store;
    store.write("test/prepare", |tx| tx.execute_batch(EXAMPLES)).await.unwrap();
    for sql in [
        // One live call in a conversation, and one call by a client id.
        "INSERT INTO calls VALUES (3, randomblob(16), 5, zeroblob(16), randomblob(16), zeroblob(16), 9, NULL, x'7b7d')",
        "INSERT INTO calls VALUES (3, randomblob(16), 5, randomblob(16), zeroblob(16), zeroblob(16), 9, NULL, x'7b7d')",
        "INSERT INTO calls VALUES (3, zeroblob(16), 5, randomblob(16), randomblob(16), zeroblob(16), 9, NULL, x'7b7d')",
        // What goes on has a deadline, what is over has none, and stays over.
        "UPDATE calls SET due = NULL WHERE no = 1",
        "UPDATE calls SET due = 9 WHERE no = 2",
        "UPDATE calls SET version = 6 WHERE no = 2",
        "UPDATE calls SET version = 5 WHERE no = 1",
        "UPDATE calls SET unit = zeroblob(131073)",
        "UPDATE calls SET conversation = x'00'",
        // One output of a call may be leased, and each has a name of its own.
        "UPDATE outputs SET due = 9 WHERE no = 2",
        "UPDATE outputs SET idx = 0",
        "UPDATE outputs SET attempts = -1",
        "INSERT INTO places VALUES (zeroblob(15), zeroblob(16))",
        "INSERT INTO history VALUES (randomblob(16), randomblob(16), 0)",
        "INSERT INTO history VALUES (zeroblob(16), zeroblob(16), 0)",
        "UPDATE history SET missed = 2",
        "INSERT INTO seen VALUES (zeroblob(16), x'00')",
    ] {
        let refused = store.write("test/break", move |tx| tx.execute(sql, [])).await;
        let Err(WriteError::Refused(error)) = refused else { panic!("a constraint is missing: {sql}") };
        assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::ConstraintViolation), "{sql}: {error}");
    }
}

#[tokio::test]
async fn no_question_looks_at_more_than_it_is_about() {
    let home = Folder::new().await;
    for (sql, index) in [
        ("SELECT id FROM calls WHERE client_id = x'' AND by_user = x''", "calls_by_client_id"),
        ("SELECT id FROM calls WHERE conversation = x'' AND ended_at IS NULL", "calls_live_in"),
        ("SELECT unit FROM calls WHERE ended_at IS NULL AND id > x'' ORDER BY id LIMIT 9", "calls_live"),
        ("SELECT unit FROM calls WHERE ended_at >= 1 ORDER BY ended_at DESC, id DESC LIMIT 9", "calls_over"),
        ("SELECT id FROM calls WHERE due <= 1 ORDER BY due, id LIMIT 9", "calls_due"),
        ("SELECT due FROM calls WHERE due IS NOT NULL ORDER BY due LIMIT 1", "calls_due"),
        ("SELECT 1 FROM places WHERE user = x'' AND call IS NOT NULL LIMIT 1", "places_by_user"),
        ("SELECT call FROM outputs WHERE due <= 1 ORDER BY due, call LIMIT 9", "outputs_due"),
        ("SELECT due FROM outputs WHERE due IS NOT NULL ORDER BY due LIMIT 1", "outputs_due"),
        ("SELECT count(*) FROM history WHERE user = x'' AND missed = 1 AND call > x''", "history_missed"),
        (
            "SELECT record FROM history JOIN records USING (call)
             WHERE user = x'' AND history.call < x'' ORDER BY history.call DESC LIMIT 9",
            "PRIMARY KEY (user=? AND call<?)",
        ),
        ("SELECT user FROM places WHERE call = x''", "PRIMARY KEY (call=?)"),
        ("SELECT record FROM records WHERE call > x'' ORDER BY call LIMIT 9", "sqlite_autoindex_records_1"),
        ("SELECT user, call FROM seen WHERE user > x'' ORDER BY user LIMIT 9", "PRIMARY KEY (user>?)"),
        ("SELECT no FROM calls WHERE ended_at <= 1 ORDER BY ended_at, id LIMIT 9", "calls_over"),
        ("SELECT call FROM records WHERE ended_at < 1 ORDER BY ended_at, call LIMIT 9", "records_by_age"),
        ("DELETE FROM history WHERE call = x''", "history_by_call"),
    ] {
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let plan = home.calls.store.read("test/plan", move |connection| {
            let mut statement = connection.prepare(&explain)?;
            statement.query_map([], |row| row.get::<_, String>(3))?.collect::<rusqlite::Result<Vec<_>>>()
        });
        let plan = plan.await.unwrap().join("; ");
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{sql}: {plan}");
    }
}

#[tokio::test]
async fn a_store_that_is_closed_says_so_to_whoever_asks() {
    let home = Folder::new().await;
    home.calls.store.close().await;
    let codes = [
        home.calls.claim_due(1, 1).await.map_err(|error| error.code).err(),
        home.calls.next_due().await.map_err(|StoreError { code, .. }| code).err(),
    ];
    assert_eq!(codes, [Some(ErrorCode::Unavailable); 2]);
}

#[tokio::test]
async fn when_new_calls_are_refused_those_that_go_on_still_change() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = store_options(folder.path());
    options.write_queue_max = 5;
    let calls = SqliteCalls::with_clock(Store::open(options).unwrap(), || T0);
    let (call, outputs) = example(0).at(T0);
    assert_eq!(calls.create(&call, &outputs).await, Ok(Created::Done));
    // The writer is held up, and four of the five places behind it are taken.
    let ((at_work, begun), (go_on, held)) = (oneshot::channel(), mpsc::channel::<()>());
    let hold = calls.store.clone();
    let hold = tokio::spawn(async move {
        hold.write("test/hold", move |_| {
            at_work.send(()).ok();
            held.recv().map_err(|error| error.to_string())
        })
        .await
    });
    begun.await.unwrap();
    let start = |n| {
        let calls = calls.clone();
        async move {
            let (call, outputs) = example(n).at(T0);
            calls.create(&call, &outputs).await
        }
    };
    let waiting: Vec<_> = (1..=4).map(|n| tokio::spawn(start(n))).collect();
    while calls.store.queued_writes() < 4 {
        tokio::task::yield_now().await;
    }
    assert_eq!(start(5).await.map_err(|error| error.code), Err(ErrorCode::Overloaded));
    let (next, outputs) = next(&call, T0, joins(1));
    let (swapped, released) = tokio::join!(calls.swap(call.version, &next, &outputs), async { go_on.send(()) });
    assert_eq!((swapped, released), (Ok(Swapped::Done), Ok(())));
    hold.await.unwrap().unwrap();
    for created in waiting {
        assert_eq!(created.await.unwrap(), Ok(Created::Done));
    }
}

#[tokio::test]
async fn an_output_that_cannot_be_read_holds_up_no_other() {
    let home = Folder::new().await;
    let prepare = "
        INSERT INTO outputs VALUES (1, zeroblob(16), 5, 0, zeroblob(16), x'7b7d', 9, 0);
        INSERT INTO outputs VALUES (2, randomblob(16), 5, 0, zeroblob(16), CAST('{\"kind\":\"ring\",\"users\":[]}' AS BLOB), 9, 0);
    ";
    home.calls.store.write("test/prepare", move |tx| tx.execute_batch(prepare)).await.unwrap();
    assert_eq!(home.calls.claim_outputs(1_000, 10).await.unwrap().len(), 1);
    assert_eq!(home.calls.claim_outputs(1_000, 10).await, Ok(vec![]));
}
