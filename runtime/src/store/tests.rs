use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use protocol::ServiceName;
use rusqlite::params;
use tempfile::TempDir;

use super::*;

mod overload;

const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "notes",
        up: "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT",
        down: "DROP TABLE note",
    },
    Migration {
        version: 2,
        name: "colours",
        up: "ALTER TABLE note ADD COLUMN colour TEXT",
        down: "ALTER TABLE note DROP COLUMN colour",
    },
];

fn options(directory: &TempDir) -> StoreOptions {
    StoreOptions::new(directory.path().join("chat.db"), ServiceName::Chat, MIGRATIONS)
}

fn open(directory: &TempDir) -> Store {
    Store::open(options(directory)).unwrap()
}

fn add(tx: &WriteTx<'_>, text: &str) -> rusqlite::Result<i64> {
    tx.prepare_cached("INSERT INTO note (text) VALUES (?1)")?.execute([text])?;
    Ok(tx.last_insert_rowid())
}

fn texts(store: &Store) -> Vec<String> {
    store
        .read_now("note/list", |connection| {
            let mut statement = connection.prepare_cached("SELECT text FROM note ORDER BY id")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<Vec<String>>>()
        })
        .unwrap()
}

/// Fills the queue behind a command that waits, so that all of it becomes one batch.
fn hold_the_writer(store: &Store) -> std::sync::mpsc::Sender<()> {
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let (started, entered) = std::sync::mpsc::channel();
    let store = store.clone();
    std::thread::spawn(move || {
        let _ = store.write_now("note/hold", move |_| {
            started.send(()).unwrap();
            let _ = wait.recv();
            Ok::<_, rusqlite::Error>(())
        });
    });
    entered.recv().unwrap();
    release
}

#[test]
fn what_comes_while_several_commands_are_gathered_shares_their_commit() {
    let directory = tempfile::tempdir().unwrap();
    let (gather, batch_time) = (Duration::from_secs(1), Duration::from_secs(60));
    let store = Store::open(StoreOptions { gather, batch_time, ..options(&directory) }).unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let say = |text: &'static str, ran: Option<std::sync::mpsc::Sender<()>>| {
        let (store, told) = (store.clone(), Arc::clone(&told));
        std::thread::spawn(move || {
            store.write_now("note/say", move |tx| {
                told.lock().push(format!("{text} ran"));
                tx.on_commit(move || told.lock().push(format!("{text} committed")));
                ran.into_iter().for_each(|ran| ran.send(()).unwrap());
                Ok::<_, rusqlite::Error>(())
            })
        })
    };
    let (ran, first_ran) = std::sync::mpsc::channel();
    let release = hold_the_writer(&store);
    let first = say("first", Some(ran));
    while store.queued_writes() == 0 {
        std::thread::yield_now();
    }
    release.send(()).unwrap();
    first_ran.recv().unwrap();
    // The queue is empty, and the two that have run wait for more.
    let second = say("second", None);
    first.join().unwrap().unwrap();
    second.join().unwrap().unwrap();
    assert_eq!(*told.lock(), ["first ran", "second ran", "first committed", "second committed"]);
}

#[test]
fn a_command_that_comes_alone_is_committed_without_waiting_for_others() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(StoreOptions { gather: Duration::from_secs(24 * 60 * 60), ..options(&directory) }).unwrap();
    store.write_now("note/add", |tx| add(tx, "alone")).unwrap();
    assert_eq!(texts(&store), ["alone"]);
}

#[test]
fn what_was_acknowledged_is_read_at_once_and_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    let epoch = store.epoch();
    store.write_now("note/add", |tx| add(tx, "kept")).unwrap();
    assert_eq!(texts(&store), ["kept"]);
    drop(store);
    let store = open(&directory);
    assert_eq!(texts(&store), ["kept"]);
    assert_eq!(store.epoch(), epoch);
}

