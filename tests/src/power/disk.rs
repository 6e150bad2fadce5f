//! What is on the disk when the power goes.
//!
//! The model is a file system that owes nothing but what was asked for: a sync of a file makes its contents durable, a sync of a
//! folder the names in it (see [`super::names`]). Of everything after it, each write may be there, be missing, or be torn at sectors,
//! in any order, and each folder may be as it was before any of its last changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::names::{Entry, Names};
use super::trace::{Action, Operation};

/// What a disk writes as a whole.
const SECTOR: usize = 512;

/// Files by number, and their names.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    names: Names,
    files: Vec<File>,
}

#[derive(Clone, Debug, Default)]
struct File {
    /// Contents at the last sync.
    durable: Vec<u8>,
    /// What was done since.
    pending: Vec<Change>,
    /// Where the next write without an offset goes.
    cursor: u64,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: u64, data: Vec<u8> },
    Length(u64),
}

impl Disk {
    /// Carries out an operation on a file below `root`; others don't matter.
    pub fn apply(&mut self, root: &Path, operation: &Operation) {
        let (Action::Open { path, .. }
        | Action::Write { path, .. }
        | Action::Truncate { path, .. }
        | Action::Sync { path }
        | Action::MakeFolder { path }
        | Action::Link { from: path, .. }
        | Action::Rename { from: path, .. }
        | Action::Remove { path }) = &operation.action;
        if !path.starts_with(root) {
            return;
        }
        match &operation.action {
            Action::Open { path, truncated } => {
                let file = self.file(path);
                file.cursor = 0;
                if *truncated {
                    file.pending.push(Change::Length(0));
                }
            }
            Action::Write { path, offset, data } => {
                let file = self.file(path);
                let offset = offset.unwrap_or(file.cursor);
                file.cursor = offset + data.len() as u64;
                let data = data.clone();
                file.pending.push(Change::Write { offset, data });
            }
            Action::Truncate { path, length } => self.file(path).pending.push(Change::Length(*length)),
            Action::Sync { path } => match self.names.get(path) {
                Some(Entry::File(number)) => self.files[number].sync(),
                // The root was there before everything.
                Some(Entry::Folder) | None => self.names.sync(path),
            },
            Action::MakeFolder { path } => self.names.set(path, Entry::Folder),
            Action::Link { from, to } => {
                if let Some(entry) = self.names.get(from) {
                    self.names.set(to, entry);
                }
            }
            Action::Rename { from, to } => self.names.rename(from, to),
            Action::Remove { path } => self.names.remove(path),
        }
    }

    /// The file of this name, which is made where there is none.
    fn file(&mut self, path: &Path) -> &mut File {
        let number = match self.names.get(path) {
            Some(Entry::File(number)) => number,
            Some(Entry::Folder) => panic!("{} is a folder", path.display()),
            None => {
                self.files.push(File::default());
                let number = self.files.len() - 1;
                self.names.set(path, Entry::File(number));
                number
            }
        };
        &mut self.files[number]
    }

    /// What the worst cut leaves: only what was synced.
    #[must_use]
    pub fn synced(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        contents(self.names.durable(), |number| self.files[number].durable.clone())
    }

    /// Files that are there and that a cut may take away, whatever of their contents is durable.
    #[must_use]
    pub fn at_risk(&self) -> BTreeSet<PathBuf> {
        self.names.at_risk()
    }

    /// What a cut leaves, for a seed: the files below `root` with their contents.
    #[must_use]
    pub fn after_cut(&self, seed: u64) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut random = StdRng::seed_from_u64(seed);
        let fate = Fate::of(random.random_range(0..4));
        let names = match fate {
            Fate::Lost => self.names.durable(),
            Fate::Prefix | Fate::Any | Fate::Torn => self.names.after_cut(&mut random),
        };
        contents(names, |number| self.files[number].after_cut(fate, &mut random))
    }
}

/// The files among these names.
fn contents(names: BTreeMap<PathBuf, Entry>, mut of: impl FnMut(usize) -> Vec<u8>) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = names.into_iter().filter_map(|(path, entry)| match entry {
        Entry::File(number) => Some((path, number)),
        Entry::Folder => None,
    });
    files.map(|(path, number)| (path, of(number))).collect()
}

/// What becomes of changes that were not synced.
#[derive(Clone, Copy)]
enum Fate {
    /// All are lost.
    Lost,
    /// The first ones are there.
    Prefix,
    /// Any of them are there.
    Any,
    /// Any of them are there, some in part.
    Torn,
}

impl Fate {
    fn of(number: u32) -> Self {
        match number {
            0 => Self::Lost,
            1 => Self::Prefix,
            2 => Self::Any,
            _ => Self::Torn,
        }
    }
}

impl File {
    fn sync(&mut self) {
        for change in self.pending.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    fn after_cut(&self, fate: Fate, random: &mut StdRng) -> Vec<u8> {
        let kept = random.random_range(0..=self.pending.len());
        let mut contents = self.durable.clone();
        for (index, change) in self.pending.iter().enumerate() {
            let survives = match fate {
                Fate::Lost => false,
                Fate::Prefix => index < kept,
                Fate::Any | Fate::Torn => random.random_bool(0.5),
            };
            if !survives {
                continue;
            }
            match fate {
                Fate::Torn => change.apply_torn(&mut contents, random),
                _ => change.apply(&mut contents),
            }
        }
        contents
    }
}

impl Change {
    fn apply(&self, contents: &mut Vec<u8>) {
        match self {
            Self::Write { offset, data } => put(contents, *offset, data),
            Self::Length(length) => contents.resize(usize::try_from(*length).expect("a length"), 0),
        }
    }

