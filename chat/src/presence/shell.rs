//! The shell around the machine: the clock, the audiences, what is told and what is written down.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use link::{Audience, DeviceReport, Event, Identity, Refusal};
use parking_lot::Mutex;
use protocol::chat::{PRESENCE_CHANGED, Presence, PresenceState};
use protocol::{ConnectionId, ConversationId, ErrorCode, Millis, SessionId, UserId};
use rusqlite::{Connection, params};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval};
use uuid::Uuid;

use super::audience;
use super::introductions::{self, Newcomers};
use super::leases::Leases;
use super::machine::{Lease, Machine, Told};
use super::watches::Watches;
use crate::refuse::{Stop, refuse};
use crate::shared::Shared;

/// How often changes are looked for while anybody is there: what a change may be late at most.
const TICK: Duration = Duration::from_millis(250);
/// Changes whose audience is read in one go.
const CHUNK: usize = 32;
/// What is written down waits for this long, so that many changes are one commit.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// Rows in one transaction.
const WRITE_CHUNK: usize = 500;

/// Everybody's presence.
pub(crate) struct Presences {
    machine: Mutex<Machine>,
    watches: Mutex<Watches>,
    /// Taken from the machine, but not written down yet.
    unwritten: Mutex<HashMap<UserId, Told>>,
    newcomers: Mutex<Newcomers>,
    /// The lowest version that this process tells: above all that the one before it told, also what it had not written down.
    since: u64,
    leases: Leases,
    wake: Notify,
}

impl Presences {
    /// Goes on from what was written down before.
    pub(crate) fn open(
        connection: &Connection,
        grace_ms: Millis,
        leases: Leases,
        now: Millis,
    ) -> rusqlite::Result<Self> {
        let last_version = connection
            .query_row("SELECT coalesce(max(version), 0) FROM presence", [], |row| crate::log::row::unsigned(row, 0))?;
        let online = connection
            .prepare("SELECT user FROM presence WHERE online = 1")?
            .query_map([], |row| crate::log::row::id(row, 0).map(UserId::from))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        // Versions are a clock: what was told in the last second before a crash, and not written down, is older than now.
        let since = now.max(last_version + 1);
        let mut machine = Machine::new(grace_ms, since);
        machine.restore(now, online);
        Ok(Self {
            machine: Mutex::new(machine),
            watches: Mutex::default(),
            unwritten: Mutex::default(),
            newcomers: Mutex::default(),
            since,
            leases,
            wake: Notify::new(),
        })
    }

    /// Takes a gateway's report; answers whether its whole list is known.
    pub(crate) fn report(&self, now: Millis, report: &DeviceReport) -> bool {
        let known = self.machine.lock().report(now, report.gateway, report.whole, &report.opened, &report.closed);
        self.leases.note(report.gateway, report.whole, report.opened.iter().chain(&report.closed));
        self.wake.notify_one();
        known
    }

    /// A device says that it is in use, or not.
    pub(crate) fn set(
        &self,
        now: Millis,
        user: UserId,
        session: SessionId,
        connection: Option<ConnectionId>,
        state: PresenceState,
    ) {
        let mut machine = self.machine.lock();
        machine.set(now, user, session, connection, state);
        let held = machine.leases(user);
        drop(machine);
        for (gateway, lease) in held {
            self.leases.note(gateway, false, [&lease.device]);
        }
        self.wake.notify_one();
    }

    /// What gateways held before this process began.
    pub(super) fn restore(&self, now: Millis, leases: Vec<(Uuid, Vec<Lease>)>) {
        self.machine.lock().restore_leases(now, leases);
        self.wake.notify_one();
    }

    pub(super) fn leases(&self) -> &Leases {
        &self.leases
    }

    /// The gateways that live.
    pub(super) fn gateways(&self) -> Vec<Uuid> {
        self.machine.lock().gateways()
    }

    /// Everything that a gateway holds.
    pub(super) fn leases_of(&self, gateway: Uuid) -> Vec<Lease> {
        self.machine.lock().leases_of(gateway)
    }

