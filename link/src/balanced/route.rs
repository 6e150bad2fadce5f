//! Which instance a command goes to.
//!
//! Rendezvous hashing: each instance has a weight for each key, and the heaviest that answers has it. Everyone who chooses among the same
//! names chooses alike without asking anybody; when an instance goes only its own keys move, and they come back with it.
//!
//! Commands on one key that are under way at the same time are all on one instance, also while it goes or comes: else a later one could
//! be done before an earlier one.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Chooses among instances, by their index.
pub(super) struct Route {
    names: Vec<u64>,
    /// Where the commands under way are, by their keys' hash; as many as there are callers waiting.
    under_way: Mutex<HashMap<u64, UnderWay>>,
}

#[derive(Clone, Copy)]
struct UnderWay {
    index: usize,
    commands: usize,
}

/// A choice; it holds for its key until it is dropped.
pub(super) struct Chosen<'a> {
    pub(super) index: usize,
    key: u64,
    route: &'a Route,
}

impl Route {
    pub(super) fn among<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self { names: names.map(|name| hash(name.as_bytes())).collect(), under_way: Mutex::default() }
    }

    /// All instances, the heaviest for this key first.
    pub(super) fn ranked(&self, key: &[u8]) -> Vec<usize> {
        self.ranked_by(hash(key))
    }

    fn ranked_by(&self, key: u64) -> Vec<usize> {
        let mut all: Vec<(u64, usize)> =
            self.names.iter().enumerate().map(|(index, name)| (mix(*name ^ key), index)).collect();
        all.sort_unstable_by_key(|entry| Reverse(*entry));
        all.into_iter().map(|(_, index)| index).collect()
    }

    /// The instance for a command; where none answers, the one that would have it.
    pub(super) fn choose(&self, key: &[u8], answers: impl Fn(usize) -> bool) -> Chosen<'_> {
        let key = hash(key);
        let mut under_way = self.lock();
        let index = match under_way.entry(key) {
            Entry::Occupied(mut known) => {
                known.get_mut().commands += 1;
                known.get().index
            }
            Entry::Vacant(free) => {
                let ranked = self.ranked_by(key);
                let index = ranked.iter().copied().find(|index| answers(*index)).or(ranked.first().copied());
                free.insert(UnderWay { index: index.unwrap_or(0), commands: 1 }).index
            }
        };
        Chosen { index, key, route: self }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, UnderWay>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Chosen<'_> {
    fn drop(&mut self) {
        if let Entry::Occupied(mut known) = self.route.lock().entry(self.key) {
            known.get_mut().commands -= 1;
            if known.get().commands == 0 {
                known.remove();
            }
        }
    }
}

/// FNV-1a: the same in every process and version.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The last step of SplitMix64: every bit of a weight hangs on every bit of name and key.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAMES: [&str; 3] = ["node-1:9082", "node-2:9082", "node-3:9082"];

    fn chosen(route: &Route, key: &str, answers: impl Fn(usize) -> bool) -> usize {
        route.choose(key.as_bytes(), answers).index
    }

    #[test]
    fn keys_are_spread_evenly() {
        let route = Route::among(NAMES.into_iter());
        let mut counts = [0_usize; 3];
        for key in 0..3_000 {
            counts[chosen(&route, &format!("call-{key}"), |_| true)] += 1;
        }
        assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
    }

    proptest! {
        #[test]
        fn whoever_chooses_among_the_same_names_chooses_alike(key in ".*") {
            let there = Route::among(NAMES.into_iter());
            let elsewhere = Route::among(NAMES.into_iter().rev());
            prop_assert_eq!(chosen(&there, &key, |_| true), 2 - chosen(&elsewhere, &key, |_| true));
        }

        #[test]
        fn only_the_keys_of_the_one_that_is_gone_move(key in ".*", gone in 0_usize..3) {
            let route = Route::among(NAMES.into_iter());
            let before = chosen(&route, &key, |_| true);
            let without = chosen(&route, &key, |index| index != gone);
            prop_assert_ne!(without, gone);
            prop_assert!(before == gone || without == before);
        }
    }

    #[test]
    fn what_is_under_way_keeps_its_key_where_it_is() {
        let route = Route::among(NAMES.into_iter());
        let home = chosen(&route, "call", |_| true);
        let away = route.choose(b"call", |index| index != home);
        assert_ne!(away.index, home);
        // It is back, and a command is still under way elsewhere.
        let next = route.choose(b"call", |_| true);
        assert_eq!(next.index, away.index);
        drop(away);
        assert_eq!(chosen(&route, "call", |_| true), next.index);
        drop(next);
        assert_eq!(chosen(&route, "call", |_| true), home);
        assert!(route.lock().is_empty());
    }

    #[test]
    fn where_nobody_answers_the_one_that_would_have_it_is_asked() {
        let route = Route::among(NAMES.into_iter());
        assert_eq!(chosen(&route, "call", |_| false), chosen(&route, "call", |_| true));
    }
}
