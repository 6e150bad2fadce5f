//! The power goes at any moment: every acknowledged entry is there when it comes back.
//!
//! The real binary runs under a recorder while clients write; disks are rebuilt as they may look after cuts at many moments, and the
//! real binary starts on each. See `harness::power` for what a cut leaves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test states what must be")]

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use harness::people::{START, assert_gapless};
use harness::power::{Action, Disk, Operation, trace};
use harness::world::Settings;
use harness::{Person, Topology, World, wait};
use protocol::chat::{Appended, MESSAGE_DELETED, MESSAGE_EDITED, MESSAGE_NEW, Sent};
use protocol::{ConversationId, Position};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;
use uuid::Uuid;

// The recorder follows the one process that holds all stores; in five processes each store is written by the same code.
#[tokio::test]
async fn what_one_process_acknowledged_survives_any_power_cut() {
    what_was_acknowledged_survives_any_power_cut(Topology::OneProcess).await;
}

#[tokio::test]
async fn what_the_services_behind_a_gateway_acknowledged_survives_any_power_cut() {
    what_was_acknowledged_survives_any_power_cut(Topology::GatewayApart).await;
}

/// Cuts on each topology.
fn cuts() -> usize {
    if std::env::var_os("SECURECONNECT_SOAK").is_some() { 200 } else { 10 }
}

/// Cuts while the system starts for the first time.
const EARLY_CUTS: usize = 3;
const LOAD: Duration = Duration::from_secs(3);
const IN_FLIGHT: usize = 16;
const SEED: u64 = 0x5ec0_11ec;

/// What a client was told.
struct Told {
    at_us: u64,
    conversation: ConversationId,
    position: Position,
    name: &'static str,
    text: String,
}

async fn what_was_acknowledged_survives_any_power_cut(topology: Topology) {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("recording");
    let settings = Settings::default().under(trace::recorder(&log));
    let mut world = World::with(topology, settings).await;
    let ready_us = now_us();
    let people = world.people(["ann", "bob", "carl"]).await;
    let [ann, bob, carl] = &people;
    let groups = [ann.group("one", &[bob, carl]).await, bob.group("two", &[ann, carl]).await];
    let prepared_us = now_us();
    let (a, b, c) = tokio::join!(load(ann, &groups, 1), load(bob, &groups, 2), load(carl, &groups, 3));
    let told: Vec<Told> = [a, b, c].into_iter().flatten().collect();
    world.kill_all().await;
    let operations = trace::parse(&recording(&log).await);
    let root = world.data_dir().to_path_buf();
    assert!(told.len() > 100, "{} acknowledged", told.len());

    let mut random = StdRng::seed_from_u64(SEED);
    let index_at = |us: u64| operations.partition_point(|operation| operation.at_us <= us);
    let early = 0..index_at(ready_us);
    let loaded = index_at(prepared_us)..operations.len();
    assert!(loaded.len() > 100, "{} operations while loaded", loaded.len());
    let mut moments: Vec<usize> = (0..EARLY_CUTS).map(|_| random.random_range(early.clone())).collect();
    moments.extend((0..cuts()).map(|_| random.random_range(loaded.clone())));
    moments.sort_unstable();

    nothing_is_at_risk_once_it_is_ready(&root, &operations[..early.end]);
    let mut disk = Disk::default();
    let mut applied = 0;
    for (cut, moment) in moments.into_iter().enumerate() {
        for operation in &operations[applied..moment] {
            disk.apply(&root, operation);
        }
        applied = moment;
        let files = disk.after_cut(SEED + cut as u64);
        let at_us = operations[moment.saturating_sub(1)].at_us;
        let survivor = revive(topology, &root, &files).await;
        if at_us >= prepared_us {
            let lost = first_lost(&survivor, &people, &groups, &told, at_us).await;
            assert_eq!(lost, None, "cut {cut} at operation {moment}");
        }
        survivor.end().await;
    }
    would_be_found_without_syncs(topology, &root, &operations, loaded.start, (&people, &groups, &told)).await;
}

/// What was made at the start has its place for good: no cut takes a store, a key or a folder away.
fn nothing_is_at_risk_once_it_is_ready(root: &Path, operations: &[Operation]) {
    let mut disk = Disk::default();
    operations.iter().for_each(|operation| disk.apply(root, operation));
    let at_risk: Vec<PathBuf> = disk.at_risk().into_iter().filter(|path| is_data(path)).collect();
    assert!(at_risk.is_empty(), "not synced in their folders: {at_risk:?}");
    let synced = disk.synced();
    // A key is made under another name and then linked. Another process of the same directory may have been the first.
    let made: Vec<&PathBuf> = operations
        .iter()
        .filter_map(|operation| match &operation.action {
            Action::Link { to, .. } if is_data(to) => Some(to),
            _ => None,
        })
        .collect();
    assert!(!made.is_empty(), "no key was made");
    for path in made {
        assert!(synced.get(path).is_some_and(|bytes| !bytes.is_empty()), "{path:?} of {:?}", synced.keys());
    }
}

