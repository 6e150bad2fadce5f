//! Names whose credentials are no longer good although their time is not over.
//!
//! Credentials state their own expiry, so a name is remembered only for as long as credentials that were made before can last. Those
//! made later expire later: who is let in anew is not kept out by what was taken back before.

use std::collections::HashMap;

use parking_lot::Mutex;

/// The most names that are remembered. Beyond it a revocation ends what lives, and the credentials' own expiry must do the rest.
const NAMES_MAX: usize = 65_536;

/// The names, each with the last expiry that is not good.
#[derive(Debug, Default)]
pub(crate) struct Revoked(Mutex<HashMap<String, u64>>);

impl Revoked {
    /// Takes back what was made for `name` or a name below it (`name.…`) and expires at `until_s` or before. Answers whether there was room.
    pub(crate) fn add(&self, name: &str, until_s: u64, now_s: u64) -> bool {
        let mut all = self.0.lock();
        if all.len() >= NAMES_MAX {
            all.retain(|_, until_s| *until_s > now_s);
        }
        let has_room = all.len() < NAMES_MAX || all.contains_key(name);
        if has_room {
            all.insert(name.to_owned(), until_s);
        }
        has_room
    }

    /// Whether credentials of this name and expiry were taken back.
    pub(crate) fn contains(&self, name: &str, expires_at_s: u64) -> bool {
        let all = self.0.lock();
        let is_revoked = |name: &str| all.get(name).is_some_and(|until_s| expires_at_s <= *until_s);
        !all.is_empty() && (is_revoked(name) || name.match_indices('.').any(|(dot, _)| is_revoked(&name[..dot])))
    }
}

/// Whether `name` is `above` or below it.
pub(crate) fn is_under(name: &str, above: &str) -> bool {
    name.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_before_is_taken_back_and_what_is_made_later_is_not() {
        let revoked = Revoked::default();
        assert!(revoked.add("ann.call1", 400, 100));
        for name in ["ann.call1", "ann.call1.2", "ann.call1.2.x"] {
            assert!(revoked.contains(name, 400) && is_under(name, "ann.call1"), "{name}");
            assert!(!revoked.contains(name, 401), "{name}");
        }
        for name in ["ann", "ann.call10", "ann.call2.1", "bob.call1"] {
            assert!(!revoked.contains(name, 400) && !is_under(name, "ann.call1"), "{name}");
        }
    }
}