    fn apply_torn(&self, contents: &mut Vec<u8>, random: &mut StdRng) {
        let Self::Write { offset, data } = self else {
            return self.apply(contents);
        };
        for (index, sector) in data.chunks(SECTOR).enumerate() {
            if random.random_bool(0.7) {
                put(contents, offset + (index * SECTOR) as u64, sector);
            }
        }
    }
}

fn put(contents: &mut Vec<u8>, offset: u64, data: &[u8]) {
    let start = usize::try_from(offset).expect("an offset");
    let end = start + data.len();
    if contents.len() < end {
        contents.resize(end, 0);
    }
    contents[start..end].copy_from_slice(data);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEDS: std::ops::Range<u64> = 0..200;

    fn disk(actions: Vec<Action>) -> Disk {
        let mut disk = Disk::default();
        for action in actions {
            disk.apply(Path::new("/d"), &Operation { at_us: 0, action });
        }
        disk
    }

    fn open(path: &str) -> Action {
        Action::Open { path: path.into(), truncated: false }
    }

    fn write(offset: u64, data: &[u8]) -> Action {
        Action::Write { path: "/d/a".into(), offset: Some(offset), data: data.to_vec() }
    }

    fn sync() -> Action {
        Action::Sync { path: "/d/a".into() }
    }

    /// What makes the names in the root durable.
    fn sync_root() -> Action {
        Action::Sync { path: "/d".into() }
    }

    fn images(actions: Vec<Action>) -> Vec<BTreeMap<PathBuf, Vec<u8>>> {
        let disk = disk(actions);
        SEEDS.map(|seed| disk.after_cut(seed)).collect()
    }

    fn is_there(files: &BTreeMap<PathBuf, Vec<u8>>, path: &str) -> bool {
        files.contains_key(Path::new(path))
    }

    #[test]
    fn what_was_synced_is_there_whatever_the_cut() {
        let images = images(vec![open("/d/a"), write(0, b"one"), sync(), sync_root(), write(3, b"two")]);
        assert!(images.iter().all(|files| files[Path::new("/d/a")].starts_with(b"one")));
        assert!(images.iter().any(|files| files[Path::new("/d/a")] == b"one"));
        assert!(images.iter().any(|files| files[Path::new("/d/a")] == b"onetwo"));
    }

    #[test]
    fn what_was_not_synced_may_be_missing_reordered_or_torn() {
        let writes = [write(0, &[1; 2 * SECTOR]), write(2 * SECTOR as u64, &[2; SECTOR])];
        let images = images([vec![open("/d/a"), sync_root()], writes.to_vec()].concat());
        let any = |wanted: &dyn Fn(&[u8]) -> bool| images.iter().any(|files| wanted(&files[Path::new("/d/a")]));
        assert!(any(&|contents| contents.is_empty()), "missing");
        assert!(any(&|c| c.len() == 3 * SECTOR && c[..2 * SECTOR].iter().all(|b| *b == 0)), "reordered");
        assert!(any(&|c| c.len() >= 2 * SECTOR && c[0] == 0 && c[SECTOR] == 1), "torn");
    }

    #[test]
    fn a_name_that_was_not_synced_may_be_missing_whatever_was_synced_of_its_file() {
        let actions = vec![open("/d/a"), open("/elsewhere"), write(0, b"x"), sync()];
        assert_eq!(disk(actions.clone()).at_risk(), BTreeSet::from(["/d/a".into()]));
        let images = images(actions);
        assert!(images.iter().any(|files| !is_there(files, "/d/a")));
        assert!(images.iter().any(|files| is_there(files, "/d/a")));
        assert!(images.iter().all(|files| !is_there(files, "/elsewhere")));
    }

    #[test]
    fn a_rename_that_was_not_synced_leaves_one_of_the_two_names_and_never_none_or_both() {
        let (from, to) = (PathBuf::from("/d/a"), PathBuf::from("/d/b"));
        let images = images(vec![open("/d/a"), sync_root(), Action::Rename { from, to }]);
        assert!(images.iter().all(|files| is_there(files, "/d/a") != is_there(files, "/d/b")));
        assert!(images.iter().any(|files| is_there(files, "/d/a")));
        assert!(images.iter().any(|files| is_there(files, "/d/b")));
    }

    #[test]
    fn a_removal_that_was_not_synced_may_not_have_happened_and_a_link_is_one_file_of_two_names() {
        let link = Action::Link { from: "/d/a".into(), to: "/d/b".into() };
        let remove = Action::Remove { path: "/d/a".into() };
        let images = images(vec![open("/d/a"), write(0, b"x"), sync(), link, sync_root(), remove]);
        assert!(images.iter().all(|files| files[Path::new("/d/b")] == b"x"));
        assert!(images.iter().any(|files| is_there(files, "/d/a")));
        assert!(images.iter().any(|files| !is_there(files, "/d/a")));
    }

    #[test]
    fn a_folder_that_was_not_synced_takes_all_that_was_synced_in_it_with_it() {
        let made = vec![
            Action::MakeFolder { path: "/d/f".into() },
            open("/d/f/a"),
            Action::Sync { path: "/d/f/a".into() },
            Action::Sync { path: "/d/f".into() },
        ];
        assert!(disk(made.clone()).synced().is_empty());
        assert!(images(made.clone()).iter().any(|files| is_there(files, "/d/f/a")));
        let synced = disk([made, vec![sync_root()]].concat());
        assert!(is_there(&synced.synced(), "/d/f/a"));
        assert!(synced.at_risk().is_empty());
    }
}
