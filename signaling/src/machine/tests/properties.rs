//! Whatever happens, in whatever order: what must hold of every version.

use proptest::prelude::*;
use protocol::calls::{CallStatus, Media, ParticipantStatus};
use protocol::limits::CALL_TTL_MS;

use super::super::{CallState, Input, Machine, Outcome, Output};
use super::{RULES, Rules, T0, device, started, user};

/// An input whose epochs are named by how long ago they were made, so that live and stale ones both occur.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Ring(u128),
    Join(u128, u128, u128),
    Back(u128, u128, usize),
    Media(u128, usize, bool),
    Decline(u128),
    Leave(u128, usize),
    End(u128),
    Admit(u128, u128),
    Mute(u128, u128),
    Remove(u128, u128),
    Lost(u128, u128, u128),
    Gone(u128),
    Revoked(u128, u128),
    Restarted,
    Due,
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    let who = || 0_u128..6;
    prop_oneof![
        2 => who().prop_map(Act::Ring),
        8 => (who(), 0_u128..2, 0_u128..2).prop_map(|(n, d, c)| Act::Join(n, d, c)),
        4 => (who(), 0_u128..2, 0_usize..3).prop_map(|(n, c, age)| Act::Back(n, c, age)),
        2 => (who(), 0_usize..3, any::<bool>()).prop_map(|(n, age, on)| Act::Media(n, age, on)),
        2 => who().prop_map(Act::Decline),
        3 => (who(), 0_usize..3).prop_map(|(n, age)| Act::Leave(n, age)),
        1 => who().prop_map(Act::End),
        2 => (who(), who()).prop_map(|(by, n)| Act::Admit(by, n)),
        1 => (who(), who()).prop_map(|(by, n)| Act::Mute(by, n)),
        2 => (who(), who()).prop_map(|(by, n)| Act::Remove(by, n)),
        4 => (who(), 0_u128..2, 0_u128..2).prop_map(|(n, d, c)| Act::Lost(n, d, c)),
        1 => who().prop_map(Act::Gone),
        1 => (who(), 0_u128..2).prop_map(|(n, d)| Act::Revoked(n, d)),
        1 => Just(Act::Restarted),
        4 => Just(Act::Due),
    ]
}

/// A call under random inputs, with every epoch that it ever gave out.
#[derive(Clone)]
pub(super) struct World {
    call: CallState,
    now: u64,
    epochs: Vec<(u128, u64)>,
    ended: usize,
}

impl World {
    fn epoch(&self, n: u128, age: usize) -> u64 {
        self.epochs.iter().rev().filter(|(owner, _)| *owner == n).nth(age).map_or(1, |(_, epoch)| *epoch)
    }

    fn input(&self, act: Act) -> Input {
        let media = Media { audio: true, ..Media::default() };
        match act {
            Act::Ring(n) => Input::Ring { user: user(n) },
            Act::Join(n, d, c) => Input::Join { user: user(n), device: device(n, d, c), epoch: None, media },
            Act::Back(n, c, age) => {
                Input::Join { user: user(n), device: device(n, 0, c), epoch: Some(self.epoch(n, age)), media }
            }
            Act::Media(n, age, on) => {
                Input::Media { user: user(n), epoch: self.epoch(n, age), media: Media { hand: on, ..Media::default() } }
            }
            Act::Decline(n) => Input::Decline { user: user(n) },
            Act::Leave(n, age) => Input::Leave { user: user(n), epoch: self.epoch(n, age) },
            Act::End(n) => Input::End { by: user(n) },
            Act::Admit(by, n) => Input::Admit { by: user(by), user: user(n) },
            Act::Mute(by, n) => Input::Mute { by: user(by), user: user(n) },
            Act::Remove(by, n) => Input::Remove { by: user(by), user: user(n) },
            Act::Lost(n, d, c) => Input::Lost { connection: device(n, d, c).connection },
            Act::Gone(n) => Input::Gone { user: user(n) },
            Act::Revoked(n, d) => Input::Revoked { session: device(n, d, 0).session },
            Act::Restarted => Input::Restarted,
            Act::Due => Input::Due,
        }
    }

    /// A call to three more, that has just begun.
    pub(super) fn new() -> Self {
        Self::of(started(3, RULES))
    }

