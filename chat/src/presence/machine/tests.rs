//! The machine against a plain model of who holds what, on virtual time.

use std::collections::{BTreeMap, BTreeSet};

use link::Device;
use link::device::LEASE_MS;
use proptest::prelude::*;
use protocol::chat::PresenceState::{self, Away, Offline, Online};
use protocol::{ConnectionId, Millis, SessionId, UserId};
use uuid::Uuid;

use super::{EARLY_MS, Machine};

const GRACE_MS: Millis = 10_000;

#[derive(Clone, Debug)]
enum Step {
    Wait(Millis),
    Opened {
        gateway: u8,
        user: u8,
        tab: u8,
    },
    Closed {
        gateway: u8,
        user: u8,
        tab: u8,
    },
    /// A gateway lives, and says what it holds where `whole`.
    Alive {
        gateway: u8,
        whole: bool,
    },
    /// A gateway starts anew with nothing.
    Restarted {
        gateway: u8,
    },
    /// One device says so, or its login for all of its devices.
    Set {
        user: u8,
        tab: u8,
        as_login: bool,
        away: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let device = || (0..3_u8, 0..3_u8, 0..3_u8);
    prop_oneof![
        (1..8_000_u64).prop_map(Step::Wait),
        device().prop_map(|(gateway, user, tab)| Step::Opened { gateway, user, tab }),
        device().prop_map(|(gateway, user, tab)| Step::Closed { gateway, user, tab }),
        (0..3_u8, any::<bool>()).prop_map(|(gateway, whole)| Step::Alive { gateway, whole }),
        (0..3_u8).prop_map(|gateway| Step::Restarted { gateway }),
        (0..3_u8, 0..3_u8, any::<bool>(), any::<bool>()).prop_map(|(user, tab, as_login, away)| Step::Set {
            user,
            tab,
            as_login,
            away
        }),
    ]
}

fn gateway(number: u8) -> Uuid {
    Uuid::from_u128(u128::from(number) + 1)
}

fn user(number: u8) -> UserId {
    UserId(Uuid::from_u128(u128::from(number) + 100))
}

/// Two tabs are of one login, the third is of another.
fn login_of(tab: u8) -> u8 {
    tab / 2
}

/// Sessions are of one user only, as in life.
fn session(user: u8, tab: u8) -> SessionId {
    SessionId(Uuid::from_u128(u128::from(user) * 10 + u128::from(login_of(tab)) + 1_000))
}

fn connection(user: u8, tab: u8) -> ConnectionId {
    ConnectionId(Uuid::from_u128(u128::from(user) * 10 + u128::from(tab) + 2_000))
}

fn device((owner, tab): (u8, u8)) -> Device {
    Device { user: user(owner), session: session(owner, tab), connection: connection(owner, tab) }
}

/// User and tab, and whether it is in use.
type Devices = BTreeMap<(u8, u8), PresenceState>;

/// What is really there.
#[derive(Default)]
struct Model {
    /// Per gateway: until when it lives, and the state of each device it holds.
    gateways: BTreeMap<u8, (Millis, Devices)>,
    /// What a device said that nobody holds, and until when that counts.
    early: BTreeMap<(u8, u8), (PresenceState, Millis)>,
}

impl Model {
    fn alive(&mut self, now: Millis, number: u8) -> &mut Devices {
        let gateway = self.gateways.entry(number).or_default();
        if gateway.0 <= now {
            gateway.1.clear();
        }
        gateway.0 = now + LEASE_MS;
        &mut gateway.1
    }

    /// How a device stands that some gateway holds.
    fn held(&self, now: Millis, device: (u8, u8)) -> Option<PresenceState> {
        let mut alive = self.gateways.values().filter(|(until, _)| *until > now);
        alive.find_map(|(_, devices)| devices.get(&device).copied())
    }

