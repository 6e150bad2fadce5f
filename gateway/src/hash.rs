//! A fast keyed hash for ids, which are random already.
//!
//! Streams and users are looked up for every delivery; their ids are UUIDs that the server made, so a multiply and a fold
//! under a key of this process spread them well, at a tenth of SipHash's price.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;

/// Odd and without a pattern: the fractional part of the golden ratio.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Makes hashers under the key of this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StreamHash {
    key: u64,
}

impl Default for StreamHash {
    fn default() -> Self {
        static KEY: OnceLock<u64> = OnceLock::new();
        Self { key: *KEY.get_or_init(|| RandomState::new().hash_one(MULTIPLIER)) }
    }
}

impl BuildHasher for StreamHash {
    type Hasher = IdHasher;
    fn build_hasher(&self) -> IdHasher {
        IdHasher { state: self.key }
    }
}

/// Folds eight bytes at a time.
pub(crate) struct IdHasher {
    state: u64,
}

impl IdHasher {
    fn fold(&mut self, word: u64) {
        let product = u128::from(self.state ^ word) * u128::from(MULTIPLIER);
        self.state = (product as u64) ^ ((product >> 64) as u64);
    }
}

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.fold(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.fold(u64::from(value));
    }

    fn write_usize(&mut self, value: usize) {
        self.fold(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.fold(value as u64);
    }

    fn finish(&self) -> u64 {
        self.state ^ (self.state >> 32)
    }
}
