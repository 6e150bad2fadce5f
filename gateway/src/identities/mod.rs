//! Who a connection is, kept where any gateway finds it: so that a client that comes back by another one, or after a crash of its own, stays the same
//! device to presence and the same leg to a call.
//!
//! Only the identity is kept. What the client has heard is in its positions, from which it syncs as a new connection does; so nothing that is lost here
//! is more than a connection that is named anew, and a client whose connection was ended may begin another one under the same name. Therefore it is written behind: by one task, many in one round trip, when a connection was welcomed
//! and once a minute while a socket holds it. A hello asks only for what this gateway doesn't hold itself.
//!
//! The secret is a key to the connection, so Redis is shown its hash alone.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use parking_lot::Mutex;
use protocol::limits::RESUME_WINDOW_MS;
use protocol::{ConnectionId, Epoch, SessionId, UserId};
use runtime::redis::{Failure, Redis, cmd, pipe};
use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use crate::hub::{Conn, Hub};

/// How often the identity of a connection is written again while a socket holds it, in milliseconds.
const AGAIN_EVERY_MS: u64 = 60_000;
/// So there is at least the resume window left whenever the socket goes.
const KEPT_MS: u64 = RESUME_WINDOW_MS + AGAIN_EVERY_MS;
/// Identities in one round trip: it has to be answered within a tenth of a second.
const AT_ONCE: usize = 500;
/// The most that wait to be written for the first time; what is beyond is written with all others within the minute.
const WAITING_MAX: usize = 10_000;

/// What names a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ConnectionIdentity {
    /// For everybody to know.
    pub(crate) id: ConnectionId,
    /// What its client shows to resume it.
    pub(crate) secret: u128,
}

impl ConnectionIdentity {
    /// One that nobody had before.
    pub(crate) fn new() -> Self {
        Self { id: ConnectionId::now(), secret: rand::random() }
    }
}

/// The identities in Redis; without a Redis there are none.
pub(crate) struct Identities {
    redis: Option<Redis>,
    waiting: Mutex<Vec<Arc<Conn>>>,
    wake: Notify,
}

impl Identities {
    pub(crate) fn new(redis: Option<Redis>) -> Self {
        Self { redis, waiting: Mutex::default(), wake: Notify::new() }
    }

    /// Whether there may be any.
    pub(crate) fn are_kept(&self) -> bool {
        self.redis.as_ref().is_some_and(|redis| redis.standing().is_up())
    }

    /// A client was welcomed on this connection.
    pub(crate) fn welcomed(&self, conn: &Arc<Conn>) {
        if self.redis.is_none() {
            return;
        }
        let mut waiting = self.waiting.lock();
        if waiting.len() < WAITING_MAX {
            waiting.push(Arc::clone(conn));
        }
        drop(waiting);
        self.wake.notify_one();
    }

    /// The identity behind a secret, if it is of this login.
    pub(crate) async fn find(
        &self,
        epoch: Epoch,
        user: UserId,
        login: SessionId,
        secret: u128,
    ) -> Option<ConnectionIdentity> {
        let redis = self.redis.as_ref()?;
        let question = cmd("GET").arg(key(redis, epoch, secret)).to_owned();
        let kept: Option<Vec<u8>> = redis.run("resume_get", &question).await.ok()?;
        let id = kept?.strip_prefix(owner(user, login).as_slice())?.try_into().ok()?;
        Some(ConnectionIdentity { id: ConnectionId(Uuid::from_bytes(id)), secret })
    }

    /// Writes for good.
    pub(crate) async fn keep(&self, hub: &Hub) {
        let Some(redis) = &self.redis else { return };
        let mut standing = redis.watch();
        let mut turn = tokio::time::interval(Duration::from_millis(AGAIN_EVERY_MS));
        turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let all = tokio::select! {
                _ = turn.tick() => true,
                // It may have come back empty.
                changed = standing.changed() => match changed {
                    Ok(()) => true,
                    Err(_) => return,
                },
                () = self.wake.notified() => false,
            };
            let waiting = std::mem::take(&mut *self.waiting.lock());
            let conns = if all { hub.attached() } else { waiting };
            let Some(epoch) = hub.epoch().filter(|_| redis.standing().is_up()) else { continue };
            for conns in conns.chunks(AT_ONCE) {
                if let Err(failure) = write(redis, epoch, conns).await {
                    tracing::debug!(%failure, "who connections are could not be written down");
                    break;
                }
            }
        }
    }
}

async fn write(redis: &Redis, epoch: Epoch, conns: &[Arc<Conn>]) -> Result<(), Failure> {
    let mut commands = pipe();
    for conn in conns {
        let value = [owner(conn.user, conn.login).as_slice(), conn.id.0.as_bytes()].concat();
        commands.cmd("SET").arg(key(redis, epoch, conn.secret)).arg(value).arg("PX").arg(KEPT_MS).ignore();
    }
    redis.run_all("resume_set", &commands).await
}

/// A secret has 128 random bits, so half of the hash tells them apart as well.
fn key(redis: &Redis, epoch: Epoch, secret: u128) -> String {
    let hash = digest(&SHA256, &secret.to_be_bytes());
    let half = hash.as_ref().first_chunk::<16>().copied().map_or(0, u128::from_be_bytes);
    redis.under(epoch.0).key("resume", format_args!("{half:032x}"))
}

fn owner(user: UserId, login: SessionId) -> [u8; 32] {
    let mut owner = [0; 32];
    owner[..16].copy_from_slice(user.0.as_bytes());
    owner[16..].copy_from_slice(login.0.as_bytes());
    owner
}

#[cfg(test)]
mod tests;
