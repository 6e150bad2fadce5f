//! Random chats: without a fault they are accepted, with one planted anywhere they are not.

use proptest::prelude::*;
use protocol::UserId;
use protocol::chat::{ConversationKind, Leaving, ListMessages};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::model::{Model, conversation, user};
use super::{accepted, check};
use crate::history::History;
use crate::history::content::Content;
use crate::history::fact::{Fact, Outcome, Seen, Verb};

const USERS: usize = 4;

/// A chat of four users in a 1-1 conversation, a group and a channel.
fn chat(seed: u64, steps: usize) -> History {
    let mut model = Model::new(seed, USERS);
    let mut rng = StdRng::seed_from_u64(seed);
    model.create(0, conversation(0), ConversationKind::Group, &[1, 2]);
    model.create(1, conversation(1), ConversationKind::Channel, &[]);
    model.create(2, conversation(2), ConversationKind::Direct, &[3]);
    for step in 0..steps {
        let device = rng.random_range(0..USERS);
        let at = conversation(rng.random_range(0..3));
        let is_member = model.is_member(user(device), at);
        let target = rng.random_range(0..=model.head(at).seq);
        match rng.random_range(0..14) {
            0..=3 => {
                model.send(device, at, &format!("text {step}"));
            }
            4 => model.edit(device, at, target, &format!("edit {step}")),
            5 => model.delete(device, at, target),
            6 if is_member => model.mark(device, at),
            7 if is_member => model.summary(device, at),
            8 if is_member => {
                let limit = Some(rng.random_range(1..6));
                let before = rng.random::<bool>().then_some(target);
                let request = match rng.random::<bool>() {
                    true => ListMessages { before, limit, ..ListMessages::default() },
                    false => ListMessages { after: Some(target), limit, ..ListMessages::default() },
                };
                model.page(device, at, request);
            }
            9 => model.list(device),
            10 => {
                let whom = rng.random_range(1..USERS);
                let group = conversation(0);
                match model.is_member(user(whom), group) {
                    true => model.remove(0, group, whom, Leaving::Kicked),
                    false => model.invite(0, group, whom),
                }
            }
            11 if device != 1 => match model.is_member(user(device), conversation(1)) {
                true => model.remove(device, conversation(1), device, Leaving::Left),
                false => model.join(device, conversation(1)),
            },
            _ => model.hear(device, at, 3),
        }
    }
    model.finish()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_chat_without_faults_is_accepted(seed in any::<u64>(), steps in 0usize..150) {
        accepted(&chat(seed, steps));
    }

    #[test]
    fn one_fault_anywhere_is_found(seed in any::<u64>(), steps in 40usize..120, place in any::<usize>(), fault in 0usize..5) {
        let mut history = chat(seed, steps);
        if plant(&mut history, place, fault) {
            prop_assert!(check(&history).is_err(), "fault {} at {}", fault, place);
        }
    }
}

/// Plants a fault somewhere; false where there is no such place.
fn plant(history: &mut History, place: usize, fault: usize) -> bool {
    let heard = |fact: &Fact| matches!(fact, Fact::Heard { seen: Seen::Entry { .. }, .. });
    let device = &mut history.devices[place % USERS];
    let places: Vec<_> = device.facts.iter().enumerate().filter(|(_, f)| heard(f)).map(|(i, _)| i).collect();
    let Some(at) = places.get(place / USERS % places.len().max(1)).copied() else { return false };
    match fault {
        // A loss on the way to a device.
        0 => {
            if is_end_of(user(place % USERS), &device.facts[at]) {
                return false;
            }
            device.facts.remove(at);
        }
        // Told twice.
        1 => {
            let again = device.facts[at].clone();
            device.facts.insert(at + 1, again);
        }
        // Another entry than the log's.
        2 => {
            let Fact::Heard { seen: Seen::Entry { position, .. }, .. } = &mut device.facts[at] else { return false };
            position.tag.0 ^= 1;
        }
        // An acknowledged message that is not in the log.
        3 => {
            let lost = device.facts.iter().find_map(|fact| match fact {
                Fact::Did(op) if matches!((&op.verb, op.outcome), (Verb::Send { .. }, Outcome::Done(_))) => Some(op),
                _ => None,
            });
            let Some((conversation, Outcome::Done(position))) = lost.map(|op| (op.conversation, op.outcome)) else {
                return false;
            };
            history.logs.get_mut(&conversation).unwrap().remove(position.seq as usize - 1);
        }
        // A wrong count.
        _ => {
            let summary = device.facts.iter_mut().find_map(|fact| match fact {
                Fact::Summary(summary) => Some(summary),
                _ => None,
            });
            let Some(summary) = summary else { return false };
            summary.unread += 1;
        }
    }
    true
}

/// The entry that ended somebody's membership: a device may be gone for good before it hears it, so nobody misses it.
fn is_end_of(whose: UserId, fact: &Fact) -> bool {
    let Fact::Heard { seen: Seen::Entry { content: Some(Content::Left { user, .. }), .. }, .. } = fact else {
        return false;
    };
    *user == whose
}

#[test]
fn hundreds_of_thousands_of_facts_take_seconds() {
    // One long chat, read by its own log: the model is quadratic, so the facts are repeated for many devices instead.
    let mut history = chat(7, 400);
    let devices = history.devices.clone();
    while history.devices.iter().map(|device| device.facts.len()).sum::<usize>() < 200_000 {
        history.devices.extend(devices.iter().cloned().map(|mut device| {
            device.facts.retain(|fact| !matches!(fact, Fact::Did(_)));
            device
        }));
    }
    let stats = accepted(&history);
    assert!(stats.heard + stats.reads > 190_000, "{stats:?}");
}
