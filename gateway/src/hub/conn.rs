//! A connection as the hub and its socket share it: the session, and the task that writes to the socket, behind one lock.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::task::Waker;

use link::Device;
use parking_lot::{Mutex, MutexGuard};
use protocol::{ConnectionId, SessionId, UserId};

use crate::identities::ConnectionIdentity;
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
    state: Mutex<State>,
}

/// The waker stands under the session's lock, which whoever wakes and whoever is woken takes anyway: an atomic one would cost
/// either of them two more turns of the cache line.
struct State {
    session: Session,
    task: Option<Waker>,
}

/// The session, locked.
pub(crate) struct Locked<'a>(MutexGuard<'a, State>);

impl Conn {
    pub(crate) fn new(user: UserId, login: SessionId, identity: ConnectionIdentity, session: Session) -> Arc<Self> {
        let ConnectionIdentity { id, secret } = identity;
        Arc::new(Self { user, login, id, secret, state: Mutex::new(State { session, task: None }) })
    }

    pub(crate) fn device(&self) -> Device {
        Device { user: self.user, session: self.login, connection: self.id }
    }

    pub(crate) fn session(&self) -> Locked<'_> {
        Locked(self.state.lock())
    }

    /// Does something to the session and wakes its task if that says so.
    pub(crate) fn with(&self, change: impl FnOnce(&mut Session) -> bool) {
        let mut locked = self.session();
        if change(&mut locked) {
            locked.wake();
        }
    }
}

impl Locked<'_> {
    /// From now on this task is woken.
    pub(crate) fn attend(&mut self, task: &Waker) {
        if !self.0.task.as_ref().is_some_and(|known| known.will_wake(task)) {
            self.0.task = Some(task.clone());
        }
    }

    /// Nobody is woken any more.
    pub(crate) fn abandon(&mut self) {
        self.0.task = None;
    }

    /// Wakes the session's task.
    pub(crate) fn wake(&self) {
        if let Some(task) = &self.0.task {
            task.wake_by_ref();
        }
    }
}

impl Deref for Locked<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0.session
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.0.session
    }
}
