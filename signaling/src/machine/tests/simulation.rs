//! Many devices of many people in a world that loses, repeats, delays and reorders what is told, cuts sockets and restarts the server,
//! on virtual time and by seed.
//!
//! A device believes what the newest version of the register that reached it says, exactly as a real one does. What is held: however
//! much was lost, once a device is told the present version (as at every connection) it neither rings nor takes itself to be in
//! a call wrongly; and at no time do two devices of one person hold the place.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;
use protocol::calls::{Call, ParticipantStatus};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::super::{CallState, Device, Input, Machine};
use super::{MEDIA, RULES, Rules, T0, device, started, user};

const PEOPLE: u128 = 5;
const DEVICES: u128 = 3;

/// A device as it sees the world.
struct Phone {
    owner: u128,
    number: u128,
    connection: u128,
    online: bool,
    /// The newest version that reached it.
    known: Option<Call>,
    /// The leg that it was given.
    epoch: Option<u64>,
    /// What is on its way to it.
    mail: VecDeque<(u64, Call)>,
}

impl Phone {
    fn device(&self) -> Device {
        device(self.owner, self.number, self.connection)
    }

    fn hears(&mut self, call: Call) {
        if self.known.as_ref().is_none_or(|known| known.version < call.version) {
            self.known = Some(call);
        }
        // Its leg is gone where the register shows another one, or none.
        if let (Some(known), Some(epoch)) = (&self.known, self.epoch)
            && known.version >= epoch
            && known.participant(user(self.owner)).and_then(|me| me.epoch) != Some(epoch)
        {
            self.epoch = None;
        }
    }

    fn me(&self) -> Option<ParticipantStatus> {
        Some(self.known.as_ref()?.participant(user(self.owner))?.status)
    }

    fn rings(&self, now: u64) -> bool {
        let call = self.known.as_ref();
        self.online
            && call.is_some_and(|call| !call.status.is_over())
            && self.me().is_some_and(ParticipantStatus::is_called)
            && call.and_then(|call| call.participant(user(self.owner))?.until).is_some_and(|until| now < until)
    }
}

struct World {
    random: StdRng,
    now: u64,
    call: CallState,
    phones: Vec<Phone>,
    /// Sockets that have ended and that the server has not heard of yet.
    unheard: Vec<(u64, Device)>,
    records: usize,
}

impl World {
    fn new(seed: u64, others: u128) -> Self {
        let (call, outcome) = started(others, Rules { alone_ms: 60_000, ..RULES });
        let mut phones = Vec::new();
        for owner in 0..PEOPLE {
            for number in 0..DEVICES {
                phones.push(Phone {
                    owner,
                    number,
                    connection: 0,
                    online: true,
                    known: None,
                    epoch: None,
                    mail: VecDeque::new(),
                });
            }
        }
        phones[0].epoch = outcome.epoch;
        let random = StdRng::seed_from_u64(seed);
        let mut world = Self { random, now: T0, call, phones, unheard: Vec::new(), records: 0 };
        world.tell();
        world
    }

    /// Puts the register on its way to everyone: lost, late, or twice.
    fn tell(&mut self) {
        let view = self.call.view();
        for phone in &mut self.phones {
            if view.participant(user(phone.owner)).is_none() {
                continue;
            }
            for _ in 0..self.random.random_range(0..3) {
                let at = self.now + self.random.random_range(0..4_000);
                phone.mail.push_back((at, view.clone()));
            }
        }
    }

    fn apply(&mut self, input: Input) -> Option<u64> {
        let before = self.call.version;
        let (call, outcome) = Machine::handle(&self.call, self.now, input).ok()?;
        self.call = call;
        self.records +=
            outcome.outputs.iter().filter(|output| matches!(output, super::super::Output::Record { .. })).count();
        if self.call.version > before {
            self.tell();
        }
        outcome.epoch
    }

    fn step(&mut self) {
        self.now += self.random.random_range(1..3_000);
        self.deliver();
        if self.call.deadline().is_some_and(|deadline| deadline <= self.now) {
            self.apply(Input::Due);
        }
        let (heard, still): (Vec<_>, Vec<_>) = self.unheard.drain(..).partition(|(at, _)| *at <= self.now);
        self.unheard = still;
        for (_, device) in heard {
            self.apply(Input::Lost { connection: device.connection });
        }
        let at = self.random.random_range(0..self.phones.len());
        match self.random.random_range(0..100) {
            0..3 => {
                self.apply(Input::Restarted);
            }
            3..20 => self.cut(at),
            20..45 => self.connect(at),
            _ => self.act(at),
        }
        self.check();
    }

