//! What every plan keeps to, whatever its seed.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::{AT_ONCE_MAX, Fault, Kind, Plan, Shared, Step, Trouble};
use crate::Topology::FiveProcesses;
use crate::world::REDIS;

/// Which kind it is of, as the plan deals them.
fn kind(fault: &Fault) -> Kind {
    match fault {
        Fault::RedisKilled => Kind::RedisKilled,
        Fault::RedisFrozen => Kind::RedisFrozen,
        Fault::RedisFlushed => Kind::RedisFlushed,
        Fault::RedisDropsClients => Kind::RedisDropsClients,
        Fault::RedisFailedOver => Kind::RedisFailedOver,
        Fault::RedisHandedOver => Kind::RedisHandedOver,
        Fault::RedisApart(Trouble::Slow(_)) => Kind::RedisSlow,
        Fault::RedisApart(_) => Kind::RedisApart,
        Fault::Killed(_) => Kind::Killed,
        Fault::Frozen(_) => Kind::Frozen,
        Fault::Way(line, _) if line.to == REDIS => Kind::RedisApartFromOne,
        Fault::Way(_, Trouble::Cut) => Kind::Cut,
        Fault::Way(_, Trouble::Severed) => Kind::Severed,
        Fault::Way(_, Trouble::Held(_)) => Kind::Held,
        Fault::Way(_, Trouble::Lost(_)) => Kind::Lost,
        Fault::Way(_, Trouble::Slow(_)) => Kind::Slow,
        Fault::Way(_, Trouble::Split) => Kind::Split,
    }
}

fn at(steps: &[Step], when: Duration) -> Vec<&Fault> {
    steps.iter().filter(|step| step.begins <= when && when <= step.ends).map(|step| &step.fault).collect()
}

proptest! {
    #[test]
    fn every_fault_ends_few_go_on_at_once_and_none_meets_another(seed: u64, watched: bool, faults in 1_usize..60) {
        let shared = if watched { Shared::Watched } else { Shared::Alone };
        let plan = Plan::of(seed, FiveProcesses, shared, faults);
        prop_assert_eq!(&plan, &Plan::of(seed, FiveProcesses, shared, faults));
        prop_assert_eq!(plan.steps.len(), faults);
        for step in &plan.steps {
            prop_assert!(step.ends - step.begins <= Duration::from_secs(6));
            prop_assert_eq!(kind(&step.fault).is_instant(), step.begins == step.ends);
            let present = at(&plan.steps, step.begins);
            prop_assert!(present.len() <= AT_ONCE_MAX, "{plan}");
            for (number, one) in present.iter().enumerate() {
                prop_assert!(!present[number + 1..].iter().any(|other| one.meets(other)), "{plan}");
            }
        }
        prop_assert!(plan.steps.is_sorted_by_key(|step| step.begins));
        prop_assert!(plan.ends() <= Duration::from_secs(7) * u32::try_from(faults).unwrap());
    }
}

#[test]
fn every_kind_occurs_and_every_part_and_way_is_broken() {
    let of = |shared| {
        let plans = (0..40).map(|seed| Plan::of(seed, FiveProcesses, shared, 25));
        let faults: Vec<Fault> = plans.flat_map(|plan| plan.steps).map(|step| step.fault).collect();
        let kinds: BTreeSet<Kind> = faults.iter().map(kind).collect();
        assert_eq!(kinds, Kind::of(shared).collect());
        faults
    };
    of(Shared::Watched);
    let faults = of(Shared::Alone);
    for part in FiveProcesses.parts() {
        assert!(faults.contains(&Fault::Killed(part.name)), "{}", part.name);
        assert!(faults.contains(&Fault::Frozen(part.name)), "{}", part.name);
    }
    for line in crate::world::Line::all(FiveProcesses) {
        let of_line = |fault: &&Fault| matches!(fault, Fault::Way(broken, _) if *broken == line);
        let troubles: Vec<_> = faults.iter().filter(of_line).collect();
        assert!(troubles.len() >= 5, "{line}: {troubles:?}");
    }
    let slow = |fault: &&Fault| matches!(fault, Fault::RedisApart(Trouble::Slow(_)));
    let slow: BTreeSet<String> = faults.iter().filter(slow).map(ToString::to_string).collect();
    assert_eq!(slow.len(), 2, "{slow:?}");
}

#[test]
fn what_touches_the_same_thing_meets() {
    let way = |number: usize, trouble| Fault::Way(crate::world::Line::all(FiveProcesses)[number], trouble);
    let to_redis = way(7, Trouble::Severed);
    assert!(Fault::Killed("chat").meets(&Fault::Frozen("chat")));
    assert!(!Fault::Killed("chat").meets(&Fault::Frozen("auth")));
    assert!(Fault::RedisFlushed.meets(&Fault::RedisFrozen));
    assert!(Fault::RedisApart(Trouble::Split).meets(&to_redis) && to_redis.meets(&Fault::RedisApart(Trouble::Cut)));
    assert!(!Fault::RedisKilled.meets(&to_redis));
    assert!(way(0, Trouble::Cut).meets(&way(0, Trouble::Split)) && !way(0, Trouble::Cut).meets(&way(1, Trouble::Cut)));
}
