//! Many devices on many gateways, merged into one state per user: a pure machine.
//!
//! A device is there while its gateway reports it and lives: a gateway that is silent for longer than a lease holds nothing. Who
//! loses the last device still counts as present for a grace, so that a reconnect, of one device or of all of a restarted gateway,
//! tells nobody anything. Changes are queued per user, not per event: however often somebody's state changes before its turn to be
//! told comes, only the last one is told, and none if it is what was told before.
//!
//! Versions are a clock that never goes back: the milliseconds of the change, or the last version plus one.

use std::collections::{HashMap, HashSet, VecDeque};

use link::Device;
use link::device::LEASE_MS;
use protocol::chat::{Presence, PresenceState};
use protocol::{ConnectionId, Millis, SessionId, UserId};
use uuid::Uuid;

/// The gateway under which devices from before a restart of this service are held until their real one reports.
const BEFORE_RESTART: Uuid = Uuid::nil();
/// What a device says is kept this long for the report that tells of it.
const EARLY_MS: Millis = LEASE_MS;
/// The most devices that say something before they are reported; what is beyond counts as in use, as every new device does.
const EARLY_MAX: usize = 20_000;

/// Everybody's presence.
#[derive(Debug)]
pub(crate) struct Machine {
    grace_ms: Millis,
    last_version: u64,
    gateways: HashMap<Uuid, Gateway>,
    people: HashMap<UserId, Person>,
    /// Who may have changed since they were told, each once.
    changed: VecDeque<UserId>,
    /// When whose grace ends, in that order; outdated ones are passed over.
    graces: VecDeque<(Millis, UserId)>,
    /// What devices said that no gateway has reported yet, and until when it is kept: a report is gathered for a second, and a tab in
    /// the background says at once that it is not in use.
    early: HashMap<ConnectionId, (PresenceState, Millis)>,
}

#[derive(Debug)]
struct Gateway {
    until: Millis,
    whole: bool,
}

#[derive(Debug)]
struct Person {
    devices: Vec<Held>,
    told: PresenceState,
    version: u64,
    last_seen_at: Millis,
    /// When the grace of somebody without a device ends.
    gone_at: Option<Millis>,
    queued: bool,
}

#[derive(Debug)]
struct Held {
    gateway: Uuid,
    session: SessionId,
    connection: ConnectionId,
    state: PresenceState,
}

/// A device that some gateway holds, and how it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Lease {
    pub(crate) device: Device,
    pub(crate) state: PresenceState,
}

/// A state to tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Told {
    pub(crate) presence: Presence,
    pub(crate) version: u64,
    /// When they were last there; now, while they are.
    pub(crate) last_seen_at: Millis,
}

impl Machine {
    /// Nobody is there. Versions begin above `last_version`.
    pub(crate) fn new(grace_ms: Millis, last_version: u64) -> Self {
        Self {
            grace_ms,
            last_version,
            gateways: HashMap::new(),
            people: HashMap::new(),
            changed: VecDeque::new(),
            graces: VecDeque::new(),
            early: HashMap::new(),
        }
    }

    /// Who was there before a restart counts as present until the gateways have had time to report.
    pub(crate) fn restore(&mut self, now: Millis, users: impl IntoIterator<Item = UserId>) {
        self.gateways.insert(BEFORE_RESTART, Gateway { until: now + LEASE_MS, whole: true });
        for user in users {
            let (session, connection) = (SessionId(Uuid::nil()), ConnectionId(Uuid::nil()));
            self.open(now, BEFORE_RESTART, Device { user, session, connection });
            if let Some(person) = self.people.get_mut(&user) {
                person.told = PresenceState::Online;
                person.version = self.last_version;
            }
        }
    }

    /// What gateways held before a restart counts until they report, or their leases run out. Of whom the restart is all that happened nothing is
    /// told: they stand as they did.
    pub(crate) fn restore_leases(&mut self, now: Millis, leases: Vec<(Uuid, Vec<Lease>)>) {
        let mut as_before = HashSet::new();
        for (id, leases) in leases {
            let gateway = self.gateways.entry(id).or_insert(Gateway { until: now + LEASE_MS, whole: false });
            if gateway.whole {
                continue;
            }
            for Lease { device, state } in leases {
                let is_remembered = |person: &Person| person.devices.iter().any(|held| held.gateway == BEFORE_RESTART);
                if self.people.get(&device.user).is_some_and(is_remembered) {
                    as_before.insert(device.user);
                }
                self.early.entry(device.connection).or_insert((state, now));
                self.open(now, id, device);
            }
        }
        for user in as_before {
            if let Some(person) = self.people.get_mut(&user) {
                person.told = person.state(now);
            }
        }
    }

