//! Every version of every call that somebody was told, in order: what may follow what.

use std::collections::BTreeMap;

use protocol::calls::{Call, ParticipantStatus};
use protocol::{CallId, UserId};

use super::CallViolationKind::{Differs, EndedEarly, Ghost, Missing, Revived, RingsAgain, TwoLegs};
use super::fact::{Asked, Fact, Verb};
use super::{CallHistory, CallStats, CallViolation, wrong};

/// Versions are whole milliseconds, and a clock is read before and after.
const SLACK_MS: u64 = 5;

/// The versions of each call.
pub(super) struct States<'h>(BTreeMap<CallId, BTreeMap<u64, &'h Call>>);

/// What somebody asked of one call.
struct Part<'h> {
    user: UserId,
    asked: Vec<&'h Asked>,
}

impl<'h> States<'h> {
    pub(super) fn of(history: &'h CallHistory, violations: &mut Vec<CallViolation>) -> Self {
        let mut calls: BTreeMap<CallId, BTreeMap<u64, &Call>> = BTreeMap::new();
        let told = history.devices.iter().flat_map(|device| &device.facts).filter_map(Fact::state);
        for state in told.chain(history.finals.values()) {
            let first = *calls.entry(state.id).or_default().entry(state.version).or_insert(state);
            if first != state {
                wrong(violations, Differs, || format!("{first:?}\nis also told as\n{state:?}"));
            }
        }
        Self(calls)
    }

    pub(super) fn of_call(&self, call: CallId) -> impl DoubleEndedIterator<Item = &'h Call> {
        self.0.get(&call).into_iter().flat_map(|versions| versions.values().copied())
    }

    pub(super) fn calls(&self) -> impl Iterator<Item = CallId> {
        self.0.keys().copied()
    }

    pub(super) fn stats(&self, history: &CallHistory) -> CallStats {
        let asked = || history.devices.iter().flat_map(|device| &device.facts).filter_map(of_command);
        let back = |asked: &&Asked| matches!(asked.verb, Verb::ComeBack { .. });
        CallStats {
            calls: self.0.len(),
            answered: history.finals.values().filter(|call| call.answered_at.is_some()).count(),
            versions: self.0.values().map(BTreeMap::len).sum(),
            asked: asked().count(),
            came_back: asked().filter(back).filter(|asked| asked.came_in().is_some()).count(),
            too_late: asked().filter(back).filter(|asked| matches!(asked.outcome, super::Outcome::Refused(_))).count(),
            records: history.records.values().map(Vec::len).sum(),
        }
    }

    pub(super) fn check(&self, history: &CallHistory, violations: &mut Vec<CallViolation>) {
        for (id, versions) in &self.0 {
            let parts = parts(history, *id);
            let mut before: Option<&Call> = None;
            if history.lost.contains(id) {
                continue;
            }
            for state in versions.values() {
                check_alone(state, violations);
                if let Some(before) = before {
                    check_pair(before, state, violations);
                }
                for part in &parts {
                    part.is_shown(history, state, violations);
                }
                if state.status.is_over() && before.is_none_or(|before| !before.status.is_over()) {
                    check_end(history, &parts, state, violations);
                }
                before = Some(state);
            }
        }
    }
}

fn of_command(fact: &Fact) -> Option<&Asked> {
    match fact {
        Fact::Asked(asked) => Some(asked),
        Fact::Told { .. } => None,
    }
}

/// Whoever asked something of a call, with all that they asked from any device.
fn parts(history: &CallHistory, call: CallId) -> Vec<Part<'_>> {
    let mut parts: BTreeMap<UserId, Vec<&Asked>> = BTreeMap::new();
    for device in &history.devices {
        let asked = device.facts.iter().filter_map(of_command).filter(|asked| asked.about() == Some(call));
        parts.entry(device.user).or_default().extend(asked);
    }
    parts.into_iter().map(|(user, asked)| Part { user, asked }).collect()
}

fn check_alone(state: &Call, violations: &mut Vec<CallViolation>) {
    let mut users: Vec<UserId> = state.participants.iter().map(|participant| participant.user).collect();
    users.sort_unstable();
    if users.windows(2).any(|pair| pair[0] == pair[1]) {
        wrong(violations, TwoLegs, || format!("somebody is in it twice: {state:?}"));
    }
    let shown = |status: ParticipantStatus| status.is_in() || status.is_called();
    if state.status.is_over() && state.participants.iter().any(|participant| shown(participant.status)) {
        wrong(violations, Ghost, || format!("somebody is in what is over: {state:?}"));
    }
}

