//! What a presented refresh token means: pure.
//!
//! Each refresh gives a successor. An old token that comes again is either the sign of a lost answer (the client never got the
//! successor) or of a thief; the two look alike. So the token just replaced may be repeated once within a short time and
//! gets the same successor; everything else ends the session, for the thief and for the owner, who logs in again.

use protocol::Millis;

/// Where a session stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rotation {
    /// The generation that is valid.
    pub(crate) generation: u64,
    /// When it became valid.
    pub(crate) rotated_at: Millis,
    /// Whether its predecessor was repeated already.
    pub(crate) repeated: bool,
}

/// What a presented token leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Presented {
    /// It is the valid one: its successor becomes valid.
    Rotated,
    /// Its answer was lost: the successor is told again.
    Repeated,
    /// It was used before: the session ends.
    Reused,
}

impl Rotation {
    /// A new login.
    pub(crate) fn begin(now: Millis) -> Self {
        Self { generation: 1, rotated_at: now, repeated: false }
    }

    /// Judges a genuine token of this session.
    pub(crate) fn present(&mut self, generation: u64, repeat_ms: u64, now: Millis) -> Presented {
        // A generation beyond the valid one is genuine too: the store was restored from before it. It counts as the valid one, so
        // that a restore doesn't log everybody out; two clients that hold tokens of one session still meet as a reuse.
        if generation >= self.generation {
            *self = Self { generation: generation.saturating_add(1), rotated_at: now, repeated: false };
            return Presented::Rotated;
        }
        let in_time = now.saturating_sub(self.rotated_at) <= repeat_ms;
        let replaced = generation > 0 && generation + 1 == self.generation;
        if replaced && in_time && !self.repeated {
            self.repeated = true;
            return Presented::Repeated;
        }
        Presented::Reused
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const REPEAT_MS: u64 = 30_000;

    #[test]
    fn a_lost_answer_may_be_asked_for_once_and_in_time() {
        let mut rotation = Rotation::begin(0);
        assert_eq!(rotation.present(1, REPEAT_MS, 1_000), Presented::Rotated);
        let mut late = rotation;
        assert_eq!(late.present(1, REPEAT_MS, 31_001), Presented::Reused);
        assert_eq!(rotation.present(1, REPEAT_MS, 31_000), Presented::Repeated);
        assert_eq!(rotation.generation, 2);
        assert_eq!(rotation.present(1, REPEAT_MS, 31_000), Presented::Reused);
    }

    #[test]
    fn once_the_successor_was_used_its_predecessor_is_a_reuse() {
        let mut rotation = Rotation::begin(0);
        rotation.present(1, REPEAT_MS, 1);
        rotation.present(2, REPEAT_MS, 2);
        assert_eq!(rotation.present(1, REPEAT_MS, 3), Presented::Reused);
    }

    #[test]
    fn after_a_restore_a_newer_token_goes_on_and_an_older_one_is_still_a_reuse() {
        let mut restored = Rotation::begin(0);
        assert_eq!(restored.present(7, REPEAT_MS, 1), Presented::Rotated);
        assert_eq!(restored.generation, 8);
        assert_eq!(restored.present(5, REPEAT_MS, 2), Presented::Reused);
    }

    proptest! {
        /// An owner whose answers get lost, and a thief who copied one token: whatever the order, two parties never both
        /// go on with their tokens for good, and the owner alone is never logged out by a single lost answer.
        #[test]
        fn a_lost_answer_harms_nobody_and_a_copied_token_ends_the_session(
            lost in proptest::collection::vec(any::<bool>(), 1..40), stolen_at in 0usize..40,
        ) {
            let (mut rotation, mut now, mut held) = (Rotation::begin(0), 0, 1);
            let mut copied = None;
            for (step, lost) in lost.iter().enumerate() {
                now += 240_000;
                if step == stolen_at {
                    copied = Some(held);
                }
                prop_assert_eq!(rotation.present(held, REPEAT_MS, now), Presented::Rotated);
                if *lost {
                    now += 5_000;
                    prop_assert_eq!(rotation.present(held, REPEAT_MS, now), Presented::Repeated);
                }
                held = rotation.generation;
            }
            if let Some(copied) = copied {
                prop_assert_eq!(rotation.present(copied, REPEAT_MS, now + 240_000), Presented::Reused);
            }
        }

        #[test]
        fn only_the_valid_generation_moves_on_and_each_rotation_is_repeated_at_most_once(
            presents in proptest::collection::vec((0u64..4, 0u64..20_000), 1..200),
        ) {
            let (mut rotation, mut now, mut repeats) = (Rotation::begin(0), 0, std::collections::HashMap::new());
            for (behind, step) in presents {
                now += step;
                let before = rotation;
                let generation = before.generation.saturating_sub(behind);
                match rotation.present(generation, REPEAT_MS, now) {
                    Presented::Rotated => prop_assert!(behind == 0 && rotation.generation == before.generation + 1),
                    Presented::Repeated => {
                        prop_assert!(behind == 1 && rotation.generation == before.generation);
                        let times = repeats.entry(generation).or_insert(0);
                        *times += 1;
                        prop_assert_eq!(*times, 1);
                    }
                    Presented::Reused => prop_assert!(behind > 0 && rotation == before),
                }
            }
        }
    }
}
