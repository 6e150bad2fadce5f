//! What is on the disk when the power goes.
//!
//! The model is a file system that owes nothing but what was asked for: a sync makes a file's contents and its name durable; of
//! everything after it, each write may be there, be missing, or be torn at sectors, in any order. A rename or removal takes effect at
//! once (as journalling file systems do) and syncs nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::trace::{Action, Operation};

/// What a disk writes as a whole.
const SECTOR: usize = 512;

/// Files by path.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    files: BTreeMap<PathBuf, File>,
}

#[derive(Clone, Debug, Default)]
struct File {
    /// Contents at the last sync; `None` while there was none.
    durable: Option<Vec<u8>>,
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
        | Action::Rename { from: path, .. }
        | Action::Remove { path }) = &operation.action;
        if !path.starts_with(root) {
            return;
        }
        match &operation.action {
            Action::Open { path, truncated } => {
                let file = self.files.entry(path.clone()).or_default();
                file.cursor = 0;
                if *truncated {
                    file.pending.push(Change::Length(0));
                }
            }
            Action::Write { path, offset, data } => {
                let file = self.files.entry(path.clone()).or_default();
                let offset = offset.unwrap_or(file.cursor);
                file.cursor = offset + data.len() as u64;
                let data = data.clone();
                file.pending.push(Change::Write { offset, data });
            }
            Action::Truncate { path, length } => {
                let file = self.files.entry(path.clone()).or_default();
                file.pending.push(Change::Length(*length));
            }
            Action::Sync { path } => {
                if let Some(file) = self.files.get_mut(path) {
                    file.sync();
                }
            }
            Action::Rename { from, to } => {
                if let Some(file) = self.files.remove(from) {
                    self.files.insert(to.clone(), file);
                }
            }
            Action::Remove { path } => {
                self.files.remove(path);
            }
        }
    }

    /// What the worst cut leaves: only what was synced.
    #[must_use]
    pub fn synced(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = self.files.iter();
        files.filter_map(|(path, file)| Some((path.clone(), file.durable.clone()?))).collect()
    }

    /// What a cut leaves, for a seed: the files below `root` with their contents.
    #[must_use]
    pub fn after_cut(&self, seed: u64) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut random = StdRng::seed_from_u64(seed);
        let fate = Fate::of(random.random_range(0..4));
        let files = self.files.iter();
        files.filter_map(|(path, file)| Some((path.clone(), file.after_cut(fate, &mut random)?))).collect()
    }
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
        let mut contents = self.durable.take().unwrap_or_default();
        for change in self.pending.drain(..) {
            change.apply(&mut contents);
        }
        self.durable = Some(contents);
    }

    fn after_cut(&self, fate: Fate, random: &mut StdRng) -> Option<Vec<u8>> {
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
            let contents = contents.get_or_insert_default();
            match fate {
                Fate::Torn => change.apply_torn(contents, random),
                _ => change.apply(contents),
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

    #[test]
    fn what_was_synced_is_there_whatever_the_cut() {
        let disk = disk(vec![open("/d/a"), write(0, b"one"), sync(), write(3, b"two")]);
        let images: Vec<_> = SEEDS.map(|seed| disk.after_cut(seed)).collect();
        assert!(images.iter().all(|files| files[Path::new("/d/a")].starts_with(b"one")));
        assert!(images.iter().any(|files| files[Path::new("/d/a")] == b"one"));
        assert!(images.iter().any(|files| files[Path::new("/d/a")] == b"onetwo"));
    }

    #[test]
    fn what_was_not_synced_may_be_missing_reordered_or_torn() {
        let disk = disk(vec![open("/d/a"), sync(), write(0, &[1; 2 * SECTOR]), write(2 * SECTOR as u64, &[2; SECTOR])]);
        let images: Vec<_> = SEEDS.map(|seed| disk.after_cut(seed)).collect();
        let any = |wanted: &dyn Fn(&[u8]) -> bool| images.iter().any(|files| wanted(&files[Path::new("/d/a")]));
        assert!(any(&|contents| contents.is_empty()), "missing");
        assert!(any(&|c| c.len() == 3 * SECTOR && c[..2 * SECTOR].iter().all(|b| *b == 0)), "reordered");
        assert!(any(&|c| c.len() >= 2 * SECTOR && c[0] == 0 && c[SECTOR] == 1), "torn");
    }

    #[test]
    fn a_file_that_was_never_synced_may_not_be_there_and_files_elsewhere_don_t_matter() {
        let disk = disk(vec![open("/d/a"), open("/elsewhere"), write(0, b"x")]);
        let images: Vec<_> = SEEDS.map(|seed| disk.after_cut(seed)).collect();
        assert!(images.iter().any(|files| files.is_empty()));
        assert!(images.iter().all(|files| !files.contains_key(Path::new("/elsewhere"))));
    }
}
