//! A bounded queue from many callers to threads that sleep when there is nothing to do.
//!
//! Own instead of a channel because the writer wants all that waits in one locking, not one item at a time, and because its last
//! fifth is kept: new work is refused from there on ([`Work::New`]), so that what the service owes for work that it has taken in
//! already ([`Work::Own`]) still finds room under overload.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

/// Why an item was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejected {
    /// The bound is reached.
    Full,
    /// No more items are wanted.
    Closed,
}

/// Who asks for a place in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// A caller with something new.
    New,
    /// The service itself: audit, upkeep, revocations.
    Own,
}

impl Work {
    /// How many may wait in a queue of this capacity before this work is refused.
    pub(crate) fn room(self, capacity: usize) -> usize {
        match self {
            Self::New => capacity - capacity / 5,
            Self::Own => capacity,
        }
    }
}

pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    arrived: Condvar,
    capacity: usize,
}

struct State<T> {
    items: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::new(State { items: VecDeque::new(), closed: false }),
            arrived: Condvar::new(),
            capacity: capacity.max(1),
        }
    }

    pub(crate) fn push(&self, work: Work, item: T) -> Result<(), Rejected> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(Rejected::Closed);
        }
        if state.items.len() >= work.room(self.capacity) {
            return Err(Rejected::Full);
        }
        state.items.push_back(item);
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits until something is there and moves up to `max` items over; `false` once closed and empty.
    pub(crate) fn wait_take(&self, into: &mut VecDeque<T>, max: usize) -> bool {
        let mut state = self.state.lock();
        while state.items.is_empty() {
            if state.closed {
                return false;
            }
            self.arrived.wait(&mut state);
        }
        take(&mut state.items, into, max);
        true
    }

    /// Moves up to `max` items over without waiting.
    pub(crate) fn take_now(&self, into: &mut VecDeque<T>, max: usize) {
        take(&mut self.state.lock().items, into, max);
    }

    /// Takes in no more; what waits is still handed out.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.arrived.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    pub(crate) fn len(&self) -> usize {
        self.state.lock().items.len()
    }
}

fn take<T>(from: &mut VecDeque<T>, into: &mut VecDeque<T>, max: usize) {
    if into.is_empty() && from.len() <= max {
        std::mem::swap(from, into);
    } else {
        let count = from.len().min(max);
        into.extend(from.drain(..count));
    }
}