    fn deliver(&mut self) {
        for phone in &mut self.phones {
            let (due, later): (VecDeque<_>, VecDeque<_>) = phone.mail.drain(..).partition(|(at, _)| *at <= self.now);
            phone.mail = later;
            if phone.online {
                due.into_iter().for_each(|(_, call)| phone.hears(call));
            }
        }
    }

    fn cut(&mut self, at: usize) {
        let late = self.random.random_range(0..2_000);
        let phone = &mut self.phones[at];
        if std::mem::replace(&mut phone.online, false) {
            self.unheard.push((self.now + late, phone.device()));
        }
    }

    /// A device connects: it is told the present version whole, and comes back to its leg if it had one.
    fn connect(&mut self, at: usize) {
        let view = self.call.view();
        let phone = &mut self.phones[at];
        if phone.online {
            return;
        }
        phone.online = true;
        phone.connection += 1;
        if view.participant(user(phone.owner)).is_some() {
            phone.hears(view);
        }
        let (owner, device, epoch) = (phone.owner, phone.device(), phone.epoch);
        if let Some(epoch) = epoch {
            let back = self.apply(Input::Join { user: user(owner), device, epoch: Some(epoch), media: MEDIA });
            self.phones[at].epoch = back;
        }
    }

    /// Someone does something with a device that is online.
    fn act(&mut self, at: usize) {
        let phone = &self.phones[at];
        if !phone.online {
            return;
        }
        let (owner, device, epoch) = (user(phone.owner), phone.device(), phone.epoch);
        let other = user(self.random.random_range(0..PEOPLE));
        match self.random.random_range(0..10) {
            0 => {
                self.apply(Input::Ring { user: owner });
            }
            1..5 => {
                let joined = self.apply(Input::Join { user: owner, device, epoch: None, media: MEDIA });
                self.phones[at].epoch = joined.or(epoch);
            }
            5 => {
                self.apply(Input::Decline { user: owner });
            }
            6 => {
                if let Some(epoch) = epoch {
                    self.apply(Input::Leave { user: owner, epoch });
                }
            }
            7 => {
                self.apply(Input::Remove { by: owner, user: other });
            }
            8 => {
                self.apply(Input::Admit { by: owner, user: other });
            }
            _ => {
                if let Some(epoch) = epoch {
                    self.apply(Input::Media { user: owner, epoch, media: MEDIA });
                }
            }
        }
    }

    /// At any time: whatever devices believe, the server lets one of them speak for each person.
    fn check(&self) {
        let mut speakers = BTreeMap::new();
        for phone in &self.phones {
            let Some(epoch) = phone.epoch else { continue };
            if self.call.leg(user(phone.owner), epoch).is_ok() {
                *speakers.entry(phone.owner).or_insert(0) += 1;
            }
        }
        assert!(speakers.values().all(|count| *count == 1), "one leg for each person");
    }

    /// Everyone connects once more and time goes on until the call is over.
    fn end(&mut self) {
        for at in 0..self.phones.len() {
            self.cut(at);
            self.connect(at);
        }
        for phone in &self.phones {
            if let (Some(known), true) = (&phone.known, phone.online) {
                assert!(!known.status.is_over() || !phone.rings(self.now), "no ring after the end");
                let mine = self.call.parts.get(&user(phone.owner));
                let called = mine.is_some_and(|part| part.status.is_called()) && !self.call.status.is_over();
                assert!(!phone.rings(self.now) || called, "no ghost ring");
            }
        }
        let mut turns = 0;
        while let Some(deadline) = self.call.deadline() {
            self.now = self.now.max(deadline);
            self.apply(Input::Due);
            turns += 1;
            assert!(turns < 50, "every call ends");
        }
        assert!(self.call.status.is_over());
        assert_eq!(self.records, 1, "one record");
        let view = self.call.view();
        for phone in &mut self.phones {
            if view.participant(user(phone.owner)).is_some() {
                phone.hears(view.clone());
            }
            assert!(!phone.rings(self.now) && phone.epoch.is_none(), "nobody stays in a call that is over");
        }
    }
}

proptest! {
    #[test]
    fn in_a_lossy_reordering_restarting_world_every_call_ends_and_nothing_rings_for_nothing(
        seed: u64,
        others in 1_u128..PEOPLE,
        steps in 0_usize..200,
    ) {
        let mut world = World::new(seed, others);
        for _ in 0..steps {
            world.step();
        }
        world.end();
    }
}
