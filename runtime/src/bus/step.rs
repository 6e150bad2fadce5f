//! Where a reader stands in a publisher's numbers, and which way it listens to. Pure.

use std::time::{Duration, Instant};

use link::Hint;
use link::bus::RESTATE_EVERY;
use uuid::Uuid;

/// A publisher that has said nothing for so long is lost on this way: it restates its number every second.
pub(super) const SILENT_FOR: Duration = Duration::from_millis(RESTATE_EVERY.as_millis() as u64 + 500);

/// By which way a hint came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    Link,
    Channel,
}

/// What was handed on of a publisher.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    publisher: Uuid,
    number: u64,
    heard_at: Instant,
    /// The channel was heard in step since the link was taken up.
    in_step: bool,
}

/// What is to be done with a hint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Note {
    /// It is new.
    HandOn,
    /// It was handed on before, or it only proves its way.
    Drop,
    /// Another publisher speaks: its channel is another one.
    HandOnOther,
}

impl Step {
    pub(super) fn new(first: &Hint, now: Instant) -> Self {
        let (publisher, number, _) = parts(first);
        Self { publisher, number, heard_at: now, in_step: false }
    }

    pub(super) fn publisher(&self) -> Uuid {
        self.publisher
    }

    /// Takes note of a hint. While the link is listened to, the channel first proves itself by what follows right after what was handed on; what is
    /// further ahead there comes by the link too.
    pub(super) fn note(&mut self, way: Way, on_link: bool, hint: &Hint, now: Instant) -> Note {
        let (publisher, number, is_event) = parts(hint);
        if publisher != self.publisher {
            return match way {
                Way::Channel => Note::Drop,
                Way::Link => {
                    *self = Self::new(hint, now);
                    Note::HandOnOther
                }
            };
        }
        if on_link && way == Way::Channel {
            let follows = number <= self.number + u64::from(is_event);
            self.in_step |= follows;
            if !follows {
                return Note::Drop;
            }
        }
        self.heard_at = now;
        // A number that is restated is handed on, also where it says nothing new: it shows that the publisher lives.
        let is_new = if is_event { number > self.number } else { number >= self.number };
        self.number = self.number.max(number);
        if is_new { Note::HandOn } else { Note::Drop }
    }

    /// The link was taken up: the channel has to prove itself again.
    pub(super) fn distrust(&mut self) {
        self.in_step = false;
    }

    /// Whether the link can be left.
    pub(super) fn channel_is_in_step(&self) -> bool {
        self.in_step
    }

    /// Whether the publisher has said nothing for longer than it does.
    pub(super) fn is_silent(&self, now: Instant) -> bool {
        now.duration_since(self.heard_at) > SILENT_FOR
    }
}

fn parts(hint: &Hint) -> (Uuid, u64, bool) {
    match *hint {
        Hint::Newest { publisher, number } => (publisher, number, false),
        Hint::Event { publisher, number, .. } => (publisher, number, true),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{event, newest};
    use super::*;
    use link::{Heard, Proof};
    use proptest::prelude::*;

    #[test]
    fn the_channel_proves_itself_before_the_link_is_left() {
        let now = Instant::now();
        let mut step = Step::new(&newest(1, 4), now);
        assert_eq!(step.note(Way::Channel, true, &event(1, 6), now), Note::Drop);
        assert!(!step.channel_is_in_step(), "5 has not come by the link yet");
        assert_eq!(step.note(Way::Link, true, &event(1, 5), now), Note::HandOn);
        assert_eq!(
            step.note(Way::Channel, true, &event(1, 6), now),
            Note::HandOn,
            "or it would be lost when the link is left now"
        );
        assert!(step.channel_is_in_step());
        assert_eq!(step.note(Way::Link, true, &event(1, 6), now), Note::Drop);
        step.distrust();
        assert!(!step.channel_is_in_step());
    }

    #[test]
    fn another_publisher_is_met_on_the_link_only() {
        let now = Instant::now();
        let mut step = Step::new(&newest(1, 4), now);
        assert_eq!(step.note(Way::Channel, false, &event(2, 5), now), Note::Drop);
        assert_eq!(step.note(Way::Link, true, &newest(2, 9), now), Note::HandOnOther);
        assert_eq!(step.publisher(), Uuid::from_u128(2));
    }

    #[test]
    fn who_is_silent_longer_than_restatements_are_apart_is_lost() {
        let now = Instant::now();
        let mut step = Step::new(&newest(1, 4), now);
        let later = now + RESTATE_EVERY;
        assert_eq!(step.note(Way::Channel, false, &newest(1, 4), later), Note::HandOn);
        assert!(!step.is_silent(later + RESTATE_EVERY));
        assert!(step.is_silent(later + SILENT_FOR + Duration::from_millis(1)));
    }

    proptest! {
        /// Whatever is lost on the channel and however often the ways are changed: what the reader takes for whole is whole.
        #[test]
        fn a_reader_that_missed_nothing_has_heard_every_event_once(
            moves in prop::collection::vec((any::<bool>(), any::<bool>(), 0_u8..4), 1..200),
        ) {
            let now = Instant::now();
            let first = newest(1, 0);
            let mut step = Step::new(&first, now);
            let mut heard = Heard::default();
            heard.prove(&first);
            let (mut number, mut on_link, mut got, mut whole, mut channel_lost) = (0, true, Vec::new(), true, false);
            for (lost, by_channel_first, change) in moves {
                number += 1;
                let hint = event(1, number);
                let mut ways = vec![Way::Link, Way::Channel];
                if by_channel_first { ways.reverse(); }
                for way in ways {
                    // The link loses nothing, and brings nothing when it is not listened to.
                    if (way == Way::Channel && lost) || (way == Way::Link && !on_link) { continue; }
                    if step.note(way, on_link, &hint, now) == Note::HandOn {
                        whole &= heard.prove(&hint) == Proof::Whole;
                        got.push(number);
                    }
                }
                channel_lost |= lost && !on_link;
                prop_assert!(whole || channel_lost, "only what the channel loses is missed");
                if on_link && step.channel_is_in_step() && change == 0 {
                    on_link = false;
                } else if !on_link && change == 1 {
                    on_link = true;
                    step.distrust();
                    // A watch begins with the newest number.
                    let begin = newest(1, number);
                    if step.note(Way::Link, true, &begin, now) == Note::HandOn {
                        whole &= heard.prove(&begin) == Proof::Whole;
                    }
                }
            }
            let mut unique = got.clone();
            unique.dedup();
            prop_assert_eq!(&unique, &got, "nothing twice, and in order");
            if !channel_lost {
                prop_assert_eq!(got, (1..=number).collect::<Vec<_>>());
            }
        }
    }
}
