//! The list of revocations, as far as it concerns tokens that could still be alive.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use link::token::REVOCATIONS_EVERY_MS;
use link::{Caller, Refusal, Revocation, RevocationTail, Revoked, Service};
use parking_lot::RwLock;
use protocol::{ErrorCode, Millis, SessionId, UserId};
use tokio::sync::Notify;

use crate::clock;

pub(crate) struct Revocations {
    auth: Arc<dyn Service>,
    table: RwLock<Table>,
    loaded: AtomicBool,
    reached: AtomicBool,
    wake: Notify,
}

#[derive(Default)]
struct Table {
    /// Ended logins, with the time when their last token has expired.
    sessions: HashMap<SessionId, Millis>,
    /// Users with stale tokens: those made before the first time; kept until the second.
    users: HashMap<UserId, (Millis, Millis)>,
}

impl Revocations {
    pub(crate) fn new(auth: Arc<dyn Service>) -> Self {
        Self {
            auth,
            table: RwLock::default(),
            loaded: AtomicBool::new(false),
            reached: AtomicBool::new(false),
            wake: Notify::new(),
        }
    }

    /// Looks for new rows now: something was answered that may have added some. The turns are for what came another way.
    pub(crate) fn look(&self) {
        self.wake.notify_one();
    }

    /// Whether the whole list was loaded once.
    pub(crate) fn is_loaded(&self) -> bool {
        self.loaded.load(Ordering::Acquire)
    }

    /// Whether the last question was answered.
    pub(crate) fn is_reached(&self) -> bool {
        self.reached.load(Ordering::Relaxed)
    }

    /// Whether a token of this caller, made at that time, is still honoured.
    pub(crate) fn judge(&self, caller: &Caller, made_at: Millis) -> Result<(), Refusal> {
        if !self.is_loaded() {
            return Err(Refusal::of(ErrorCode::Unavailable).after(1_000));
        }
        let table = self.table.read();
        if table.sessions.contains_key(&caller.session) {
            return Err(Refusal::of(ErrorCode::TokenRevoked));
        }
        match table.users.get(&caller.user) {
            Some((before, _)) if made_at < *before => Err(Refusal::of(ErrorCode::TokenExpired)),
            _ => Ok(()),
        }
    }

    /// Tails the list for good; `tell` hears of each new row.
    pub(crate) async fn tail(&self, tell: impl Fn(&Revocation)) {
        let mut list = RevocationTail::new(Arc::clone(&self.auth));
        let mut turn = tokio::time::interval(Duration::from_millis(REVOCATIONS_EVERY_MS));
        turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = turn.tick() => {}
                () = self.wake.notified() => {}
                () = list.hinted() => {}
            }
            let reached = list
                .read(|row| {
                    self.apply(row);
                    tell(row);
                })
                .await;
            if reached {
                self.loaded.store(true, Ordering::Release);
            }
            if self.reached.swap(reached, Ordering::Relaxed) && !reached {
                tracing::warn!("revocations can't be read: tokens are honoured until they expire");
            }
            self.forget(clock::wall());
        }
    }

    fn apply(&self, row: &Revocation) {
        let mut table = self.table.write();
        match row.revoked {
            Revoked::Session(session) => {
                table.sessions.insert(session, row.until);
            }
            Revoked::TokensBefore(time) => {
                let known = table.users.entry(row.user).or_insert((time, row.until));
                known.0 = known.0.max(time);
                known.1 = known.1.max(row.until);
            }
        }
    }

    /// Forgets what concerns only tokens that have expired anyway.
    fn forget(&self, now: Millis) {
        let stale = {
            let table = self.table.read();
            let sessions = table.sessions.values().any(|until| *until <= now);
            sessions || table.users.values().any(|(_, until)| *until <= now)
        };
        if stale {
            let mut table = self.table.write();
            table.sessions.retain(|_, until| *until > now);
            table.users.retain(|_, (_, until)| *until > now);
        }
    }
}
