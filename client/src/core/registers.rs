//! The highest version seen of every register (presence, markers): an older one that arrives late is dropped.

use std::collections::HashMap;

/// Beyond this many the memory of versions starts anew. That is harmless: one connection carries versions in order, and only
/// a value that overtakes its successor across connections would show for a moment.
const REGISTERS_MAX: usize = 20_000;

#[derive(Default)]
pub(crate) struct Registers {
    versions: HashMap<String, u64>,
}

impl Registers {
    /// Whether this version is newer than all before.
    pub(crate) fn arrive(&mut self, key: &str, version: u64) -> bool {
        if let Some(known) = self.versions.get_mut(key) {
            let newer = version > *known;
            *known = version.max(*known);
            return newer;
        }
        if self.versions.len() >= REGISTERS_MAX {
            self.versions.clear();
        }
        self.versions.insert(key.to_owned(), version);
        true
    }

    pub(crate) fn clear(&mut self) {
        self.versions.clear();
    }
}