    /// A device, if a gateway holds it.
    pub(super) fn lease(&self, gateway: Uuid, user: UserId, connection: ConnectionId) -> Option<Lease> {
        let held = self.machine.lock().leases(user);
        held.into_iter()
            .find(|(holder, lease)| *holder == gateway && lease.device.connection == connection)
            .map(|(_, lease)| lease)
    }

    /// Names whose presence a device wants to be told.
    pub(crate) fn watch(
        &self,
        user: UserId,
        session: SessionId,
        connection: Option<ConnectionId>,
        users: Vec<UserId>,
    ) -> Result<(), Refusal> {
        if self.watches.lock().replace((user, session), connection, users) {
            return Ok(());
        }
        Err(Refusal::new(ErrorCode::Overloaded, "Too many lists of watched users: ask with presence.get."))
    }

    /// These have come into conversations.
    pub(crate) fn came_in(&self, newcomers: &[(ConversationId, UserId)]) {
        let mut waiting = self.newcomers.lock();
        for (conversation, user) in newcomers {
            waiting.note(*conversation, *user);
        }
        drop(waiting);
        self.wake.notify_one();
    }

    /// How many of these are known to be there.
    pub(super) fn connected(&self, users: &[UserId]) -> usize {
        let machine = self.machine.lock();
        users.iter().filter(|user| machine.is_connected(**user)).count()
    }

    /// How somebody stands, whether they are there or were once.
    pub(crate) fn state(&self, connection: &Connection, user: UserId, now: Millis) -> rusqlite::Result<Option<Told>> {
        if let Some(told) = self.machine.lock().told(user, now) {
            return Ok(Some(told));
        }
        if let Some(told) = self.unwritten.lock().get(&user) {
            return Ok(Some(*told));
        }
        let written = audience::written(connection, user)?;
        Ok(written.map(|(last_seen_at, version)| Told {
            presence: Presence { user, state: PresenceState::Offline, last_seen_at: Some(last_seen_at) },
            // Whoever was told something newer that was never written down must take this for newer still.
            version: version.max(self.since),
            last_seen_at,
        }))
    }

    fn take_changes(&self, now: Millis, at_most: usize) -> Vec<Told> {
        let mut machine = self.machine.lock();
        // Under the machine's lock: at no moment is somebody in neither of the two.
        let mut unwritten = self.unwritten.lock();
        std::iter::from_fn(|| machine.poll(now))
            .take(at_most)
            .inspect(|told| {
                unwritten.insert(told.presence.user, *told);
            })
            .collect()
    }

    /// Whom a change is told to, and how many of them are known to be there.
    ///
    /// Nobody is left out for not being there: who connects right now is reported only later, but has read the registers
    /// already. The gateways know whom they hold.
    fn audience(&self, connection: &Connection, user: UserId) -> rusqlite::Result<(Arc<[UserId]>, usize)> {
        let mut users = audience::pushed_to(connection, user)?;
        let watchers = self.watches.lock().watchers(user);
        for watcher in watchers {
            if audience::share(connection, watcher, user)? {
                users.push(watcher);
            }
        }
        users.sort_unstable();
        users.dedup();
        let connected = self.connected(&users);
        Ok((users.into(), connected))
    }
}

/// The present value of somebody's register.
pub(crate) fn register(told: &Told, audience: Arc<[UserId]>, now: Millis) -> serde_json::Result<Event> {
    Ok(Event {
        identity: Identity::Register { key: format!("presence:{}", told.presence.user).into(), version: told.version },
        audience: Audience::Users(audience),
        name: Cow::Borrowed(PRESENCE_CHANGED),
        at: now,
        body: Bytes::from(serde_json::to_vec(&told.presence)?),
        by_rights: false,
        effects: Arc::default(),
    })
}