    /// The gateways that live.
    pub(crate) fn gateways(&self) -> Vec<Uuid> {
        self.gateways.keys().copied().filter(|gateway| *gateway != BEFORE_RESTART).collect()
    }

    /// Everything that a gateway holds.
    pub(crate) fn leases_of(&self, gateway: Uuid) -> Vec<Lease> {
        self.people
            .iter()
            .flat_map(|(user, person)| person.leases(*user))
            .filter(|(holder, _)| *holder == gateway)
            .map(|(_, lease)| lease)
            .collect()
    }

    /// What holds somebody's devices, and how they stand.
    pub(crate) fn leases(&self, user: UserId) -> Vec<(Uuid, Lease)> {
        self.people.get(&user).into_iter().flat_map(|person| person.leases(user)).collect()
    }

    /// A gateway's report; answers whether its whole list is known.
    pub(crate) fn report(
        &mut self,
        now: Millis,
        gateway: Uuid,
        whole: bool,
        opened: &[Device],
        closed: &[Device],
    ) -> bool {
        let known = whole || self.gateways.get(&gateway).is_some_and(|gateway| gateway.whole);
        self.gateways.insert(gateway, Gateway { until: now + LEASE_MS, whole: known });
        if whole {
            self.keep_only(now, gateway, opened);
        }
        for device in closed {
            self.close(now, gateway, *device);
        }
        for device in opened {
            self.open(now, gateway, *device);
        }
        known
    }

    /// A device says that it is in use, or not; a login without a connection says it of all its devices.
    pub(crate) fn set(
        &mut self,
        now: Millis,
        user: UserId,
        session: SessionId,
        connection: Option<ConnectionId>,
        state: PresenceState,
    ) {
        let is_meant = |held: &&mut Held| match connection {
            Some(connection) => held.connection == connection,
            None => held.session == session,
        };
        let devices = self.people.get_mut(&user).into_iter().flat_map(|person| &mut person.devices);
        let mut is_held = false;
        for held in devices.filter(is_meant) {
            held.state = state;
            is_held = true;
        }
        if let Some(connection) = connection.filter(|_| !is_held)
            && (self.early.len() < EARLY_MAX || self.early.contains_key(&connection))
        {
            self.early.insert(connection, (state, now + EARLY_MS));
        }
        self.queue(user);
    }

    /// Lets leases and graces end.
    pub(crate) fn tick(&mut self, now: Millis) {
        let dead: Vec<_> = self
            .gateways
            .iter()
            .filter(|(_, gateway)| gateway.until <= now)
            .map(|(id, lease)| (*id, lease.until))
            .collect();
        for (gateway, until) in dead {
            self.gateways.remove(&gateway);
            self.drop_devices(now, until.saturating_sub(LEASE_MS), |held| held.gateway == gateway);
        }
        self.early.retain(|_, (_, until)| *until > now);
        while let Some((gone_at, user)) = self.graces.front().copied() {
            if gone_at > now {
                break;
            }
            self.graces.pop_front();
            if self.people.get(&user).is_some_and(|person| person.gone_at == Some(gone_at)) {
                self.queue(user);
            }
        }
    }

    /// The next state that has to be told.
    pub(crate) fn poll(&mut self, now: Millis) -> Option<Told> {
        while let Some(user) = self.changed.pop_front() {
            let version = now.max(self.last_version + 1);
            let Some(person) = self.people.get_mut(&user) else { continue };
            person.queued = false;
            let state = person.state(now);
            let is_news = state != person.told;
            if is_news {
                person.told = state;
                person.version = version;
                self.last_version = version;
            }
            let told = person.as_told(user, now);
            if state == PresenceState::Offline && person.devices.is_empty() {
                self.people.remove(&user);
            }
            if is_news {
                return Some(told);
            }
        }
        None
    }

    /// What was told of somebody; `None` for who is not there.
    pub(crate) fn told(&self, user: UserId, now: Millis) -> Option<Told> {
        self.people
            .get(&user)
            .filter(|person| person.told != PresenceState::Offline)
            .map(|person| person.as_told(user, now))
    }

