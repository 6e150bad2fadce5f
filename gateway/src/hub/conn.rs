//! A connection as the hub and its socket share it: the session behind a lock, and the way to wake the socket's task.

use std::sync::Arc;

use futures_util::task::AtomicWaker;
use link::Device;
use parking_lot::{Mutex, MutexGuard};
use protocol::{ConnectionId, SessionId, UserId};
use runtime::limits::Gcra;

use crate::session::Session;

/// One connection of a login, such as a browser's tab. It outlives its socket by the resume window.
pub(crate) struct Conn {
    /// Whose.
    pub(crate) user: UserId,
    /// Which login: it may have several connections.
    pub(crate) login: SessionId,
    /// Which of them, for everybody to know.
    pub(crate) id: ConnectionId,
    /// What a client shows to resume it.
    pub(crate) secret: u128,
    /// What the login may send: its connections share it, and a socket that resumes does not begin with a whole budget.
    pub(crate) frames: Arc<Mutex<Gcra>>,
    session: Mutex<Session>,
    waker: AtomicWaker,
}

impl Conn {
    pub(crate) fn new(user: UserId, login: SessionId, session: Session, frames: Arc<Mutex<Gcra>>) -> Arc<Self> {
        Arc::new(Self {
            user,
            login,
            id: ConnectionId::now(),
            secret: rand::random(),
            frames,
            session: Mutex::new(session),
            waker: AtomicWaker::new(),
        })
    }

    pub(crate) fn device(&self) -> Device {
        Device { user: self.user, session: self.login, connection: self.id }
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
