//! Whether a socket may have something to read.
//!
//! One task serves a connection, and most of what wakes it is something to write. Looking for something to read each time is what a
//! delivery can do without; so reading wakes the task by a way of its own, which remembers that it did.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use futures_util::task::AtomicWaker;

/// The stream wakes this; this wakes the connection's task.
#[derive(Debug)]
pub(super) struct Readable {
    may_read: AtomicBool,
    task: AtomicWaker,
}

impl Readable {
    /// For a stream that has not been read yet.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { may_read: AtomicBool::new(true), task: AtomicWaker::new() })
    }

    /// Whether there may be something to read. After a yes the stream is to be read: what it finds is told by
    /// [`Readable::goes_on`], and that it finds nothing wakes this task when there is more.
    pub(super) fn begin(&self, task: &Waker) -> bool {
        if !self.may_read.load(Ordering::Acquire) {
            return false;
        }
        self.task.register(task);
        // What comes from here on is a reason of its own to read again.
        self.may_read.swap(false, Ordering::AcqRel)
    }

    /// The stream gave something and may have more.
    pub(super) fn goes_on(&self) {
        self.may_read.store(true, Ordering::Release);
    }

    /// This task waits for the stream, whatever for.
    pub(super) fn attend(&self, task: &Waker) {
        self.task.register(task);
    }
}

impl Wake for Readable {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.goes_on();
        self.task.wake();
    }
}
