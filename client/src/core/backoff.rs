//! How long to wait before the next try.
//!
//! Full jitter: a random part of a growing bound, so that many clients that lost the same server don't come back together.
//! The first reconnect after a lost line is immediate, which is what a person on a train wants; a close that asks for
//! patience skips that step.

use super::random::Random;

/// The bounds for reconnects: at once, then growing to 25 s.
const RECONNECT_MS: [u64; 6] = [0, 300, 1_000, 3_000, 9_000, 25_000];

/// The bound for a repeated command or token request: never at once. The connection stands, so what refuses is a part behind the server, and whoever repeats
/// costs little; five seconds after that part is back everything goes on.
const REPEAT_MS: [u64; 4] = [300, 1_000, 3_000, 5_000];

/// The wait before reconnect number `attempt` (0 is the first).
pub(crate) fn reconnect(random: &mut Random, attempt: usize) -> u64 {
    jittered(random, &RECONNECT_MS, attempt)
}

/// The wait before repetition number `attempt` (0 is the first), on top of what the server asked for.
pub(crate) fn repeat(random: &mut Random, attempt: usize) -> u64 {
    jittered(random, &REPEAT_MS, attempt)
}

fn jittered(random: &mut Random, bounds: &[u64], attempt: usize) -> u64 {
    match bounds.get(attempt).or(bounds.last()) {
        None | Some(0) => 0,
        Some(bound) => random.below(bound + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reconnect_is_immediate_and_none_waits_longer_than_25_seconds() {
        let mut random = Random::new(3);
        assert_eq!(reconnect(&mut random, 0), 0);
        for attempt in 0..100 {
            assert!(reconnect(&mut random, attempt) <= 25_000);
        }
    }

    #[test]
    fn no_command_waits_longer_than_5_seconds() {
        let mut random = Random::new(3);
        assert!((0..100).all(|attempt| repeat(&mut random, attempt) <= 5_000));
    }
}