    fn state(&self, now: Millis, owner: u8) -> PresenceState {
        let alive = self.gateways.values().filter(|(until, _)| *until > now);
        let devices = alive.flat_map(|(_, devices)| devices).filter(|((user, _), _)| *user == owner);
        devices.map(|(_, state)| *state).max().unwrap_or(Offline)
    }
}

proptest! {
    #[test]
    fn what_is_told_is_what_is_there(steps in proptest::collection::vec(step(), 1..120), poll_every in 1..4_usize) {
        let mut machine = Machine::new(GRACE_MS, 5);
        let mut model = Model::default();
        let mut told: BTreeMap<UserId, PresenceState> = BTreeMap::new();
        let (mut now, mut last_version) = (1_000_000, 5);
        for (index, step) in steps.into_iter().enumerate() {
            match step {
                Step::Wait(ms) => now += ms,
                Step::Opened { gateway: number, user, tab } => {
                    if !model.alive(now, number).contains_key(&(user, tab)) {
                        let early = model.early.remove(&(user, tab)).filter(|(_, until)| *until > now);
                        let elsewhere = model.held(now, (user, tab));
                        let state = early.map(|(state, _)| state).or(elsewhere).unwrap_or(Online);
                        model.alive(now, number).insert((user, tab), state);
                    }
                    machine.tick(now);
                    machine.report(now, gateway(number), false, &[device((user, tab))], &[]);
                }
                Step::Closed { gateway: number, user, tab } => {
                    model.alive(now, number).remove(&(user, tab));
                    machine.tick(now);
                    machine.report(now, gateway(number), false, &[], &[device((user, tab))]);
                }
                Step::Alive { gateway: number, whole } => {
                    let held: Vec<_> = model.alive(now, number).keys().copied().map(device).collect();
                    machine.tick(now);
                    let opened = if whole { held.as_slice() } else { &[] };
                    let known = machine.report(now, gateway(number), whole, opened, &[]);
                    prop_assert!(known || !whole);
                }
                Step::Restarted { gateway: number } => {
                    model.alive(now, number).clear();
                    machine.tick(now);
                    prop_assert!(machine.report(now, gateway(number), true, &[], &[]));
                }
                Step::Set { user: owner, tab, as_login, away } => {
                    let state = if away { Away } else { Online };
                    let is_meant = |other: u8| other == tab || (as_login && login_of(other) == login_of(tab));
                    let mut is_held = false;
                    for (_, devices) in model.gateways.values_mut().filter(|(until, _)| *until > now) {
                        for (_, held) in devices.iter_mut().filter(|((user, other), _)| *user == owner && is_meant(*other)) {
                            *held = state;
                            is_held = true;
                        }
                    }
                    if !is_held && !as_login {
                        model.early.insert((owner, tab), (state, now + EARLY_MS));
                    }
                    machine.tick(now);
                    let named = (!as_login).then(|| connection(owner, tab));
                    machine.set(now, user(owner), session(owner, tab), named, state);
                }
            }
            machine.tick(now);
            if index % poll_every != 0 {
                continue;
            }
            while let Some(change) = machine.poll(now) {
                let presence = change.presence;
                prop_assert!(change.version > last_version, "versions only grow");
                last_version = change.version;
                let before = told.insert(presence.user, presence.state).unwrap_or(Offline);
                prop_assert_ne!(before, presence.state, "told twice");
                prop_assert_eq!(presence.last_seen_at.is_some(), presence.state == Offline);
            }
            for owner in 0..3 {
                let (is, said) = (model.state(now, owner), told.get(&user(owner)).copied().unwrap_or(Offline));
                // Behind the truth only by the grace: who is there is never told to be offline.
                prop_assert!(is == said || is == Offline, "{is:?} is told as {said:?}");
                prop_assert_eq!(machine.told(user(owner), now).map_or(Offline, |told| told.presence.state), said);
            }
        }
        // With all gateways silent everybody is offline in the end, and nothing is kept of them.
        now += LEASE_MS.max(EARLY_MS);
        machine.tick(now);
        now += GRACE_MS;
        machine.tick(now);
        while let Some(change) = machine.poll(now) {
            told.insert(change.presence.user, change.presence.state);
        }
        prop_assert!(told.values().all(|state| *state == Offline));
        prop_assert!(machine.is_idle() && machine.people.is_empty());
    }

    #[test]
    fn a_reconnect_within_the_grace_tells_nothing(away_ms in 0..GRACE_MS, other_gateway in any::<bool>()) {
        let mut machine = Machine::new(GRACE_MS, 0);
        let mut now = 1_000;
        machine.report(now, gateway(0), true, &[device((0, 0))], &[]);
        prop_assert_eq!(machine.poll(now).unwrap().presence.state, Online);
        machine.report(now, gateway(0), false, &[], &[device((0, 0))]);
        prop_assert!(machine.poll(now).is_none());
        now += away_ms;
        machine.tick(now);
        machine.report(now, gateway(u8::from(other_gateway)), true, &[device((0, 0))], &[]);
        machine.tick(now);
        prop_assert!(machine.poll(now).is_none());
        now += GRACE_MS;
        machine.tick(now);
        prop_assert!(machine.poll(now).is_none());
    }
}

#[test]
fn thousands_who_reconnect_at_once_are_no_news() {
    let mut machine = Machine::new(GRACE_MS, 0);
    let devices: Vec<_> = (0..5_000)
        .map(|_| Device { user: UserId::now(), session: SessionId::now(), connection: ConnectionId::now() })
        .collect();
    machine.report(0, gateway(0), true, &devices, &[]);
    let told: BTreeSet<_> = std::iter::from_fn(|| machine.poll(0)).map(|told| told.presence.user).collect();
    assert_eq!(told.len(), 5_000);
    // The gateway is killed, and another one takes over before the leases and the grace have ended.
    machine.tick(LEASE_MS);
    machine.report(LEASE_MS + 5_000, gateway(1), true, &devices, &[]);
    machine.tick(LEASE_MS + GRACE_MS);
    assert_eq!(machine.poll(LEASE_MS + GRACE_MS), None);
}

#[test]
fn who_was_there_before_a_restart_is_held_until_the_gateways_had_time_to_report() {
    let mut machine = Machine::new(GRACE_MS, 7);
    machine.restore(0, [user(0), user(1)]);
    assert_eq!(machine.poll(0), None);
    machine.report(10, gateway(0), true, &[device((0, 0))], &[]);
    for now in [LEASE_MS, LEASE_MS + GRACE_MS] {
        machine.tick(now);
    }
    let now = LEASE_MS + GRACE_MS;
    let told = machine.poll(now).unwrap();
    assert_eq!((told.presence.user, told.presence.state), (user(1), Offline));
    assert_eq!(machine.poll(now), None);
    assert_eq!(machine.told(user(0), now).unwrap().presence.state, Online);
}

#[test]
fn a_device_that_comes_back_by_another_gateway_is_as_much_in_use_as_it_was() {
    let mut machine = Machine::new(GRACE_MS, 0);
    machine.report(0, gateway(0), true, &[device((0, 0))], &[]);
    machine.set(0, user(0), session(0, 0), Some(connection(0, 0)), Away);
    assert_eq!(machine.poll(0).unwrap().presence.state, Away);
    // The old gateway was killed, or says only afterwards that it has lost the device.
    machine.report(1_000, gateway(1), true, &[device((0, 0))], &[]);
    machine.report(2_000, gateway(0), false, &[], &[device((0, 0))]);
    machine.tick(LEASE_MS + GRACE_MS);
    assert_eq!(machine.poll(LEASE_MS), None);
}

#[test]
fn what_a_tab_says_before_its_gateway_reports_it_counts() {
    let mut machine = Machine::new(GRACE_MS, 0);
    machine.report(0, gateway(0), true, &[], &[]);
    machine.set(0, user(0), session(0, 0), Some(connection(0, 0)), Away);
    machine.report(1_000, gateway(0), false, &[device((0, 0))], &[]);
    assert_eq!(machine.poll(1_000).unwrap().presence.state, Away);
    // Another tab of the login is in use, then it is closed.
    machine.report(2_000, gateway(0), false, &[device((0, 1))], &[]);
    assert_eq!(machine.poll(2_000).unwrap().presence.state, Online);
    machine.report(3_000, gateway(0), false, &[], &[device((0, 1))]);
    assert_eq!(machine.poll(3_000).unwrap().presence.state, Away);
}
