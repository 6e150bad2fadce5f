//! Which entries of a log a reader may see: the union of their membership intervals. (Of these, an edit is seen by who sees its
//! message: `page`.)
//!
//! Pure arithmetic on numbers, so that withheld ranges are found without touching the entries in them.

use protocol::Seq;

/// One membership: sees from `first` on, up to `last` once it has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Interval {
    pub(crate) first: Seq,
    /// The entry that ended it; `None` while it lasts.
    pub(crate) last: Option<Seq>,
}

/// All that a reader may see of one log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Visibility {
    /// Sorted, without overlap or touch.
    ranges: Vec<Interval>,
}

/// A stretch of a log, wholly seen or wholly withheld.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stretch {
    pub(crate) first: Seq,
    pub(crate) last: Seq,
    pub(crate) visible: bool,
}

impl Visibility {
    pub(crate) fn new(mut intervals: Vec<Interval>) -> Self {
        intervals.sort_by_key(|interval| interval.first);
        let mut ranges: Vec<Interval> = Vec::with_capacity(intervals.len());
        for next in intervals {
            match ranges.last_mut() {
                Some(range) if range.last.is_none_or(|last| next.first <= last + 1) => {
                    range.last = match (range.last, next.last) {
                        (Some(a), Some(b)) => Some(a.max(b)),
                        _ => None,
                    };
                }
                _ => ranges.push(next),
            }
        }
        Self { ranges }
    }

    /// Sees everything.
    pub(crate) fn whole() -> Self {
        Self { ranges: vec![Interval { first: 1, last: None }] }
    }

    /// Whether the reader was never a member.
    pub(crate) fn is_nothing(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether the reader sees what comes next.
    pub(crate) fn is_open(&self) -> bool {
        self.ranges.last().is_some_and(|range| range.last.is_none())
    }

    /// Whether the reader sees this entry.
    pub(crate) fn sees(&self, seq: Seq) -> bool {
        self.ranges.iter().any(|range| range.first <= seq && range.last.is_none_or(|last| seq <= last))
    }

    /// The last entry the reader sees of a log with this head; 0 when there is none.
    pub(crate) fn end(&self, head: Seq) -> Seq {
        self.ranges.last().map_or(0, |range| range.last.unwrap_or(head).min(head))
    }

    /// The log after `after` up to what the reader sees last, cut where visibility changes.
    pub(crate) fn stretches(&self, after: Seq, head: Seq) -> Vec<Stretch> {
        let mut stretches = Vec::new();
        let mut next = after + 1;
        for range in &self.ranges {
            let last = range.last.unwrap_or(head).min(head);
            if last < next || range.first > head {
                continue;
            }
            if next < range.first {
                stretches.push(Stretch { first: next, last: range.first - 1, visible: false });
                next = range.first;
            }
            stretches.push(Stretch { first: next, last, visible: true });
            next = last + 1;
        }
        stretches
    }

    /// The visible stretches only, as bounds.
    pub(crate) fn ranges(&self, head: Seq) -> impl DoubleEndedIterator<Item = (Seq, Seq)> + '_ {
        self.ranges
            .iter()
            .map(move |range| (range.first, range.last.unwrap_or(head).min(head)))
            .filter(|(first, last)| first <= last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn memberships() -> impl Strategy<Value = (Vec<Interval>, Seq)> {
        (proptest::collection::vec((1u64..40, 0u64..20, 0u64..3), 0..6), 1u64..60).prop_map(|(parts, head)| {
            let intervals = parts
                .into_iter()
                .map(|(first, length, open)| Interval { first, last: (open > 0).then_some(first + length) })
                .collect();
            (intervals, head)
        })
    }

    proptest! {
        #[test]
        fn stretches_cover_every_number_once_and_tell_the_truth((intervals, head) in memberships(), after in 0u64..60) {
            let after = after.min(head);
            let visibility = Visibility::new(intervals.clone());
            let seen = |seq: Seq| intervals.iter().any(|i| i.first <= seq && i.last.is_none_or(|last| seq <= last));
            let mut next = after + 1;
            for stretch in visibility.stretches(after, head) {
                prop_assert_eq!(stretch.first, next);
                prop_assert!(stretch.last >= stretch.first);
                for seq in stretch.first..=stretch.last {
                    prop_assert_eq!(stretch.visible, seen(seq));
                    prop_assert_eq!(visibility.sees(seq), seen(seq));
                }
                next = stretch.last + 1;
            }
            for seq in next..=head {
                prop_assert!(!seen(seq), "{} is seen but in no stretch", seq);
            }
            prop_assert_eq!(visibility.is_open(), intervals.iter().any(|i| i.last.is_none()));
        }
    }
}
