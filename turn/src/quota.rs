//! How many of something each has, and no more.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;

/// Counts by key. Clones share them.
#[derive(Debug)]
pub(crate) struct Counts<K> {
    // Bounded by what is counted: a key is here only while a place of it is.
    taken: Arc<Mutex<HashMap<K, usize>>>,
}

/// One place; it is given back when this goes.
#[derive(Debug)]
pub(crate) struct Place<K: Hash + Eq> {
    counts: Arc<Mutex<HashMap<K, usize>>>,
    key: K,
}

impl<K: Hash + Eq + Clone> Counts<K> {
    /// Nothing is taken.
    pub(crate) fn new() -> Self {
        Self { taken: Arc::default() }
    }

    /// A place for one more of `key`, if it has fewer than `max`.
    pub(crate) fn enter(&self, key: K, max: usize) -> Option<Place<K>> {
        let mut taken = self.taken.lock();
        let count = taken.get(&key).copied().unwrap_or(0);
        if count >= max {
            return None;
        }
        taken.insert(key.clone(), count + 1);
        Some(Place { counts: Arc::clone(&self.taken), key })
    }
}

impl<K: Hash + Eq> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = self.counts.lock();
        if let Some(count) = taken.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_places_gets_them_back_and_leaves_nothing_behind() {
        let counts = Counts::new();
        let first = counts.enter("ann", 2);
        let second = counts.enter("ann", 2);
        assert!(first.is_some() && second.is_some() && counts.enter("ann", 2).is_none());
        assert!(counts.enter("bob", 2).is_some());
        drop(first);
        assert!(counts.enter("ann", 2).is_some());
        drop(second);
        assert!(counts.taken.lock().is_empty());
    }
}
