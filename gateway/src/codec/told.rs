//! What is told to many: encoded when the first connection needs it, once for each codec, and shared by all.
//!
//! Entries that follow one another are one block of frames. A connection queues and writes the block as one thing, whatever number
//! of entries is in it: of a burst of 64 to 1,000 subscribers, 64,000 frames that are queued, counted and copied one by one cost
//! more than their writing.

use std::borrow::Borrow;
use std::cell::OnceCell;

use bytes::Bytes;
use link::Event;

use super::frame::{Frames, push_text};
use super::{Codec, EVENT_BYTES_BESIDE_BODY};

/// The most bytes of one block, but for a single event that is larger: what waits for a slow socket is dropped and counted a
/// block at a time.
pub(crate) const BLOCK_BYTES: usize = 64 * 1_024;

/// One event, or entries of one stream that follow one another.
pub(crate) struct Told<'a> {
    events: Vec<&'a Event>,
    json: OnceCell<Block>,
}

/// The frames of all events, and where each begins.
struct Block {
    frames: Bytes,
    starts: Vec<usize>,
}

impl<'a> Told<'a> {
    /// One event.
    pub(crate) fn one(event: &'a Event) -> Self {
        Self::all(std::slice::from_ref(event))
    }

    /// Entries in the order of their stream, without a gap.
    pub(crate) fn all<E: Borrow<Event>>(events: &'a [E]) -> Self {
        Self { events: events.iter().map(Borrow::borrow).collect(), json: OnceCell::new() }
    }

    /// How many events.
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// The frames of all events but the first `skipped`, for connections of this codec.
    pub(crate) fn frames(&self, codec: Codec, skipped: usize) -> Frames {
        let Block { frames, starts } = match codec {
            Codec::Json => self.json.get_or_init(|| self.encode(codec)),
        };
        let start = starts.get(skipped).copied().unwrap_or(frames.len());
        Frames::whole(frames.slice(start..))
    }

    fn encode(&self, codec: Codec) -> Block {
        let room: usize = self.events.iter().map(|event| bytes_of(event)).sum();
        let (mut frames, mut starts) = (Vec::with_capacity(room), Vec::with_capacity(self.events.len()));
        for event in &self.events {
            starts.push(frames.len());
            push_text(&mut frames, &codec.text_of(event));
        }
        Block { frames: frames.into(), starts }
    }
}

/// How many of these events make one block: at least the first.
pub(crate) fn fit_block<E: Borrow<Event>>(events: &[E]) -> usize {
    let mut bytes = 0;
    let fit = events.iter().take_while(|event| {
        bytes += bytes_of((*event).borrow());
        bytes <= BLOCK_BYTES
    });
    fit.count().max(1)
}

/// About how many bytes an event's frame has.
fn bytes_of(event: &Event) -> usize {
    event.body.len() + EVENT_BYTES_BESIDE_BODY
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::sync::Arc;

    use link::{Audience, Identity};
    use protocol::{StreamId, Tag, UserId};

    use super::*;

    fn entries(bodies: &[usize]) -> Vec<Event> {
        let stream = StreamId::user(UserId::now());
        let entry = |(number, bytes): (usize, &usize)| Event {
            identity: Identity::Entry { stream, seq: number as u64 + 1, tag: Tag(7) },
            audience: Audience::Stream(stream),
            name: Cow::Borrowed("test"),
            at: 0,
            body: Bytes::from(format!("\"{}\"", "x".repeat(*bytes))),
            by_rights: false,
            effects: Arc::from([]),
        };
        bodies.iter().enumerate().map(entry).collect()
    }

    #[test]
    fn a_block_is_the_frames_of_its_events_and_any_tail_of_it_shares_its_bytes() {
        let events = entries(&[0, 1, 200, 70_000]);
        let told = Told::all(&events);
        let all = told.frames(Codec::Json, 0);
        let texts: Vec<_> = events.iter().map(|event| Codec::Json.text_of(event)).collect();
        assert_eq!(all.texts(), texts);
        for skipped in 0..=events.len() {
            let tail = told.frames(Codec::Json, skipped);
            assert_eq!(tail.texts(), texts[skipped..]);
            let (all, tail) = (all.clone().into_bytes(), tail.into_bytes());
            assert_eq!(tail.as_ptr_range().end, all.as_ptr_range().end);
        }
    }

    #[test]
    fn a_block_takes_as_many_events_as_fit_and_one_that_is_larger_stands_alone() {
        assert_eq!(fit_block(&entries(&[100; 64])), 64);
        assert_eq!(fit_block(&entries(&[30_000; 5])), 2);
        assert_eq!(fit_block(&entries(&[100_000, 1])), 1);
        assert_eq!(fit_block(&entries(&[1, 100_000])), 1);
    }
}