/// The same recording as of a binary that does not sync while it is loaded: this test would find it.
async fn would_be_found_without_syncs(
    topology: Topology,
    root: &Path,
    operations: &[Operation],
    loaded_from: usize,
    (people, groups, told): (&[Person], &[ConversationId], &[Told]),
) {
    let mut disk = Disk::default();
    for (index, operation) in operations.iter().enumerate() {
        let forgotten = index >= loaded_from && matches!(operation.action, Action::Sync { .. });
        if !forgotten {
            disk.apply(root, operation);
        }
    }
    let survivor = revive(topology, root, &disk.synced()).await;
    let lost = first_lost(&survivor, people, groups, told, u64::MAX).await;
    assert!(lost.is_some(), "a binary that never syncs would pass this test");
}

/// Starts the system on what a cut left.
async fn revive(topology: Topology, root: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) -> World {
    use std::os::unix::fs::PermissionsExt;
    let mut world = World::prepare(topology, Settings::default());
    for (path, contents) in files.iter().filter(|(path, _)| is_data(path)) {
        let path = world.data_dir().join(path.strip_prefix(root).unwrap());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, contents).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    }
    world.start_all().await;
    world
}

/// Neither logs, nor what another process must not find, nor SQLite's shared memory (which is no file's contents but a map of the
/// log that is beside it, and made anew from it).
fn is_data(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    !name.ends_with("-shm") && !name.ends_with(".log") && !name.starts_with("addresses.json") && name != "lock"
}

/// The first thing that was told before the cut and is not there as it was told.
async fn first_lost(
    world: &World,
    people: &[Person],
    groups: &[ConversationId],
    told: &[Told],
    at_us: u64,
) -> Option<String> {
    let mut reader = None;
    for person in people {
        let login = Person::reader(&world.rest(), world.gateway(), &person.handle).await;
        let Some(login) = login else {
            return Some(format!("the account {}", person.handle));
        };
        reader = Some(login);
    }
    let reader = reader?;
    for group in groups {
        let log = reader.log(*group, START).await;
        assert_gapless(&log, 0);
        let entries: BTreeMap<u64, _> = log.iter().map(|event| (event.from.unwrap().seq, event)).collect();
        for told in told.iter().filter(|told| told.conversation == *group && told.at_us < at_us) {
            let Some(entry) = entries.get(&told.position.seq) else {
                return Some(format!("{} {:?} is not there", told.name, told.position));
            };
            let text = entry.body["text"].as_str().unwrap_or_default();
            let edited_later = entry.name == MESSAGE_NEW && entry.body["revision"] != Value::Null;
            let is_text = text == told.text || text.is_empty() || edited_later;
            if entry.from.unwrap().tag != told.position.tag || entry.name != told.name || !is_text {
                return Some(format!("{} {:?} became {entry:?}", told.name, told.position));
            }
        }
    }
    None
}

/// Writes for a while and remembers what was acknowledged, and when.
async fn load(person: &Person, groups: &[ConversationId], seed: u64) -> Vec<Told> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut device = person.device().await;
    let mut told: Vec<Told> = Vec::new();
    let mut deleted = HashSet::new();
    let until = Instant::now() + LOAD;
    while Instant::now() < until {
        let mut started = Vec::new();
        for _ in 0..IN_FLIGHT {
            let conversation = groups[random.random_range(0..groups.len())];
            let is_own = |told: &&Told| told.conversation == conversation && told.name == MESSAGE_NEW;
            let own = told.iter().filter(is_own).map(|told| told.position.seq);
            let own: Vec<u64> = own.filter(|seq| !deleted.contains(&(conversation, *seq))).collect();
            let target = (!own.is_empty()).then(|| own[random.random_range(0..own.len())]);
            let text = format!("{} {}", Uuid::new_v4(), "x".repeat(random.random_range(0..300)));
            let (name, command, body) = match (target, random.random_range(0..10)) {
                // Deleting once more would make no entry.
                (Some(seq), 0) if deleted.insert((conversation, seq)) => {
                    (MESSAGE_DELETED, "messages.delete", json!({ "seq": seq }))
                }
                (Some(seq), 1 | 2) => {
                    let body = json!({ "seq": seq, "text": text, "client_id": Uuid::new_v4() });
                    (MESSAGE_EDITED, "messages.edit", body)
                }
                _ => (MESSAGE_NEW, "messages.send", json!({ "client_id": Uuid::new_v4(), "text": text })),
            };
            let id = device.socket.start(command, Some(&conversation.to_string()), &body).await;
            started.push((id, conversation, name, text));
        }
        for (id, conversation, name, text) in started {
            let Ok(answer) = device.socket.reply(id).await else {
                continue;
            };
            let at_us = now_us();
            let position = match name {
                MESSAGE_NEW => serde_json::from_value::<Sent>(answer).unwrap().position,
                _ => serde_json::from_value::<Appended>(answer).unwrap().position,
            };
            told.push(Told { at_us, conversation, position, name, text });
        }
        device.socket.take_events();
    }
    told
}

/// The recording, once the recorder has written its last line.
async fn recording(log: &Path) -> String {
    wait::until("the recorder to end", async || {
        let text = std::fs::read_to_string(log).ok()?;
        let first = text.split_whitespace().next()?;
        let ended = format!("{first} ");
        let last = text.lines().rev().take(50).any(|line| line.starts_with(&ended) && line.contains("+++ "));
        last.then_some(text)
    })
    .await
}

fn now_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros().try_into().unwrap()
}