#[tokio::test]
async fn a_refusal_undoes_its_own_command_and_not_its_neighbours() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    let release = hold_the_writer(&store);
    let mut pending = Vec::new();
    for number in 0..10 {
        let store = store.clone();
        pending.push(tokio::spawn(async move {
            store
                .write("note/add", move |tx| {
                    add(tx, &format!("note {number}")).map_err(|error| error.to_string())?;
                    if number % 2 == 0 { Ok(number) } else { Err("odd".to_owned()) }
                })
                .await
        }));
    }
    while store.queued_writes() < 10 {
        tokio::task::yield_now().await;
    }
    release.send(()).unwrap();
    let mut refused = 0;
    for task in pending {
        match task.await.unwrap() {
            Ok(number) => assert_eq!(number % 2, 0),
            Err(WriteError::Refused(error)) => {
                assert_eq!(error, "odd");
                refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(refused, 5);
    let kept = texts(&store);
    assert_eq!(kept.len(), 5);
    assert!(kept.iter().all(|text| text.ends_with(['0', '2', '4', '6', '8'])));
}

#[test]
fn hooks_run_in_commit_order_before_the_answer_and_never_for_a_refusal() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    let seen = Arc::new(Mutex::new(Vec::new()));
    for number in 0..50 {
        let hooked = Arc::clone(&seen);
        let outcome = store.write_now("note/add", move |tx| {
            let id = add(tx, &format!("{number}")).map_err(|_| ())?;
            tx.on_commit(move || hooked.lock().push(id));
            if number % 5 == 4 { Err(()) } else { Ok(id) }
        });
        if let Ok(id) = outcome {
            assert_eq!(seen.lock().last(), Some(&id));
        }
    }
    assert_eq!(seen.lock().len(), 40);
    assert!(seen.lock().is_sorted());
}

#[test]
fn a_panic_undoes_its_command_and_goes_on_in_its_caller() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    let panicking = store.clone();
    let outcome = std::thread::spawn(move || {
        let _ = panicking.write_now("note/add", |tx| -> Result<(), rusqlite::Error> {
            add(tx, "half done")?;
            panic!("on purpose")
        });
    })
    .join();
    assert!(outcome.is_err());
    store.write_now("note/add", |tx| add(tx, "after")).unwrap();
    assert_eq!(texts(&store), ["after"]);
}

#[test]
fn a_full_queue_refuses_instead_of_growing() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(StoreOptions { write_queue_max: 3, ..options(&directory) }).unwrap();
    let release = hold_the_writer(&store);
    let accepted = Arc::new(AtomicUsize::new(0));
    let waiting: Vec<_> = (0..3)
        .map(|number| {
            let (store, accepted) = (store.clone(), Arc::clone(&accepted));
            std::thread::spawn(move || {
                store.write_now("note/add", move |tx| add(tx, &number.to_string())).unwrap();
                accepted.fetch_add(1, Ordering::SeqCst);
            })
        })
        .collect();
    while store.queued_writes() < 3 {
        std::thread::yield_now();
    }
    let refused = store.write_now("note/add", |tx| add(tx, "too many"));
    assert!(matches!(refused, Err(WriteError::Overloaded)));
    release.send(()).unwrap();
    for thread in waiting {
        thread.join().unwrap();
    }
    assert_eq!(texts(&store).len(), 3);
}

#[test]
fn a_full_disk_is_said_and_damages_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    store.write_now("note/add", |tx| add(tx, "before")).unwrap();
    store
        .write_now("note/limit", |tx| {
            tx.query_row("PRAGMA page_count", [], |row| row.get::<_, u32>(0))
                .and_then(|pages| tx.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())))
        })
        .unwrap();
    let big = "x".repeat(100_000);
    let full = store.write_now("note/add", move |tx| add(tx, &big));
    assert!(matches!(full, Err(WriteError::Full)), "{full:?}");
    assert_eq!(texts(&store), ["before"]);
    store.write_now("note/limit", |tx| tx.query_row("PRAGMA max_page_count = 1000000", [], |_| Ok(()))).unwrap();
    store.write_now("note/add", |tx| add(tx, "after")).unwrap();
    assert_eq!(texts(&store), ["before", "after"]);
    let whole: String = store
        .read_now("note/check", |connection| connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)))
        .unwrap_or_else(|error: ReadError<rusqlite::Error>| panic!("{error}"));
    assert_eq!(whole, "ok");
}

#[test]
fn a_slow_read_is_interrupted_at_its_deadline() {
    let directory = tempfile::tempdir().unwrap();
    let store =
        Store::open(StoreOptions { read_deadline: Duration::from_millis(50), readers: 1, ..options(&directory) })
            .unwrap();
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let outcome =
        store.read_now("note/endless", move |connection| connection.query_row(endless, [], |row| row.get::<_, i64>(0)));
    assert!(matches!(outcome, Err(ReadError::Timeout)), "{outcome:?}");
    assert!(texts(&store).is_empty());
}

