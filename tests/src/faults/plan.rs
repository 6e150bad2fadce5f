//! Which faults, when and for how long: all of it from one number. Pure.

use std::fmt;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};

use super::fault::{Direction, Fault, Kind, Shared, Trouble};
use crate::topology::Topology;
use crate::world::{Line, REDIS};

/// So much is broken at once, at most.
pub const AT_ONCE_MAX: usize = 2;
/// Between two faults of a hand, in milliseconds.
const PAUSE_MS: std::ops::Range<u64> = 100..900;
/// How long most faults last, in milliseconds: some are over before anybody notices, some outlive every deadline of a request.
const LASTS_MS: std::ops::Range<u64> = 100..2_500;
/// One in so many lasts longer, so that breakers open and connections are given up.
const LONG_ONE_IN: u32 = 6;
const LONG_MS: std::ops::Range<u64> = 2_500..6_000;
/// What slows a way down: one that deadlines bear, and one that the deadline of Redis (100 ms) doesn't.
const SLOW_MS: [u64; 2] = [50, 150];

/// One fault of a plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// What.
    pub fault: Fault,
    /// When, from the beginning of the run.
    pub begins: Duration,
    /// When it is put right, from the beginning of the run.
    pub ends: Duration,
}

/// A run's faults, in the order in which they begin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    /// What determines it.
    pub seed: u64,
    /// How Redis is kept.
    pub shared: Shared,
    /// The faults.
    pub steps: Vec<Step>,
}

impl Plan {
    /// So many faults for a topology that has a Redis and cables.
    #[must_use]
    pub fn of(seed: u64, topology: Topology, shared: Shared, faults: usize) -> Self {
        let mut draw = Draw::new(seed, topology, shared);
        let mut free = [Duration::ZERO; AT_ONCE_MAX];
        let mut steps: Vec<Step> = Vec::with_capacity(faults);
        while steps.len() < faults {
            let hand = if free[0] <= free[1] { &mut free[0] } else { &mut free[1] };
            let begins = *hand + draw.milliseconds(PAUSE_MS);
            let kind = draw.kind();
            let ends = begins + draw.duration(kind);
            let meanwhile = |step: &&Step| step.begins <= ends && begins <= step.ends;
            let others: Vec<&Fault> = steps.iter().filter(meanwhile).map(|step| &step.fault).collect();
            // What would meet another is left out, and the hand goes on.
            let fault = draw.fault(kind, &others);
            *hand = if fault.is_some() { ends } else { begins };
            steps.extend(fault.map(|fault| Step { fault, begins, ends }));
        }
        steps.sort_by_key(|step| step.begins);
        Self { seed, shared, steps }
    }

    /// When the last fault was put right.
    #[must_use]
    pub fn ends(&self) -> Duration {
        self.steps.iter().map(|step| step.ends).max().unwrap_or_default()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}, Redis {:?}, {} faults:", self.seed, self.shared, self.steps.len())?;
        for Step { fault, begins, ends } in &self.steps {
            writeln!(f, "  {:6.2} s to {:6.2} s  {fault}", begins.as_secs_f64(), ends.as_secs_f64())?;
        }
        Ok(())
    }
}

/// What is drawn from.
struct Draw {
    random: StdRng,
    shared: Shared,
    parts: Vec<&'static str>,
    to_redis: Vec<Line>,
    between: Vec<Line>,
    /// Kinds are dealt like cards, so that each comes as often as every other.
    deck: Vec<Kind>,
}

impl Draw {
    fn new(seed: u64, topology: Topology, shared: Shared) -> Self {
        let parts = topology.parts().iter().map(|part| part.name).collect();
        let (to_redis, between) = Line::all(topology).into_iter().partition(|line| line.to == REDIS);
        Self { random: StdRng::seed_from_u64(seed), shared, parts, to_redis, between, deck: Vec::new() }
    }

    fn milliseconds(&mut self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.random.random_range(range))
    }

    fn kind(&mut self) -> Kind {
        if self.deck.is_empty() {
            self.deck = Kind::of(self.shared).collect();
            self.deck.shuffle(&mut self.random);
        }
        self.deck.pop().expect("a deck that was just dealt")
    }

    fn duration(&mut self, kind: Kind) -> Duration {
        if kind.is_instant() {
            return Duration::ZERO;
        }
        let long = self.random.random_ratio(1, LONG_ONE_IN);
        self.milliseconds(if long { LONG_MS } else { LASTS_MS })
    }

    /// A fault of this kind that meets none of the others, if there is one.
    fn fault(&mut self, kind: Kind, others: &[&Fault]) -> Option<Fault> {
        let trouble = self.trouble(kind);
        let mut possible: Vec<Fault> = match kind {
            Kind::RedisKilled => vec![Fault::RedisKilled],
            Kind::RedisFrozen => vec![Fault::RedisFrozen],
            Kind::RedisFlushed => vec![Fault::RedisFlushed],
            Kind::RedisDropsClients => vec![Fault::RedisDropsClients],
            Kind::RedisFailedOver => vec![Fault::RedisFailedOver],
            Kind::RedisHandedOver => vec![Fault::RedisHandedOver],
            Kind::RedisApart | Kind::RedisSlow => vec![Fault::RedisApart(trouble)],
            Kind::RedisApartFromOne => self.to_redis.iter().map(|line| Fault::Way(*line, trouble)).collect(),
            Kind::Killed => self.parts.iter().map(|part| Fault::Killed(part)).collect(),
            Kind::Frozen => self.parts.iter().map(|part| Fault::Frozen(part)).collect(),
            Kind::Cut | Kind::Severed | Kind::Held | Kind::Lost | Kind::Slow | Kind::Split => {
                self.between.iter().map(|line| Fault::Way(*line, trouble)).collect()
            }
        };
        possible.retain(|fault| !others.iter().any(|other| other.meets(fault)));
        possible.choose(&mut self.random).cloned()
    }

    fn trouble(&mut self, kind: Kind) -> Trouble {
        let directions = [Direction::There, Direction::Back, Direction::Both];
        let direction = directions[self.random.random_range(0..directions.len())];
        let slow = Trouble::Slow(Duration::from_millis(SLOW_MS[self.random.random_range(0..SLOW_MS.len())]));
        let apart = [Trouble::Severed, Trouble::Held(direction), Trouble::Lost(direction)];
        match kind {
            Kind::RedisApart | Kind::RedisApartFromOne => apart[self.random.random_range(0..apart.len())],
            Kind::RedisSlow | Kind::Slow => slow,
            Kind::Severed => Trouble::Severed,
            Kind::Held => Trouble::Held(direction),
            Kind::Lost => Trouble::Lost(direction),
            Kind::Split => Trouble::Split,
            _ => Trouble::Cut,
        }
    }
}
