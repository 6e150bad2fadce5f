//! Which key signs and which are published, at a given time: pure.

use protocol::Millis;

use super::SigningKey;

/// Clocks of gateways may be off by this much, and a token may be signed a moment after its key was chosen.
const MARGIN_MS: u64 = 60_000;

/// All keys, the oldest first. The newest whose time has come signs.
#[derive(Clone, Debug)]
pub(crate) struct Ring {
    keys: Vec<SigningKey>,
    token_ms: u64,
}

impl Ring {
    /// A ring of these keys for tokens that live this long.
    pub(crate) fn new(mut keys: Vec<SigningKey>, token_ms: u64) -> Self {
        keys.sort_by_key(|key| key.signs_from);
        Self { keys, token_ms }
    }

    /// The key that signs.
    pub(crate) fn signing(&self, now: Millis) -> Option<&SigningKey> {
        let due = self.keys.partition_point(|key| key.signs_from <= now);
        // A ring whose only keys are of the future (the clock was set back) signs with the first of them.
        self.keys[..due].last().or_else(|| self.keys.first())
    }

    /// The keys that a token may be signed with: those of the past until their tokens are gone, and those of the future.
    pub(crate) fn published(&self, now: Millis) -> impl Iterator<Item = &SigningKey> {
        self.keys
            .iter()
            .enumerate()
            .filter(move |(at, _)| self.spent_at(*at).is_none_or(|spent| now < spent))
            .map(|(_, key)| key)
    }

    /// The keys whose last token has expired.
    pub(crate) fn spent(&self, now: Millis) -> Vec<String> {
        (0..self.keys.len())
            .filter(|at| self.spent_at(*at).is_some_and(|spent| spent <= now))
            .map(|at| self.keys[at].kid.clone())
            .collect()
    }

    /// When the last token of a key expires; a key without a successor has no such time.
    fn spent_at(&self, at: usize) -> Option<Millis> {
        let successor = self.keys.get(at + 1)?;
        Some(successor.signs_from + self.token_ms + MARGIN_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN_MS: u64 = 300_000;

    fn ring(times: &[u64]) -> Ring {
        let keys = times.iter().map(|from| SigningKey::make(*from).unwrap());
        Ring::new(keys.collect(), TOKEN_MS)
    }

    fn kids(ring: &Ring, now: u64) -> Vec<String> {
        ring.published(now).map(|key| key.kid.clone()).collect()
    }

    #[test]
    fn a_new_key_is_published_before_it_signs_and_the_old_one_until_its_tokens_are_gone() {
        let ring = ring(&[0, 1_000_000]);
        let [old, new] = [0, 1].map(|at| ring.keys[at].kid.clone());
        assert_eq!(ring.signing(999_999).unwrap().kid, old);
        assert_eq!(kids(&ring, 999_999), [old.clone(), new.clone()]);
        assert_eq!(ring.signing(1_000_000).unwrap().kid, new);
        let gone = 1_000_000 + TOKEN_MS + MARGIN_MS;
        assert_eq!(kids(&ring, gone - 1), [old.clone(), new.clone()]);
        assert_eq!(kids(&ring, gone), [new]);
        assert_eq!(ring.spent(gone), [old]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_token_can_be_verified_for_its_whole_life(
            gaps in proptest::collection::vec(0u64..700_000, 1..6), signed_at in 0u64..3_000_000, age in 0u64..=TOKEN_MS,
        ) {
            let mut at = 0;
            let times: Vec<_> = gaps.iter().map(|gap| { at += gap; at }).collect();
            let ring = ring(&times);
            let key = ring.signing(signed_at).unwrap().kid.clone();
            prop_assert!(kids(&ring, signed_at + age).contains(&key));
            prop_assert!(!ring.spent(signed_at + age).contains(&key));
        }
    }
}
