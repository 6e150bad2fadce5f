//! What each device asked, against what it and others knew by then.

use std::collections::HashMap;

use protocol::calls::CallFailure;
use protocol::{CallId, ErrorCode, UserId};

use super::CallViolationKind::{TwoLegs, VersionBack, WronglyRefused};
use super::fact::{Asked, Device, Fact, Outcome, Time, Verb};
use super::{CallHistory, CallViolation, wrong};

/// When each version was known to somebody for certain, in order of time.
type Known = HashMap<CallId, Vec<(Time, u64)>>;
/// When each leg was acknowledged, in order of time.
type Legs = HashMap<(CallId, UserId), Vec<(Time, u64)>>;

pub(super) fn check(history: &CallHistory, violations: &mut Vec<CallViolation>) {
    let (known, legs) = (known(history), legs(history));
    for device in &history.devices {
        versions_grow(device, violations);
        for fact in &device.facts {
            let Fact::Asked(asked) = fact else { continue };
            is_not_stale(device, asked, &known, violations);
            is_of_the_present_leg(device, asked, &legs, violations);
            keeps_its_place(history, device, asked, violations);
        }
    }
}

fn known(history: &CallHistory) -> Known {
    let mut known = Known::new();
    for fact in history.devices.iter().flat_map(|device| &device.facts) {
        let at = match fact {
            Fact::Asked(asked) => asked.ended,
            Fact::Told { at, .. } => *at,
        };
        if let Some(state) = fact.state() {
            known.entry(state.id).or_default().push((at, state.version));
        }
    }
    known.values_mut().for_each(|all| all.sort_unstable());
    known
}

fn legs(history: &CallHistory) -> Legs {
    let mut legs = Legs::new();
    for device in &history.devices {
        for fact in &device.facts {
            let Fact::Asked(asked) = fact else { continue };
            if let (Some(call), Some(epoch)) = (asked.about(), asked.came_in()) {
                legs.entry((call, device.user)).or_default().push((asked.ended, epoch));
            }
        }
    }
    legs.values_mut().for_each(|all| all.sort_unstable());
    legs
}

/// The highest number of those that were there before a moment.
fn highest_before(all: Option<&Vec<(Time, u64)>>, moment: Time) -> u64 {
    let before = all.into_iter().flatten().take_while(|(at, _)| *at < moment);
    before.map(|(_, number)| *number).max().unwrap_or_default()
}

/// What a device is told of a call is never older than what it was told before.
fn versions_grow(device: &Device, violations: &mut Vec<CallViolation>) {
    let mut last: HashMap<CallId, u64> = HashMap::new();
    for fact in &device.facts {
        let Fact::Told { call, .. } = fact else { continue };
        let before = last.insert(call.id, call.version).unwrap_or_default();
        if call.version < before {
            wrong(violations, VersionBack, || format!("{}: {before} is followed by {call:?}", device.name));
        }
    }
}

/// An answer is not older than what anybody knew before it was asked for.
fn is_not_stale(device: &Device, asked: &Asked, known: &Known, violations: &mut Vec<CallViolation>) {
    let Outcome::Stands { call, .. } = &asked.outcome else { return };
    let before = highest_before(known.get(&call.id), asked.began);
    if call.version < before {
        wrong(violations, VersionBack, || {
            format!("{}: {:?} is answered {call:?}, after {before}", device.name, asked.verb)
        });
    }
}

/// Nothing is done for a leg that had been taken over.
fn is_of_the_present_leg(device: &Device, asked: &Asked, legs: &Legs, violations: &mut Vec<CallViolation>) {
    let (Verb::Leave { call, epoch } | Verb::Signal { call, epoch } | Verb::ComeBack { call, epoch }) = asked.verb
    else {
        return;
    };
    let latest = highest_before(legs.get(&(call, device.user)), asked.began);
    if latest > epoch && matches!(asked.outcome, Outcome::Stands { .. } | Outcome::Done) {
        wrong(violations, TwoLegs, || format!("{}: {:?} was done after a leg of {latest}", device.name, asked.verb));
    }
}

/// A leg that comes back in time finds its place, unless the call is over or another device has taken it.
fn keeps_its_place(history: &CallHistory, device: &Device, asked: &Asked, violations: &mut Vec<CallViolation>) {
    let (Verb::ComeBack { call, epoch }, Outcome::Refused(code)) = (&asked.verb, &asked.outcome) else { return };
    let wrongly = match code {
        // A place in a call that ended because somebody else did not come back is gone as well.
        ErrorCode::CallExpired => {
            let end = history.finals.get(call).and_then(|last| last.failure);
            end != Some(CallFailure::ConnectionLost) && !is_late(history, device.user, asked, (*call, *epoch))
        }
        ErrorCode::NotFound | ErrorCode::NotInCall => !history.lost.contains(call),
        _ => false,
    };
    if wrongly {
        wrong(violations, WronglyRefused, || format!("{}: {:?} was refused with {code:?}", device.name, asked.verb));
    }
}

fn is_late(history: &CallHistory, user: UserId, asked: &Asked, (call, epoch): (CallId, u64)) -> bool {
    let devices = history.devices.iter().filter(|device| device.user == user);
    let all = devices.flat_map(|device| &device.facts).filter_map(|fact| match fact {
        Fact::Asked(asked) => Some(asked),
        Fact::Told { .. } => None,
    });
    let held = all.filter(|other| other.about() == Some(call) && other.came_in() == Some(epoch));
    let since = held.map(|held| held.began).filter(|began| *began < asked.began).max();
    since.is_some_and(|since| asked.ended >= since + history.reconnect_ms * 1_000)
}