/// Tells changes until the service stops, never more than the budget of deliveries allows.
pub(crate) async fn run(shared: Shared) {
    let rate = f64::from(shared.config.presence_deliveries_per_second.max(1));
    let mut worker = Worker { untold: Vec::new(), budget: rate };
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut refilled = Instant::now();
    let mut written = Instant::now();
    loop {
        let idle = shared.presences.machine.lock().is_idle()
            && worker.untold.is_empty()
            && shared.presences.newcomers.lock().is_empty()
            && shared.presences.unwritten.lock().is_empty();
        tokio::select! {
            _ = ticks.tick(), if !idle => {}
            () = shared.presences.wake.notified(), if idle => {}
            () = shared.shutdown.stopped() => {
                write(&shared).await;
                return;
            }
        }
        worker.budget = (worker.budget + rate * refilled.elapsed().as_secs_f64()).min(rate);
        refilled = Instant::now();
        shared.presences.machine.lock().tick(shared.now());
        worker.tell(&shared).await;
        worker.introduce(&shared).await;
        if written.elapsed() >= WRITE_EVERY {
            write(&shared).await;
            written = Instant::now();
        }
    }
}

struct Worker {
    /// Taken from the machine, but not told yet.
    untold: Vec<Told>,
    /// Deliveries that may be made now.
    budget: f64,
}

impl Worker {
    async fn tell(&mut self, shared: &Shared) {
        while self.budget > 0.0 {
            if self.untold.is_empty() {
                self.untold = shared.presences.take_changes(shared.now(), CHUNK);
            }
            if self.untold.is_empty() {
                return;
            }
            let (presences, changes) = (Arc::clone(&shared.presences), self.untold.clone());
            let now = shared.now();
            let events = shared.read("memberships/audience", move |connection| {
                changes
                    .iter()
                    .map(|told| {
                        let (audience, connected) = presences.audience(connection, told.presence.user)?;
                        let event = register(told, audience, now)
                            .map_err(|error| refuse(ErrorCode::Internal, error.to_string()))?;
                        Ok((event, connected))
                    })
                    .collect::<Result<Vec<_>, Stop>>()
            });
            match events.await {
                Ok(events) => {
                    self.publish(shared, events);
                    for told in self.untold.drain(..) {
                        if told.presence.state == PresenceState::Offline {
                            shared.presences.watches.lock().forget_user(told.presence.user);
                        }
                    }
                }
                Err(refusal) => {
                    tracing::warn!(%refusal, "changes of presence wait to be told");
                    return;
                }
            }
        }
    }

    async fn introduce(&mut self, shared: &Shared) {
        while self.budget > 0.0 {
            let next = shared.presences.newcomers.lock().take();
            let Some((conversation, newcomers)) = next else { return };
            let (presences, now) = (Arc::clone(&shared.presences), shared.now());
            let events = shared.read("memberships/introduce", move |connection| {
                introductions::introduce(connection, &presences, conversation, &newcomers, now)
            });
            match events.await {
                Ok(events) => self.publish(shared, events),
                Err(refusal) => tracing::warn!(%refusal, %conversation, "who came in was not introduced"),
            }
        }
    }

    fn publish(&mut self, shared: &Shared, events: Vec<(Event, usize)>) {
        for (event, connected) in events {
            self.budget -= connected.max(1) as f64;
            shared.publisher.publish(event);
        }
    }
}

/// Writes down what waits.
async fn write(shared: &Shared) {
    loop {
        let rows: Vec<_> = shared.presences.unwritten.lock().values().take(WRITE_CHUNK).copied().collect();
        if rows.is_empty() {
            return;
        }
        let told = rows.clone();
        let written = shared.write("presence/upsert", move |change| {
            told.iter().try_for_each(|told| upsert(change.connection(), told)).map_err(Stop::from)
        });
        if let Err(refusal) = written.await {
            tracing::warn!(%refusal, "changes of presence wait to be written down");
            return;
        }
        let mut unwritten = shared.presences.unwritten.lock();
        for row in rows {
            // It may have changed again meanwhile.
            if unwritten.get(&row.presence.user).is_some_and(|told| told.version == row.version) {
                unwritten.remove(&row.presence.user);
            }
        }
    }
}

fn upsert(connection: &Connection, told: &Told) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO presence (user, online, last_seen_at, version) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (user) DO UPDATE SET online = ?2, last_seen_at = ?3, version = ?4",
        )?
        .execute(params![
            told.presence.user.as_bytes(),
            told.presence.state != PresenceState::Offline,
            told.last_seen_at as i64,
            told.version as i64
        ])?;
    Ok(())
}