#[test]
fn a_read_sees_one_snapshot_and_cannot_write() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    let writer = store.clone();
    let counts = store
        .read_now("note/count", move |connection| {
            let count = || connection.query_row("SELECT count(*) FROM note", [], |row| row.get::<_, i64>(0));
            let before = count()?;
            writer.write_now("note/add", |tx| add(tx, "meanwhile")).unwrap();
            Ok::<_, rusqlite::Error>((before, count()?))
        })
        .unwrap();
    assert_eq!(counts, (0, 0));
    let outcome = store.read_now("note/write", |connection| connection.execute("DELETE FROM note", []));
    assert!(matches!(outcome, Err(ReadError::Failed(_))));
    assert_eq!(texts(&store), ["meanwhile"]);
}

#[test]
fn a_foreign_file_is_refused_and_untouched() {
    let directory = tempfile::tempdir().unwrap();
    let path = options(&directory).path;
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE theirs (a)").unwrap();
    drop(other);
    for content in [std::fs::read(&path).unwrap(), vec![7; 5_000], b"text".to_vec()] {
        std::fs::write(&path, &content).unwrap();
        let error = Store::open(options(&directory)).unwrap_err();
        assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), content);
    }
}

#[test]
fn another_services_file_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(&directory));
    let error = Store::open(StoreOptions { service: ServiceName::Auth, ..options(&directory) }).unwrap_err();
    assert!(error.to_string().contains("chat-service"), "{error}");
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_untouched() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    store.write_now("note/add", |tx| add(tx, "from the future")).unwrap();
    store.close().await;
    let path = options(&directory).path;
    let before = std::fs::read(&path).unwrap();
    let error = Store::open(StoreOptions { migrations: &MIGRATIONS[..1], ..options(&directory) }).unwrap_err();
    assert!(matches!(error, OpenError::NewerSchema { found: 2, known: 1, .. }), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn an_unfinished_creation_is_started_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = options(&directory).path;
    std::fs::write(path.with_extension("db.new"), b"half a file").unwrap();
    std::fs::write(&path, b"").unwrap();
    let store = open(&directory);
    store.write_now("note/add", |tx| add(tx, "works")).unwrap();
}

#[test]
fn migrations_go_up_and_down_and_say_where_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let options = options(&directory);
    let applied = || {
        let status = migrate::status(&options).unwrap();
        status.iter().filter(|one| one.applied).count()
    };
    assert_eq!(applied(), 0);
    assert_eq!(migrate::up_to(&options, 1).unwrap(), 1);
    assert_eq!(applied(), 1);
    assert_eq!(migrate::up_to(&options, 2).unwrap(), 2);
    assert_eq!(migrate::down_to(&options, 0).unwrap(), 0);
    assert_eq!(applied(), 0);
    assert_eq!(migrate::up_to(&options, 2).unwrap(), 2);
}

#[test]
fn a_failed_migration_leaves_the_version_before() {
    const BROKEN: &[Migration] = &[
        MIGRATIONS[0],
        Migration { version: 2, name: "broken", up: "CREATE TABLE fine (a); CREATE TABLE fine (b)", down: "" },
    ];
    let directory = tempfile::tempdir().unwrap();
    let error = Store::open(StoreOptions { migrations: BROKEN, ..options(&directory) }).unwrap_err();
    assert!(error.to_string().contains("migration 2 (broken)"), "{error}");
    drop(open(&directory));
}

#[tokio::test]
async fn closing_finishes_what_is_queued_and_refuses_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    let writes: Vec<_> = (0..100)
        .map(|number: u32| {
            let store = store.clone();
            tokio::spawn(async move { store.write("note/add", move |tx| add(tx, &number.to_string())).await })
        })
        .collect();
    tokio::task::yield_now().await;
    store.close().await;
    let mut done = 0;
    for write in writes {
        match write.await.unwrap() {
            Ok(_) => done += 1,
            Err(error) => assert!(matches!(error, WriteError::Closed), "{error}"),
        }
    }
    let refused = store.write("note/add", |tx| add(tx, "late")).await;
    assert!(matches!(refused, Err(WriteError::Closed)));
    let reopened = open(&directory);
    assert_eq!(texts(&reopened).len(), done);
}

