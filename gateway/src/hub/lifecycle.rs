//! Connections come, are parked, come back, and go.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use link::{Device, Revoked};
use protocol::{CloseCode, Epoch, SessionId, UserId};

use super::{Conn, Hub};
use crate::clock::{self, Now};
use crate::codec::Frames;
use crate::identities::ConnectionIdentity;
use crate::session::{Close, Phase, Session, Token};

/// Whether a socket's session is kept for a resume.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Keep {
    /// For the resume window.
    Parked,
    /// It is over.
    Nothing,
}

impl Hub {
    /// Makes a connection of a login, of this identity, and registers it for its user. Where the login has more than it may, the one that
    /// waits longest for its client goes, or the oldest.
    pub(crate) fn register(
        &self,
        user: UserId,
        login: SessionId,
        identity: ConnectionIdentity,
        session: Session,
    ) -> Arc<Conn> {
        let (conn, surplus) = self.users.insert(user, login, identity, session);
        if let Some(surplus) = surplus {
            self.let_go(&surplus);
            surplus.with(|session| session.close(CloseCode::TakenOver));
        }
        conn
    }

    /// The store's epoch, as subscriptions were read under it. Another one than before voids everything that is known.
    pub(crate) fn epoch_is(&self, epoch: Epoch) {
        let before = self.epoch.lock().replace(epoch);
        if before.is_some_and(|before| before != epoch) {
            tracing::error!("the store has another epoch: every connection syncs anew");
            for conn in self.all() {
                self.expel(&conn, CloseCode::Resync);
            }
        }
    }

    /// The epoch, once it is known.
    pub(crate) fn epoch(&self) -> Option<Epoch> {
        *self.epoch.lock()
    }

    /// A login's connection by its secret.
    pub(crate) fn find(&self, user: UserId, login: SessionId, secret: u128) -> Option<Arc<Conn>> {
        let conns = self.users.of(user);
        conns.into_iter().find(|conn| conn.secret == secret && conn.login == login)
    }

    /// Resumes a connection, and none of its login beside it; answers the number of the new socket.
    pub(crate) fn resume(&self, conn: &Arc<Conn>, token: Token, welcome: Frames) -> Option<u32> {
        let mut session = conn.session();
        let was_parked = matches!(session.phase(), Phase::Parked { .. });
        let socket = session.resume(token, clock::now(), welcome)?;
        if was_parked {
            self.parked.fetch_sub(1, Ordering::Relaxed);
        }
        // The task of the older socket, if there is one, sees that it was taken over.
        session.wake();
        session.abandon();
        Some(socket)
    }

    /// Socket number `socket` of a connection is gone. Answers whether it was the one that held it.
    pub(crate) fn detach(&self, conn: &Arc<Conn>, socket: u32, keep: Keep) -> bool {
        let now = clock::now();
        let mut session = conn.session();
        if session.gone || !session.park(socket, now) {
            return false;
        }
        session.abandon();
        let full = self.parked.fetch_add(1, Ordering::Relaxed) >= self.parked_max;
        if keep == Keep::Nothing || full || session.is_over(now) {
            // Decided under the same lock: a resume that comes now finds it gone, and no resumed one is ever let go here.
            self.mark_gone(&mut session);
            drop(session);
            self.remove(conn);
        }
        true
    }

    /// Ends a connection for good; its socket, if it has one, is closed.
    pub(crate) fn expel(&self, conn: &Arc<Conn>, code: CloseCode) {
        conn.with(|session| session.close(code));
        self.remove(conn);
    }

    /// Forgets a connection.
    pub(crate) fn remove(&self, conn: &Arc<Conn>) {
        self.users.remove(conn);
        self.let_go(conn);
    }

    fn let_go(&self, conn: &Arc<Conn>) {
        self.mark_gone(&mut conn.session());
        self.unsubscribe_all(conn);
    }

    /// From now on it can't be resumed. The count of the parked changes only under the session's lock.
    fn mark_gone(&self, session: &mut Session) {
        if !session.gone && matches!(session.phase(), Phase::Parked { .. }) {
            self.parked.fetch_sub(1, Ordering::Relaxed);
        }
        session.gone = true;
    }

    /// A login has ended, or its tokens are stale.
    pub(crate) fn revoke(&self, user: UserId, revoked: Revoked) {
        for conn in self.users.of(user) {
            match revoked {
                Revoked::Session(login) if conn.login == login => {
                    self.expel(&conn, CloseCode::Revoked);
                }
                Revoked::TokensBefore(time) => {
                    conn.with(|session| session.token().made_at < time && session.close(CloseCode::TokenExpired))
                }
                Revoked::Session(_) => {}
            }
        }
    }

    /// Looks at every connection: deadlines, and parked ones whose time is over. One look a second over all costs less than
    /// a timer for each.
    pub(crate) fn sweep(&self, now: Now) {
        let mut over = Vec::new();
        self.users.each(|conn| {
            conn.with(|session| {
                if session.is_over(now) {
                    over.push(Arc::clone(conn));
                }
                session.tick(&self.settings, now)
            });
        });
        for conn in over {
            // It may have been resumed since.
            if conn.session().is_over(now) {
                self.remove(&conn);
            }
        }
    }

    /// Asks every socket to close; `wait` says for each how long its client waits before it comes back.
    pub(crate) fn close_all(&self, mut wait: impl FnMut() -> u64) {
        for conn in self.all() {
            let close = Close { code: CloseCode::Reconnect, after_ms: Some(wait()) };
            conn.with(|session| session.close_with(close));
        }
    }

    /// Every device that is here.
    pub(crate) fn devices(&self) -> Vec<Device> {
        self.attached().iter().map(|conn| conn.device()).collect()
    }

    /// Every connection that a welcomed socket holds.
    pub(crate) fn attached(&self) -> Vec<Arc<Conn>> {
        let mut attached = self.all();
        attached.retain(|conn| conn.session().is_attached());
        attached
    }

    /// Whether a device is here.
    pub(crate) fn is_here(&self, device: Device) -> bool {
        let conns = self.users.of(device.user);
        conns.iter().any(|conn| conn.id == device.connection && conn.session().is_attached())
    }

    fn all(&self) -> Vec<Arc<Conn>> {
        let mut all = Vec::new();
        self.users.each(|conn| all.push(Arc::clone(conn)));
        all
    }
}
