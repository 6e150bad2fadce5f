//! The core's only source of chance: a generator that a seed determines.
//!
//! It spreads heartbeats and reconnects, nothing secret. It is mulberry32 because 32-bit arithmetic is the same in Rust and in
//! JavaScript, so that the recorded vectors hold for both clients. `below` multiplies instead of taking a remainder; the
//! product stays under 2^53 for every bound in use, which JavaScript's numbers hold exactly.

pub(crate) struct Random {
    state: u32,
}

impl Random {
    pub(crate) fn new(seed: u32) -> Self {
        Self { state: seed }
    }

    fn draw(&mut self) -> u32 {
        self.state = self.state.wrapping_add(0x6D2B_79F5);
        let mut t = self.state;
        t = (t ^ (t >> 15)).wrapping_mul(t | 1);
        t ^= t.wrapping_add((t ^ (t >> 7)).wrapping_mul(t | 61));
        t ^ (t >> 14)
    }

    /// A number from 0 to `bound - 1`; 0 where the bound is 0. Bounds stay below 2^21.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        (u64::from(self.draw()) * bound) >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_numbers_that_javascript_gives() {
        let mut random = Random::new(1);
        let drawn: Vec<u32> = (0..3).map(|_| random.draw()).collect();
        assert_eq!(drawn, [2_693_262_067, 11_749_833, 2_265_367_787]);
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let mut random = Random::new(7);
        assert!((0..1_000).all(|_| random.below(3) < 3));
        assert_eq!(random.below(0), 0);
    }
}
