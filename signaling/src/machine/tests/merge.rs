//! Two processes that are cut off from each other go on with the same call: what they come to when they meet again.

use proptest::prelude::*;
use protocol::calls::ParticipantStatus;

use super::super::{CallState, Input, Machine};
use super::properties::{Act, World, act};

/// The content alone.
fn without_version(call: CallState) -> CallState {
    CallState { version: 0, ..call }
}

fn acts() -> impl Strategy<Value = Vec<(Act, u64)>> {
    prop::collection::vec((act(), prop_oneof![Just(0_u64), 1_u64..5_000, Just(31_000)]), 0..12)
}

/// A call, and what two who don't know of each other make of it.
fn apart(before: Vec<(Act, u64)>, one: Vec<(Act, u64)>, other: Vec<(Act, u64)>) -> [CallState; 2] {
    let go_on = |mut world: World, acts: Vec<(Act, u64)>| {
        for (act, ms) in acts {
            world.advance(ms);
            world.apply(act);
        }
        world
    };
    let common = go_on(World::new(), before);
    [go_on(common.clone(), one).into_call(), go_on(common, other).into_call()]
}

proptest! {
    #[test]
    fn whoever_is_named_first_the_same_comes_of_it_and_again_the_same(before in acts(), one in acts(), other in acts()) {
        let [one, other] = apart(before, one, other);
        let merged = CallState::merge(&one, &other);
        prop_assert_eq!(&merged, &CallState::merge(&other, &one));
        prop_assert!(merged.version >= one.version.max(other.version));
        prop_assert_eq!(CallState::merge(&one, &one), one.clone());
        for known in [&one, &other] {
            prop_assert_eq!(without_version(CallState::merge(&merged, known)), without_version(merged.clone()));
        }
        if merged.version == one.version && merged.version == other.version {
            prop_assert!(merged == one || merged == other);
        }
    }

    #[test]
    fn nothing_that_ended_comes_back(before in acts(), one in acts(), other in acts()) {
        let [one, other] = apart(before, one, other);
        let merged = CallState::merge(&one, &other);
        prop_assert_eq!(merged.status.is_over(), one.status.is_over() || other.status.is_over());
        for call in [&one, &other] {
            for (user, part) in &call.parts {
                let now = &merged.parts.get(user);
                if merged.status.is_over() {
                    continue;
                }
                let now = now.expect("nobody is forgotten");
                prop_assert!(now.last_epoch >= part.last_epoch, "a leg that was fenced off stays so");
                if part.status == ParticipantStatus::Removed {
                    prop_assert_eq!(now.status, ParticipantStatus::Removed);
                }
                if let Some(leg) = now.leg.filter(|_| now.status.is_in()) {
                    prop_assert_eq!(leg.epoch, now.last_epoch);
                }
            }
        }
    }

    #[test]
    fn what_comes_of_it_is_a_call_like_any_other(before in acts(), one in acts(), other in acts()) {
        let [one, other] = apart(before, one, other);
        let merged = CallState::merge(&one, &other);
        let (call, _) = Machine::handle(&merged, merged.version, Input::Due).unwrap();
        prop_assert!(call.status.is_over() || call.deadline().is_some());
        prop_assert!(call.status.is_over() || call.count_in() > 0, "nobody is awaited in an empty room");
        prop_assert!(call.status.is_over() || call.parts[&call.host].status.is_in());
    }
}