fn check_pair(before: &Call, after: &Call, violations: &mut Vec<CallViolation>) {
    if before.status.is_over() && (before.status, before.failure) != (after.status, after.failure) {
        wrong(violations, Revived, || format!("{before:?}\nis followed by\n{after:?}"));
    }
    for was in &before.participants {
        let Some(is) = after.participant(was.user) else {
            wrong(violations, Missing, || format!("{} is not in {after:?}", was.user));
            continue;
        };
        let out = !was.status.is_in();
        // An epoch is the version of its join.
        if out && is.status.is_in() && is.epoch.is_none_or(|epoch| epoch <= before.version) {
            wrong(violations, Ghost, || {
                format!("{} was out in {before:?}\nand is in without a join in {after:?}", was.user)
            });
        }
        if is.status.is_in() && was.status.is_in() && is.epoch < was.epoch {
            wrong(violations, TwoLegs, || {
                format!("{}'s leg is an older one in {after:?}\nthan in {before:?}", was.user)
            });
        }
        if is.status.is_called() && !was.status.is_called() {
            wrong(violations, RingsAgain, || format!("{} is called again in {after:?}\nafter {before:?}", was.user));
        }
    }
}

/// An end has a reason: somebody asked for it, nobody answered for as long as it rings, or somebody did not come back for as long as is waited.
fn check_end(history: &CallHistory, parts: &[Part<'_>], over: &Call, violations: &mut Vec<CallViolation>) {
    let asked_for = parts.iter().flat_map(|part| &part.asked).any(|asked| {
        matches!(asked.verb, Verb::Leave { .. } | Verb::Decline { .. })
            && !matches!(asked.outcome, super::Outcome::Refused(_))
            && asked.began / 1_000 <= over.version + SLACK_MS
    });
    let rang = over.answered_at.is_none() && over.version + SLACK_MS >= over.created_at + history.ring_ms;
    let waited = parts.iter().any(|part| part.might_be_given_up(history, over.version));
    let busy = over.version == over.created_at || over.status == protocol::calls::CallStatus::Busy;
    if !(asked_for || rang || waited || busy) {
        wrong(violations, EndedEarly, || format!("nothing ended {over:?}"));
    }
}

impl Part<'_> {
    /// The last leg that was acknowledged by this version, and the earliest moment, in milliseconds, at which its place was begun to be kept.
    fn leg_at(&self, version: u64) -> Option<(u64, u64)> {
        let known = |asked: &&&Asked| match &asked.outcome {
            super::Outcome::Stands { call, .. } => call.version <= version && asked.ended / 1_000 <= version,
            _ => false,
        };
        let legs = self.asked.iter().filter(known).filter_map(|asked| Some((asked.came_in()?, asked.began / 1_000)));
        legs.max()
    }

    /// Whether so much time has passed that their place may be taken away. What was not acknowledged may have been done at any time.
    fn might_be_given_up(&self, history: &CallHistory, version: u64) -> bool {
        let comes_in = |asked: &&&Asked| {
            matches!(asked.verb, Verb::Start { .. } | Verb::Join { .. } | Verb::ComeBack { .. })
                && asked.began / 1_000 <= version
        };
        match self.leg_at(version) {
            Some((_, since)) => version + SLACK_MS >= since + history.reconnect_ms,
            None => self.asked.iter().any(|asked| comes_in(&asked)),
        }
    }

    /// Who came in, and has not asked to leave, is shown in.
    fn is_shown(&self, history: &CallHistory, state: &Call, violations: &mut Vec<CallViolation>) {
        let Some((epoch, since)) = self.leg_at(state.version) else { return };
        if state.status.is_over() {
            return;
        }
        let leaves = self
            .asked
            .iter()
            .any(|asked| matches!(asked.verb, Verb::Leave { .. }) && asked.began / 1_000 <= state.version + SLACK_MS);
        let shown = state.participant(self.user).filter(|shown| shown.status.is_in());
        let given_up = state.version + SLACK_MS >= since + history.reconnect_ms;
        let user = self.user;
        match shown {
            None if !leaves && !given_up => {
                wrong(violations, Missing, || format!("{user} is in with {epoch} and not shown in {state:?}"));
            }
            Some(shown) if shown.epoch < Some(epoch) => {
                wrong(violations, TwoLegs, || format!("{user} came in with {epoch}, later than {state:?} shows"));
            }
            _ => {}
        }
    }
}
