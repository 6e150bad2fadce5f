//! Tokens that were verified before, by a 128-bit keyed hash: who doesn't know the key can't find a token that collides.
//!
//! Two halves: when the young one is full it becomes the old one and the old one is dropped. So it is bounded, and what is
//! used stays.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use parking_lot::Mutex;

use super::Verified;

/// The most tokens in each half.
const HALF: usize = 8_192;

type Half = HashMap<u128, Verified>;

#[derive(Default)]
pub(crate) struct Cache {
    first: RandomState,
    second: RandomState,
    halves: Mutex<(Half, Half)>,
}

impl Cache {
    pub(crate) fn get(&self, token: &str) -> Option<Verified> {
        let key = self.key(token);
        let mut halves = self.halves.lock();
        if let Some(verified) = halves.0.get(&key) {
            return Some(*verified);
        }
        let verified = halves.1.remove(&key)?;
        insert(&mut halves, key, verified);
        Some(verified)
    }

    pub(crate) fn put(&self, token: &str, verified: Verified) {
        let key = self.key(token);
        insert(&mut self.halves.lock(), key, verified);
    }

    fn key(&self, token: &str) -> u128 {
        let half = |hasher: &RandomState| u128::from(hasher.hash_one(token));
        half(&self.first) << 64 | half(&self.second)
    }
}

fn insert(halves: &mut (Half, Half), key: u128, verified: Verified) {
    if halves.0.len() >= HALF {
        halves.1 = std::mem::take(&mut halves.0);
    }
    halves.0.insert(key, verified);
}
