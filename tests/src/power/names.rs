//! Names in folders, and which of them a cut leaves.
//!
//! A file's name is the folder's, not the file's: syncing a file says nothing of its name, and what was made, renamed or removed in a
//! folder is durable when the folder is synced. Until then a cut leaves the folder as it was after any of its changes: a file system
//! writes them in their order, a rename as one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rand::Rng;
use rand::rngs::StdRng;

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Entry {
    /// The file of this number.
    File(usize),
    /// A folder.
    Folder,
}

/// All names below the root, which itself is always there.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    present: BTreeMap<PathBuf, Entry>,
    durable: BTreeMap<PathBuf, Entry>,
    /// By folder: what happened in it since it was synced, the oldest first.
    pending: BTreeMap<PathBuf, Vec<Change>>,
    /// Folders that were not there before everything.
    made: BTreeSet<PathBuf>,
}

/// One change in a folder: names that went, then names that came.
#[derive(Clone, Debug, Default)]
struct Change {
    removed: Option<PathBuf>,
    set: Option<(PathBuf, Entry)>,
}

impl Names {
    /// What a name stands for now.
    pub(super) fn get(&self, path: &Path) -> Option<Entry> {
        self.present.get(path).copied()
    }

    /// A name comes, or stands for something else.
    pub(super) fn set(&mut self, path: &Path, entry: Entry) {
        if entry == Entry::Folder {
            self.made.insert(path.to_path_buf());
        }
        self.change(path, Change { removed: None, set: Some((path.to_path_buf(), entry)) });
    }

    /// A name goes.
    pub(super) fn remove(&mut self, path: &Path) {
        self.change(path, Change { removed: Some(path.to_path_buf()), set: None });
    }

    /// A name takes the place of another: at once within a folder, one after the other between two.
    pub(super) fn rename(&mut self, from: &Path, to: &Path) {
        let Some(entry) = self.get(from) else { return };
        if from.parent() == to.parent() {
            let (removed, set) = (Some(from.to_path_buf()), Some((to.to_path_buf(), entry)));
            self.change(to, Change { removed, set });
        } else {
            self.set(to, entry);
            self.remove(from);
        }
    }

    /// A folder was synced.
    pub(super) fn sync(&mut self, folder: &Path) {
        for change in self.pending.remove(folder).unwrap_or_default() {
            change.apply(&mut self.durable);
        }
    }

    /// What is certainly there after a cut.
    pub(super) fn durable(&self) -> BTreeMap<PathBuf, Entry> {
        self.reachable(self.durable.clone())
    }

    /// Files that are there now and may not be after a cut, or may be older ones.
    pub(super) fn at_risk(&self) -> BTreeSet<PathBuf> {
        let durable = self.durable();
        let files = self.present.iter().filter(|(_, entry)| matches!(entry, Entry::File(_)));
        files.filter(|(path, entry)| durable.get(*path) != Some(entry)).map(|(path, _)| path.clone()).collect()
    }

    /// What a cut leaves: of each folder's changes the first ones.
    pub(super) fn after_cut(&self, random: &mut StdRng) -> BTreeMap<PathBuf, Entry> {
        let mut names = self.durable.clone();
        for changes in self.pending.values() {
            let kept = random.random_range(0..=changes.len());
            changes[..kept].iter().for_each(|change| change.apply(&mut names));
        }
        self.reachable(names)
    }

    /// What lies in a folder that is not there is not there either.
    fn reachable(&self, names: BTreeMap<PathBuf, Entry>) -> BTreeMap<PathBuf, Entry> {
        let there = |folder: &Path| !self.made.contains(folder) || names.contains_key(folder);
        let reached = names.iter().filter(|(path, _)| path.ancestors().skip(1).all(there));
        reached.map(|(path, entry)| (path.clone(), *entry)).collect()
    }

    fn change(&mut self, path: &Path, change: Change) {
        change.apply(&mut self.present);
        let folder = path.parent().expect("a name is in a folder");
        self.pending.entry(folder.to_path_buf()).or_default().push(change);
    }
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<PathBuf, Entry>) {
        if let Some(path) = &self.removed {
            names.remove(path);
        }
        if let Some((path, entry)) = &self.set {
            names.insert(path.clone(), *entry);
        }
    }
}