#[tokio::test]
async fn a_checkpoint_empties_the_wal() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    store.write_now("note/add", |tx| add(tx, "x")).unwrap();
    let wal = options(&directory).path.with_extension("db-wal");
    assert!(std::fs::metadata(&wal).unwrap().len() > 0);
    store.checkpoint().await.unwrap();
    assert_eq!(std::fs::metadata(&wal).unwrap().len(), 0);
    assert_eq!(texts(&store), ["x"]);
}

#[test]
fn after_a_failed_commit_the_outcome_is_unknown_and_the_file_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let options = options(&directory);
    let mut connection = file::open_or_create(&options).unwrap();
    migrate::apply_pending(&mut connection, MIGRATIONS).unwrap();
    // SQLite turns this COMMIT into a failure, as it does after a failed fsync.
    let failures = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&failures);
    connection.commit_hook(Some(move || count.fetch_add(1, Ordering::SeqCst) == 1)).unwrap();
    let epoch = file::epoch(&connection).unwrap();
    let generation = Arc::new(AtomicU64::new(1));
    let readers = Readers::start(&options).unwrap();
    let writer = Writer::start(&options, connection, Arc::clone(&readers), Arc::clone(&generation)).unwrap();
    let store = Store {
        inner: Arc::new(Inner {
            path: options.path.clone(),
            service: options.service,
            epoch,
            generation,
            writer,
            readers,
        }),
        work: Work::New,
    };
    store.write_now("note/add", |tx| add(tx, "first")).unwrap();
    assert_eq!(texts(&store), ["first"]);
    let hooked = Arc::new(AtomicUsize::new(0));
    let hook = Arc::clone(&hooked);
    let lost = store.write_now("note/add", move |tx| {
        tx.on_commit(move || _ = hook.fetch_add(1, Ordering::SeqCst));
        add(tx, "second")
    });
    assert!(matches!(lost, Err(WriteError::Unknown)), "{lost:?}");
    store.write_now("note/add", |tx| add(tx, "third")).unwrap();
    assert!(store.generation() > 1);
    assert_eq!(hooked.load(Ordering::SeqCst), 0);
    assert_eq!(texts(&store), ["first", "third"]);
}

#[test]
fn a_command_that_ends_the_transaction_fails_its_batch_only() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    let outcome = store.write_now("note/bad", |tx| tx.execute_batch("ROLLBACK"));
    assert!(matches!(outcome, Err(WriteError::Unknown)), "{outcome:?}");
    store.write_now("note/add", |tx| add(tx, "after")).unwrap();
    assert_eq!(texts(&store), ["after"]);
}

#[test]
fn bulk_rows_survive_checkpoints_under_load() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(StoreOptions { checkpoint_kib: 64, ..options(&directory) }).unwrap();
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let store = store.clone();
            std::thread::spawn(move || {
                for number in 0..200 {
                    let text = format!("{thread}/{number} {}", "y".repeat(200));
                    store
                        .write_now("note/add", move |tx| {
                            tx.execute("INSERT INTO note (text) VALUES (?1)", params![text])
                        })
                        .unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(texts(&store).len(), 1_600);
}

#[tokio::test]
async fn a_command_that_is_judged_first_refuses_without_a_trace_and_a_broken_promise_fails_its_batch() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    store.write_judged_first("note/add", |tx| add(tx, "done")).await.unwrap();
    let refused = store.write_judged_first("note/add", |_| Err::<(), _>("no")).await;
    assert!(matches!(refused, Err(WriteError::Refused("no"))));
    let generation = store.generation();
    let broken =
        store.write_judged_first("note/add", |tx| add(tx, "half").map_err(|_| "?").and(Err::<(), _>("no"))).await;
    assert!(matches!(broken, Err(WriteError::Unknown)));
    assert!(store.generation() > generation, "caches are told to forget");
    assert_eq!(texts(&store), ["done"]);
}

#[test]
fn a_statement_is_planned_once_whatever_is_bound_to_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(&directory);
    store.write_now("note/add", |tx| add(tx, "a").map(|_| ())).unwrap();
    let planned_again = store
        .read_now("note/some", |connection| {
            let mut statement = connection.prepare_cached("SELECT text FROM note ORDER BY id LIMIT ?1")?;
            for limit in 1..10 {
                statement.query_map([limit], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
            }
            Ok::<_, rusqlite::Error>(statement.get_status(rusqlite::StatementStatus::RePrepare))
        })
        .unwrap();
    assert_eq!(planned_again, 0);
}
