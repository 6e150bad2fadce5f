//! One call out of two versions of it that knew nothing of each other: processes that were cut off from the store that they share went on
//! by themselves.
//!
//! The newer one counts, except for what must not come back: over stays over, removed stays removed, and of two legs of somebody the one
//! with the higher epoch is theirs. What follows from that (nobody is left, the host is gone) the next [`super::Input::Due`] finds.

use protocol::calls::{CallStatus, ParticipantStatus};

use super::{CallState, Part};

impl CallState {
    /// What both come to, whichever is named first. It is a version of its own, above both, unless it is one of them already.
    #[must_use]
    pub fn merge(one: &Self, other: &Self) -> Self {
        let (newer, older) = if one.rank() >= other.rank() { (one, other) } else { (other, one) };
        let mut merged = newer.clone();
        if !newer.status.is_over() {
            merged.take_in(older);
        }
        merged.version = newer.version.max(older.version);
        if merged != *newer && merged != *older {
            merged.version += 1;
        }
        merged
    }

    /// Which of two counts: one that is over, of those the one that was so first; else the newer one. The text decides between versions of
    /// the same number.
    fn rank(&self) -> (bool, std::cmp::Reverse<Option<u64>>, u64, String) {
        let text = serde_json::to_string(self).unwrap_or_default();
        (self.status.is_over(), std::cmp::Reverse(self.ended_at), self.version, text)
    }

    /// Both go on.
    fn take_in(&mut self, older: &Self) {
        for (user, part) in &older.parts {
            match self.parts.get_mut(user) {
                Some(newer) => newer.take_in(part),
                None => drop(self.parts.insert(*user, part.clone())),
            }
        }
        self.recovering |= older.recovering;
        self.answered_at = earlier(self.answered_at, older.answered_at);
        if self.answered_at.is_some() {
            self.status = CallStatus::Active;
        } else if older.status == CallStatus::Ringing {
            self.status = CallStatus::Ringing;
        }
    }
}

impl Part {
    fn take_in(&mut self, older: &Self) {
        let joined_at = earlier(self.joined_at, older.joined_at);
        let last_epoch = self.last_epoch.max(older.last_epoch);
        let removed = [&*self, older].iter().any(|part| part.status == ParticipantStatus::Removed);
        if removed {
            self.go(ParticipantStatus::Removed);
        } else if older.last_epoch > self.last_epoch {
            *self = older.clone();
        }
        self.joined_at = joined_at;
        self.last_epoch = last_epoch;
    }
}

fn earlier(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}
