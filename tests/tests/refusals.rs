//! What must be refused is refused with a clear message, and nothing is damaged.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test states what must be")]

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use harness::people::{START, assert_gapless};
use harness::power::failing::failing_syncs;
use harness::rest::try_send;
use harness::world::Settings;
use harness::{Person, Topology, World, on_every_topology, wait};
use protocol::chat::{MESSAGE_NEW, Sent};
use protocol::{ConversationId, ErrorCode, Retry, ServiceName};
use rusqlite::Connection;
use serde_json::json;
use uuid::Uuid;

on_every_topology![
    a_second_process_on_the_same_data_is_refused_and_disturbs_nothing,
    a_file_of_another_program_is_refused_and_left_alone,
    a_store_of_a_newer_version_is_refused_and_left_alone,
    a_full_disk_is_told_and_damages_nothing,
    a_disk_that_can_not_sync_is_told_and_nothing_acknowledged_is_lost,
];

async fn a_second_process_on_the_same_data_is_refused_and_disturbs_nothing(topology: Topology) {
    let mut world = World::start(topology).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let pid = world.pid(topology.chat_part()).to_string();
    let roles = ServiceName::ALL.map(ServiceName::role);
    for role in roles {
        let output = world.try_command_line(&["serve", "--role", role]).await;
        assert!(!output.status.success(), "{role} started twice");
        let said = said(&output);
        assert!(said.contains("in use") || said.contains(&pid), "{role}: {said}");
    }
    let mut device = bob.device().await;
    ann.say(conversation, "undisturbed").await;
    device.hears("undisturbed").await;
    world.end().await;
}

async fn a_file_of_another_program_is_refused_and_left_alone(topology: Topology) {
    let mut world = World::start(topology).await;
    world.kill_all().await;
    let store = world.store_file(ServiceName::Chat);
    remove_store(&store);
    let foreign = Connection::open(&store).unwrap();
    foreign.execute_batch("CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('soup');").unwrap();
    drop(foreign);
    refuses_and_leaves_alone(&world, &store, &["chat", "another program"]).await;

    std::fs::write(&store, b"these are not the bytes you are looking for").unwrap();
    refuses_and_leaves_alone(&world, &store, &["chat"]).await;
}

async fn a_store_of_a_newer_version_is_refused_and_left_alone(topology: Topology) {
    let mut world = World::start(topology).await;
    world.kill_all().await;
    let store = world.store_file(ServiceName::Chat);
    let newer = Connection::open(&store).unwrap();
    newer.pragma_update(None, "user_version", 9_999).unwrap();
    drop(newer);
    refuses_and_leaves_alone(&world, &store, &["newer", "9999"]).await;
}

async fn refuses_and_leaves_alone(world: &World, store: &Path, words: &[&str]) {
    let before = std::fs::read(store).unwrap();
    let output = world.try_command_line(&["serve", "--role", "auth,chat,signaling,storage"]).await;
    assert!(!output.status.success());
    let said = said(&output);
    for word in words {
        assert!(said.contains(word), "no {word} in: {said}");
    }
    assert!(std::fs::read(store).unwrap() == before, "{} was changed", store.display());
}

async fn a_full_disk_is_told_and_damages_nothing(topology: Topology) {
    let settings = Settings::default().on_small_disk(32);
    let world = World::with(topology, settings).await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let mut acknowledged = Vec::new();
    for n in 0..20 {
        acknowledged.push(ann.say(conversation, &n.to_string()).await.position.seq);
    }

    let folder = world.chat_data_dir().join(ServiceName::Chat.role());
    let ballast = fill(&folder);
    let code = wait::until("a send to be refused", async || {
        let answer = attempt(&ann, conversation).await;
        match answer {
            Ok(seq) => {
                acknowledged.push(seq);
                None
            }
            Err(code) => Some(code),
        }
    })
    .await;
    assert!(code.status() >= 500 && code.retry() != Retry::Never, "{code:?}");
    assert_eq!(bob.history(conversation, json!({ "limit": 5 })).await.messages.len(), 5, "reading goes on");

    std::fs::remove_file(ballast).unwrap();
    let seq = wait::until("sends to go on", async || attempt(&ann, conversation).await.ok()).await;
    acknowledged.push(seq);
    let mut listed = Vec::new();
    let mut after = 0;
    loop {
        let page = bob.history(conversation, json!({ "after": after, "limit": 100 })).await;
        listed.extend(page.messages.iter().map(|message| message.seq));
        if !page.more_after {
            break;
        }
        after = listed[listed.len() - 1];
    }
    assert!(acknowledged.iter().all(|seq| listed.contains(seq)), "{acknowledged:?} in {listed:?}");
    assert_whole(&folder);
    world.end().await;
}

