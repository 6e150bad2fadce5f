//! What a reader has heard of each publisher, and what a hint's number proves.
//!
//! Numbers are a publisher's own, so the reader keeps one for each: several instances of a service are watched at once, and one that
//! comes back with the number that it left with has told everything. Nothing says that a publisher is gone for good, and nothing has to: one
//! that is not known, or no more, costs one look at the truth when it speaks. So only so many are kept, and whoever was silent for
//! longest is forgotten.

use uuid::Uuid;

use crate::bus::Hint;

/// The most publishers that are remembered: more than there are instances, with some restarts of each.
const PUBLISHERS_MAX: usize = 64;

/// Where a reader stands in the numbers of each publisher.
#[derive(Debug, Default)]
pub struct Heard {
    /// Whoever spoke last stands last.
    publishers: Vec<Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    publisher: Uuid,
    number: u64,
}

/// What a hint's number proves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    /// Nothing of this publisher was missed.
    Whole,
    /// Some hint was.
    Missed,
    /// This publisher was not heard before: what it told until now is not known, and it may stand on another log.
    Unknown,
}

impl Heard {
    /// Moves on to a hint.
    pub fn prove(&mut self, hint: &Hint) -> Proof {
        let (publisher, number, is_event) = match *hint {
            Hint::Newest { publisher, number } => (publisher, number, false),
            Hint::Event { publisher, number, .. } => (publisher, number, true),
        };
        let known = self.publishers.iter().position(|place| place.publisher == publisher);
        let before = known.map(|index| self.publishers.remove(index).number);
        if self.publishers.len() >= PUBLISHERS_MAX {
            self.publishers.remove(0);
        }
        self.publishers.push(Place { publisher, number });
        match before {
            None => Proof::Unknown,
            Some(before) if number == before + u64::from(is_event) => Proof::Whole,
            Some(_) => Proof::Missed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::{Audience, Event, Identity};

    fn newest(publisher: u128, number: u64) -> Hint {
        Hint::Newest { publisher: Uuid::from_u128(publisher), number }
    }

    fn event(publisher: u128, number: u64) -> Hint {
        let event = Event {
            identity: Identity::Ephemeral { until: 0 },
            audience: Audience::Users(Arc::from([])),
            name: "test".into(),
            at: 0,
            body: bytes::Bytes::from_static(b"{}"),
            by_rights: false,
            effects: Arc::from([]),
        };
        Hint::Event { publisher: Uuid::from_u128(publisher), number, event: Arc::new(event) }
    }

    #[test]
    fn a_restated_number_that_differs_proves_a_loss_and_a_new_publisher_nothing() {
        let mut heard = Heard::default();
        assert_eq!(heard.prove(&newest(1, 4)), Proof::Unknown);
        assert_eq!(heard.prove(&newest(1, 4)), Proof::Whole);
        assert_eq!(heard.prove(&newest(1, 5)), Proof::Missed);
        assert_eq!(heard.prove(&event(1, 6)), Proof::Whole);
        assert_eq!(heard.prove(&event(1, 8)), Proof::Missed);
        assert_eq!(heard.prove(&event(2, 1)), Proof::Unknown);
    }

    #[test]
    fn publishers_that_speak_in_turn_prove_each_their_own() {
        let mut heard = Heard::default();
        heard.prove(&newest(1, 10));
        heard.prove(&newest(2, 90));
        for number in 1..50 {
            assert_eq!(heard.prove(&event(1, 10 + number)), Proof::Whole);
            assert_eq!(heard.prove(&event(2, 90 + number)), Proof::Whole);
        }
        assert_eq!(heard.prove(&newest(1, 59)), Proof::Whole);
        assert_eq!(heard.prove(&newest(2, 140)), Proof::Missed);
    }

    #[test]
    fn only_so_many_are_kept_and_who_speaks_is() {
        let mut heard = Heard::default();
        heard.prove(&newest(0, 7));
        for stranger in 1..1_000 {
            heard.prove(&newest(stranger, 1));
            assert_eq!(heard.prove(&newest(0, 7)), Proof::Whole);
            assert!(heard.publishers.len() <= PUBLISHERS_MAX);
        }
        assert_eq!(heard.prove(&newest(1, 1)), Proof::Unknown);
    }
}