    fn of((call, outcome): (CallState, Outcome)) -> Self {
        Self { call, now: T0, epochs: vec![(0, outcome.epoch.unwrap())], ended: 0 }
    }

    pub(super) fn advance(&mut self, ms: u64) {
        self.now += ms;
    }

    pub(super) fn into_call(self) -> CallState {
        self.call
    }

    pub(super) fn apply(&mut self, act: Act) {
        let before = self.call.clone();
        let input = self.input(act);
        let Ok((call, outcome)) = Machine::handle(&before, self.now, input) else { return };
        self.check(&before, &call, &outcome, input);
        if let Some(epoch) = outcome.epoch
            && let Act::Join(n, ..) = act
        {
            self.epochs.push((n, epoch));
        }
        self.ended += outcome.outputs.iter().filter(|output| matches!(output, Output::Record { .. })).count();
        self.call = call;
    }

    fn check(&self, before: &CallState, after: &CallState, outcome: &Outcome, input: Input) {
        let changed = before != after;
        assert_eq!(changed, after.version > before.version, "the version grows exactly with a change");
        assert!(changed || (outcome.outputs.is_empty() && outcome.steps.is_empty()), "nothing follows from nothing");
        assert!(!before.status.is_over() || !changed, "what is over stays over");
        assert!(after.count_in() <= after.rules.participants_max as usize, "no more than may be in it");
        for (id, part) in &after.parts {
            let holds = part.status.is_in() || part.status == ParticipantStatus::Waiting;
            assert_eq!(part.leg.is_some(), holds, "who is in has one leg, who is out has none");
            let waits = part.status.is_called() || part.status == ParticipantStatus::Reconnecting;
            assert_eq!(part.until.is_some(), waits, "what waits has a deadline");
            assert!(part.last_epoch <= after.version);
            let old = before.parts.get(id);
            assert!(old.is_none_or(|old| old.last_epoch <= part.last_epoch), "epochs never go back");
            // Removed means out: the way back is an admit, or the waiting room.
            if old.is_some_and(|old| old.status == ParticipantStatus::Removed) {
                assert!(!part.status.is_in(), "who was removed does not come in: {input:?}");
            }
        }
        if after.status.is_over() {
            assert!(
                after.parts.values().all(|part| !part.status.is_in() && !part.status.is_called()),
                "nothing rings after the end"
            );
            assert_eq!(after.deadline(), None);
            assert!(after.ended_at.is_some());
        } else {
            assert!(after.deadline().is_some(), "every call has an end to come");
            assert!(after.count_in() > 0, "a call without anyone in it is over");
            assert!(after.parts.get(&after.host).is_some_and(|host| host.status.is_in()), "the host is in it");
            assert!(after.answered_at.is_none() || after.status == CallStatus::Active);
        }
    }
}

proptest! {
    #[test]
    fn every_version_holds_and_every_call_ends_once(
        others in 1_u128..5,
        waiting_room: bool,
        acts in prop::collection::vec((act(), 0_u64..20_000), 0..120),
    ) {
        let mut world = World::of(started(others, Rules { waiting_room, ..RULES }));
        for (act, pause) in acts {
            world.now += pause;
            world.apply(act);
        }
        // Left to itself, it ends: each deadline leads to the next or to the end.
        let mut deadlines = 0;
        while let Some(deadline) = world.call.deadline() {
            prop_assert!(deadline <= T0 + CALL_TTL_MS);
            world.now = world.now.max(deadline);
            let before = world.call.version;
            world.apply(Act::Due);
            prop_assert!(world.call.version > before, "a deadline that has come changes something");
            deadlines += 1;
            prop_assert!(deadlines < 20);
        }
        prop_assert!(world.call.status.is_over());
        prop_assert_eq!(world.ended, 1, "one record for each call");
    }

    #[test]
    fn what_is_stored_is_what_is_read(acts in prop::collection::vec((act(), 0_u64..20_000), 0..40)) {
        let mut world = World::new();
        for (act, pause) in acts {
            world.now += pause;
            world.apply(act);
        }
        let json = serde_json::to_string(&world.call).unwrap();
        let read: CallState = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&read, &world.call);
    }
}