/// Which syncs of the thread that writes the log fail: a few in a row, also those by which it looks whether the disk works again.
const FAILING: std::ops::RangeInclusive<u32> = 30..=33;
/// More than there are syncs until then.
const SENDS: usize = 60;

async fn a_disk_that_can_not_sync_is_told_and_nothing_acknowledged_is_lost(topology: Topology) {
    let mut world = World::prepare(topology, Settings::default());
    // SQLite's write-ahead log: what is acknowledged is in it.
    let log = world.role_dir(ServiceName::Chat).join("chat.db-wal");
    let wrapper = failing_syncs(&log, *FAILING.start(), *FAILING.end());
    *world.settings() = world.settings().clone().under(wrapper);
    world.start_all().await;
    let [ann, bob] = world.people(["ann", "bob"]).await;
    let conversation = ann.direct(&bob).await;
    let mut device = bob.device().await;
    // Not by `ann` herself: the history checker does not know of a repetition that is refused after an unknown outcome.
    let to = conversation.to_string();
    let (mut acknowledged, mut refused) = (Vec::new(), Vec::new());
    for _ in 0..SENDS {
        let body = json!({ "client_id": Uuid::new_v4(), "text": "x" });
        let seq = wait::until("the message to be taken", async || {
            let answer = ann.rest.command("messages.send", Some(&ann.access), Some(&to), body.clone()).await;
            if answer.status == 200 {
                return Some(answer.data::<Sent>().position.seq);
            }
            refused.push(answer.refused());
            None
        });
        acknowledged.push(seq.await);
    }
    assert!(refused.contains(&ErrorCode::OutcomeUnknown), "{refused:?}");
    assert!(refused.iter().all(|code| code.retry() != Retry::Never), "{refused:?}");
    assert!(world.log(topology.chat_part()).contains("the store was opened again"));
    for _ in 0..SENDS {
        device.event(MESSAGE_NEW).await;
    }
    // Also what was repeated after an unknown outcome is there once.
    world.crash(topology.chat_part()).await;
    let log = bob.log(conversation, START).await;
    assert_gapless(&log, 0);
    let there: Vec<u64> =
        log.iter().filter(|event| event.name == MESSAGE_NEW).map(|event| event.from.unwrap().seq).collect();
    assert_eq!(there, acknowledged);
    assert!(!world.log(topology.chat_part()).contains("panicked at"));
}

/// One send of a long message.
async fn attempt(person: &Person, conversation: ConversationId) -> Result<u64, ErrorCode> {
    let body = json!({ "client_id": Uuid::new_v4(), "text": "long ".repeat(700) });
    let answer = person.on(conversation, "messages.send", body).await;
    match answer.status {
        200 => Ok(answer.data::<Sent>().position.seq),
        _ => Err(answer.refused()),
    }
}

/// Fills the disk to the last byte and gives the file that does.
fn fill(folder: &Path) -> PathBuf {
    let path = folder.join("ballast");
    let mut file = File::create(&path).unwrap();
    for size in [1 << 20, 4_096, 1] {
        let block = vec![0; size];
        while file.write_all(&block).is_ok() {}
    }
    path
}

/// Checks a copy of the store: SQLite finds no way through `/proc` to a disk that only another process sees.
fn assert_whole(folder: &Path) {
    let copies = tempfile::tempdir().unwrap();
    let store = harness::world::store_in(folder);
    for suffix in ["", "-wal"] {
        let file = with_suffix(&store, suffix);
        std::fs::copy(&file, copies.path().join(file.file_name().unwrap())).unwrap();
    }
    let copy = Connection::open(copies.path().join(store.file_name().unwrap())).unwrap();
    let verdict: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

fn remove_store(store: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(with_suffix(store, suffix));
    }
}

fn with_suffix(store: &Path, suffix: &str) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

fn said(output: &std::process::Output) -> String {
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}{errors}")
}

#[tokio::test]
async fn nothing_answers_where_nothing_runs() {
    let world = World::with(Topology::OneProcess, Settings::default()).await;
    let rest = world.rest();
    drop(world);
    assert!(try_send(rest.request("GET", "/healthz")).await.is_err(), "a world that ends leaves nothing behind");
}