    /// Whether somebody holds a device right now.
    pub(crate) fn is_connected(&self, user: UserId) -> bool {
        self.people.get(&user).is_some_and(|person| !person.devices.is_empty())
    }

    /// Whether anything waits for its time or its turn.
    pub(crate) fn is_idle(&self) -> bool {
        self.changed.is_empty() && self.graces.is_empty() && self.gateways.is_empty() && self.early.is_empty()
    }

    fn open(&mut self, now: Millis, gateway: Uuid, device: Device) {
        let person = self.people.entry(device.user).or_insert_with(|| Person {
            devices: Vec::new(),
            told: PresenceState::Offline,
            version: 0,
            last_seen_at: now,
            gone_at: None,
            queued: false,
        });
        person.gone_at = None;
        // The device's real gateway has come back after a restart of this service.
        person.devices.retain(|held| held.gateway != BEFORE_RESTART);
        let is_held = person.devices.iter().any(|held| held.gateway == gateway && held.connection == device.connection);
        if !is_held {
            let Device { session, connection, .. } = device;
            let early = self.early.remove(&connection).map(|(state, _)| state);
            // One that came back by another gateway is as much in use as it was.
            let before = person.devices.iter().find(|held| held.connection == connection).map(|held| held.state);
            let state = early.or(before).unwrap_or(PresenceState::Online);
            person.devices.push(Held { gateway, session, connection, state });
            person.devices.shrink_to_fit();
        }
        self.queue(device.user);
    }

    fn close(&mut self, now: Millis, gateway: Uuid, device: Device) {
        let Some(person) = self.people.get_mut(&device.user) else { return };
        let before = person.devices.len();
        person.devices.retain(|held| held.gateway != gateway || held.connection != device.connection);
        if person.devices.len() < before {
            self.lost(device.user, now, now);
        }
    }

    fn keep_only(&mut self, now: Millis, gateway: Uuid, devices: &[Device]) {
        let listed: HashSet<_> = devices.iter().map(|device| device.connection).collect();
        self.drop_devices(now, now, |held| held.gateway == gateway && !listed.contains(&held.connection));
    }

    fn drop_devices(&mut self, now: Millis, last_seen_at: Millis, gone: impl Fn(&Held) -> bool) {
        let mut losers = Vec::new();
        for (user, person) in &mut self.people {
            let before = person.devices.len();
            person.devices.retain(|held| !gone(held));
            if person.devices.len() < before {
                losers.push(*user);
            }
        }
        for user in losers {
            self.lost(user, now, last_seen_at);
        }
    }

    /// Somebody has lost a device.
    fn lost(&mut self, user: UserId, now: Millis, last_seen_at: Millis) {
        let gone_at = now + self.grace_ms;
        let Some(person) = self.people.get_mut(&user) else { return };
        person.last_seen_at = last_seen_at;
        if person.devices.is_empty() {
            person.gone_at = Some(gone_at);
            self.graces.push_back((gone_at, user));
        }
        self.queue(user);
    }

    fn queue(&mut self, user: UserId) {
        if let Some(person) = self.people.get_mut(&user)
            && !person.queued
        {
            person.queued = true;
            self.changed.push_back(user);
        }
    }
}

impl Person {
    fn leases(&self, user: UserId) -> impl Iterator<Item = (Uuid, Lease)> {
        self.devices.iter().map(move |held| {
            let Held { gateway, session, connection, state } = *held;
            (gateway, Lease { device: Device { user, session, connection }, state })
        })
    }

    fn state(&self, now: Millis) -> PresenceState {
        match self.devices.iter().map(|held| held.state).max() {
            Some(state) => state,
            None if self.gone_at.is_none_or(|gone_at| gone_at <= now) => PresenceState::Offline,
            None => self.told,
        }
    }

    fn as_told(&self, user: UserId, now: Millis) -> Told {
        let is_there = self.told != PresenceState::Offline;
        let last_seen_at = if is_there { now } else { self.last_seen_at };
        let presence = Presence { user, state: self.told, last_seen_at: (!is_there).then_some(last_seen_at) };
        Told { presence, version: self.version, last_seen_at }
    }
}

#[cfg(test)]
mod tests;
