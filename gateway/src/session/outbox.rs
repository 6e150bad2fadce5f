//! What waits to be written to one socket: a queue bounded in bytes, and by a budget of the whole process.
//!
//! Entries that follow one another wait as one block of frames. Frames are shared between all who hear an event, but every queue
//! counts them in full: the bound must hold also when nobody else has them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use protocol::{Millis, Seq, StreamId};

use crate::codec::Frames;

/// What a queued block of frames costs beside its bytes.
const BLOCK_OVERHEAD: usize = 96;

/// Frames on their way out, which are kept or dropped together.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    pub(crate) frames: Frames,
    pub(crate) kind: Kind,
}

/// What a block of frames is, for when the queue is full.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Entries of a stream: can be read from the log again.
    Entries {
        /// The stream.
        stream: StreamId,
        /// The first of them; the others follow it without a gap.
        first: Seq,
        /// How many frames they are.
        count: u32,
    },
    /// The value of a register: can be sent whole again.
    Register,
    /// Worth nothing after this time.
    Ephemeral(Millis),
    /// A reply or a word of the gateway's own: is kept.
    Kept,
}

/// The bytes that all queues together may hold.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicUsize,
    max: usize,
}

impl Budget {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        let used = AtomicUsize::new(0);
        Arc::new(Self { used, max })
    }

    /// How many bytes are in use.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.used() + bytes <= self.max
    }

    fn take(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The queue.
#[derive(Debug)]
pub(crate) struct Outbox {
    /// The head of the queue: one block at a time, which is what most connections hear, needs no memory of its own.
    first: Option<Queued>,
    queue: VecDeque<Queued>,
    /// The registers' values that were read and are still to be queued, the last one first. They are not of the queue yet, whose
    /// bound they may exceed, but of the budget.
    values: Vec<Frames>,
    bytes: usize,
    max: usize,
    budget: Arc<Budget>,
}

impl Outbox {
    pub(crate) fn new(max: usize, budget: Arc<Budget>) -> Self {
        Self { first: None, queue: VecDeque::new(), values: Vec::new(), bytes: 0, max, budget }
    }

    /// Whether these frames stay within the bounds.
    pub(crate) fn has_room(&self, frames: &Frames) -> bool {
        let cost = cost(frames);
        self.bytes + cost <= self.max && self.budget.has_room(cost)
    }

    /// Whether it is so full that what may be dropped is dropped.
    pub(crate) fn is_pressed(&self) -> bool {
        self.bytes > self.max / 2
    }

    pub(crate) fn push(&mut self, frames: Frames, kind: Kind) {
        let cost = cost(&frames);
        self.bytes += cost;
        self.budget.take(cost);
        let queued = Queued { frames, kind };
        if self.is_empty() {
            self.first = Some(queued);
        } else {
            self.queue.push_back(queued);
        }
    }

    /// Hands over blocks in their order, until they are so many bytes; the bounds are told once for all of them.
    pub(crate) fn take(&mut self, bytes: usize, mut each: impl FnMut(Queued)) {
        let (mut taken, mut released) = (0, 0);
        while taken < bytes
            && let Some(queued) = self.first.take().or_else(|| self.queue.pop_front())
        {
            taken += queued.frames.len();
            released += cost(&queued.frames);
            each(queued);
        }
        if released > 0 {
            self.release(released);
        }
        // A burst's memory is not kept for the quiet after it.
        if self.queue.is_empty() && self.queue.capacity() > 0 {
            self.queue = VecDeque::new();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none() && self.queue.is_empty()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Drops everything that can be had again; `dropped` hears of each.
    pub(crate) fn shed(&mut self, mut dropped: impl FnMut(Kind)) {
        let mut freed = 0;
        let mut keeps = |queued: &Queued| {
            let keep = queued.kind == Kind::Kept;
            if !keep {
                freed += cost(&queued.frames);
                dropped(queued.kind);
            }
            keep
        };
        self.first = self.first.take().filter(&mut keeps);
        self.queue.retain(&mut keeps);
        if self.first.is_none() {
            self.first = self.queue.pop_front();
        }
        self.queue.shrink_to_fit();
        self.release(freed);
    }

    pub(crate) fn clear(&mut self) {
        self.first = None;
        self.queue = VecDeque::new();
        self.release(self.bytes);
    }

    /// Keeps the registers' values, in their order, until they find room.
    pub(crate) fn keep_values(&mut self, mut values: Vec<Frames>) {
        self.drop_values();
        self.budget.take(values.iter().map(cost).sum());
        values.reverse();
        self.values = values;
    }

    /// Whether values wait for room.
    pub(crate) fn has_values(&self) -> bool {
        !self.values.is_empty()
    }

    /// Queues the next value if the queue holds less than so many bytes and has room for it, or is empty; answers whether.
    pub(crate) fn queue_value(&mut self, below: usize) -> bool {
        let Some(frame) = self.values.pop() else { return false };
        self.budget.give_back(cost(&frame));
        let room = self.bytes < below && self.has_room(&frame);
        if !room && !self.is_empty() {
            self.budget.take(cost(&frame));
            self.values.push(frame);
            return false;
        }
        self.push(frame, Kind::Register);
        if self.values.is_empty() {
            self.values = Vec::new();
        }
        true
    }

    /// Forgets the values: they are read again.
    pub(crate) fn drop_values(&mut self) {
        let values = std::mem::take(&mut self.values);
        self.budget.give_back(values.iter().map(cost).sum());
    }

    fn release(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.budget.give_back(bytes);
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.drop_values();
        self.release(self.bytes);
    }
}

fn cost(frames: &Frames) -> usize {
    frames.len() + BLOCK_OVERHEAD
}
