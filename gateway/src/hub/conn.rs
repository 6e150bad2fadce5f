//! A connection as the hub and its socket share it: the session behind a lock, and the way to wake the socket's task.

use std::sync::Arc;

use futures_util::task::AtomicWaker;
use link::Device;
use parking_lot::{Mutex, MutexGuard};
use protocol::{SessionId, UserId};

use crate::session::Session;

/// One device's connection. It outlives its socket by the resume window.
pub(crate) struct Conn {
    /// Whose.
    pub(crate) user: UserId,
    /// Which login: there is one connection per login.
    pub(crate) login: SessionId,
    /// What a client shows to resume it.
    pub(crate) secret: u128,
    session: Mutex<Session>,
    waker: AtomicWaker,
}

impl Conn {
    pub(crate) fn new(user: UserId, login: SessionId, session: Session) -> Arc<Self> {
        Arc::new(Self { user, login, secret: rand::random(), session: Mutex::new(session), waker: AtomicWaker::new() })
    }

    pub(crate) fn device(&self) -> Device {
        Device { user: self.user, session: self.login }
    }

    pub(crate) fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock()
    }

    /// Does something to the session and wakes its writer if that says so.
    pub(crate) fn with(&self, change: impl FnOnce(&mut Session) -> bool) {
        let wake = change(&mut self.session.lock());
        if wake {
            self.waker.wake();
        }
    }

    pub(crate) fn wake(&self) {
        self.waker.wake();
    }

    /// The task that writes to the socket.
    pub(crate) fn waker(&self) -> &AtomicWaker {
        &self.waker
    }
}
