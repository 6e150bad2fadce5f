//! What users expect of a call, sentence by sentence.

use protocol::ErrorCode;
use protocol::calls::{CallFailure, CallStatus, Media, ParticipantStatus as Is};

use super::super::{CallState, Callee, Input, Machine, Notice, Outcome, Output, Start, Step};
use super::{MEDIA, RULES, T0, device, joins, start, started, user};

/// A call that goes through inputs, each a second after the one before.
struct Going {
    call: CallState,
    last: Outcome,
    now: u64,
}

fn going(others: u128) -> Going {
    let (call, last) = started(others, RULES);
    Going { call, last, now: T0 }
}

impl Going {
    fn then(mut self, input: Input) -> Self {
        self.now += 1_000;
        let (call, last) = Machine::handle(&self.call, self.now, input).expect("it is not refused");
        Self { call, last, now: self.now }
    }

    fn refuses(&self, input: Input) -> ErrorCode {
        Machine::handle(&self.call, self.now + 1, input).expect_err("it is refused")
    }

    fn after(mut self, ms: u64) -> Self {
        self.now += ms;
        self.then(Input::Due)
    }

    fn is(&self, n: u128) -> Is {
        self.call.parts[&user(n)].status
    }

    fn epoch(&self, n: u128) -> u64 {
        self.call.parts[&user(n)].leg.expect("has a leg").epoch
    }

    fn records(&self) -> usize {
        self.last.outputs.iter().filter(|output| matches!(output, Output::Record { .. })).count()
    }
}

#[test]
fn the_first_device_that_answers_has_the_call_and_the_others_stop_ringing() {
    let call = going(1).then(Input::Ring { user: user(1) });
    assert_eq!((call.call.status, call.is(1)), (CallStatus::Ringing, Is::Ringing));
    let call = call.then(joins(1, None));
    assert_eq!((call.call.status, call.is(1)), (CallStatus::Active, Is::Joined));
    assert!(call.last.outputs.contains(&Output::Cancel { users: vec![user(1)] }));
    // A second device is no second answer: it takes over, and the first one is out.
    let first = call.epoch(1);
    let call = call.then(Input::Join { user: user(1), device: device(1, 1, 0), epoch: None, media: MEDIA });
    assert!(call.epoch(1) > first);
    assert_eq!(call.refuses(Input::Media { user: user(1), epoch: first, media: MEDIA }), ErrorCode::CallTakenOver);
    assert_eq!(call.refuses(joins(1, Some(first))), ErrorCode::CallTakenOver);
}

#[test]
fn a_ring_that_nobody_answers_is_missed_in_its_time_and_not_before() {
    let call = going(1).then(Input::Ring { user: user(1) });
    assert_eq!(call.call.deadline(), Some(T0 + 45_000));
    let call = call.after(40_000);
    assert_eq!(call.call.status, CallStatus::Ringing);
    let call = call.after(3_000);
    assert_eq!((call.call.status, call.is(1)), (CallStatus::Missed, Is::Missed));
    assert!(call.last.outputs.contains(&Output::Missed { users: vec![user(1)] }));
    assert_eq!((call.records(), call.call.deadline()), (1, None));
}

#[test]
fn a_caller_who_hangs_up_first_cancels_and_the_other_has_missed_it() {
    let call = going(1);
    let epoch = call.epoch(0);
    let call = call.then(Input::Leave { user: user(0), epoch });
    assert_eq!((call.call.status, call.is(1)), (CallStatus::Cancelled, Is::Missed));
    assert_eq!(call.refuses(joins(1, None)), ErrorCode::CallOver);
}

#[test]
fn no_said_by_all_ends_it_and_no_said_by_one_does_not() {
    let call = going(2).then(Input::Decline { user: user(1) });
    assert!(!call.call.status.is_over());
    let call = call.then(Input::Decline { user: user(2) });
    assert_eq!((call.call.status, call.records()), (CallStatus::Declined, 1));
}

#[test]
fn whoever_comes_back_in_time_keeps_the_place_and_whoever_is_late_hears_why_not() {
    let call = going(2).then(joins(1, None)).then(joins(2, None));
    let epoch = call.epoch(1);
    let call = call.then(Input::Lost { connection: device(1, 0, 0).connection });
    assert_eq!(call.is(1), Is::Reconnecting);
    let back = call.then(Input::Join { user: user(1), device: device(1, 0, 1), epoch: Some(epoch), media: MEDIA });
    assert_eq!((back.is(1), back.epoch(1)), (Is::Joined, epoch));
    let gone = back.then(Input::Lost { connection: device(1, 0, 1).connection }).after(30_000);
    assert_eq!(gone.is(1), Is::Left);
    assert_eq!(gone.refuses(joins(1, Some(epoch))), ErrorCode::CallExpired);
    // Not for good: with a new leg they come in again.
    assert_eq!(gone.then(joins(1, None)).is(1), Is::Joined);
}

#[test]
fn between_two_it_fails_when_one_does_not_come_back_and_the_late_one_hears_that_it_expired() {
    let call = going(1).then(joins(1, None));
    let epoch = call.epoch(1);
    let call = call.then(Input::Lost { connection: device(1, 0, 0).connection }).after(30_000);
    assert_eq!((call.call.status, call.call.failure), (CallStatus::Failed, Some(CallFailure::ConnectionLost)));
    assert_eq!(call.refuses(joins(1, Some(epoch))), ErrorCode::CallExpired);
    assert_eq!(call.refuses(joins(1, None)), ErrorCode::CallOver);
}

#[test]
fn an_old_connection_that_ends_late_takes_nobody_out_who_came_back_on_another() {
    let call = going(1).then(joins(1, None));
    let epoch = call.epoch(1);
    let call = call.then(Input::Join { user: user(1), device: device(1, 0, 1), epoch: Some(epoch), media: MEDIA });
    let version = call.call.version;
    let call = call.then(Input::Lost { connection: device(1, 0, 0).connection });
    assert_eq!((call.is(1), call.call.version), (Is::Joined, version));
}

#[test]
fn after_a_restart_everyone_is_awaited_and_told_when_all_are_back() {
    let call = going(1).then(joins(1, None));
    let (mine, theirs) = (call.epoch(0), call.epoch(1));
    let call = call.then(Input::Restarted);
    assert_eq!(call.last.notices, [Notice::Recovering]);
    let call = call.then(joins(0, Some(mine)));
    assert!(call.last.notices.is_empty());
    let call = call.then(joins(1, Some(theirs)));
    assert_eq!(call.last.notices, [Notice::Recovered]);
    assert!(call.last.steps.contains(&Step::Recovered));
    assert!(!call.call.recovering);
}

#[test]
fn a_full_call_says_so_and_a_place_that_is_kept_counts() {
    let call = going(5).then(joins(1, None)).then(joins(2, None)).then(joins(3, None));
    let call = call.then(Input::Lost { connection: device(2, 0, 0).connection });
    assert_eq!(call.refuses(joins(4, None)), ErrorCode::CallFull);
    let epoch = call.epoch(3);
    let call = call.then(Input::Leave { user: user(3), epoch }).then(joins(4, None));
    assert_eq!(call.is(4), Is::Joined);
}

#[test]
fn removed_means_out_until_the_host_admits() {
    let call = going(2).then(joins(1, None)).then(joins(2, None));
    let epoch = call.epoch(2);
    assert_eq!(call.refuses(Input::Remove { by: user(1), user: user(2) }), ErrorCode::Forbidden);
    let call = call.then(Input::Remove { by: user(0), user: user(2) });
    assert_eq!(call.is(2), Is::Removed);
    assert_eq!(call.refuses(joins(2, Some(epoch))), ErrorCode::NotInCall);
    let call = call.then(joins(2, None));
    assert_eq!((call.is(2), call.last.epoch), (Is::Waiting, None));
    let call = call.then(Input::Admit { by: user(0), user: user(2) }).then(joins(2, None));
    assert_eq!(call.is(2), Is::Joined);
}

#[test]
fn the_waiting_room_holds_back_who_was_not_called_and_lets_go_of_who_left_it() {
    let (call, last) = started(1, super::Rules { waiting_room: true, ..RULES });
    let call = Going { call: CallState { direct: false, ..call }, last, now: T0 }.then(joins(1, None));
    assert_eq!(call.is(1), Is::Joined, "who was called need not wait");
    let call = call.then(joins(5, None));
    assert_eq!(call.is(5), Is::Waiting);
    let call = call.then(Input::Lost { connection: device(5, 0, 0).connection });
    assert_eq!(call.is(5), Is::Left);
}

#[test]
fn the_host_moves_on_to_who_has_been_in_longest_when_the_host_leaves() {
    let call = going(2).then(joins(1, None)).then(joins(2, None));
    let epoch = call.epoch(0);
    let call = call.then(Input::Leave { user: user(0), epoch });
    assert_eq!(call.call.host, user(1));
    let call = call.then(Input::End { by: user(1) });
    assert_eq!(call.call.status, CallStatus::Ended);
}

#[test]
fn the_host_mutes_and_whoever_was_muted_speaks_again_by_themselves() {
    let call = going(1).then(joins(1, None)).then(Input::Mute { by: user(0), user: user(1) });
    let part = &call.call.parts[&user(1)];
    assert!(part.muted && !part.media.audio);
    let epoch = call.epoch(1);
    let call = call.then(Input::Media { user: user(1), epoch, media: Media { audio: true, ..Media::default() } });
    assert!(!call.call.parts[&user(1)].muted);
}

#[test]
fn an_ended_login_ends_its_leg_at_once_and_only_its_own() {
    let call = going(2).then(joins(1, None)).then(joins(2, None));
    let call = call.then(Input::Revoked { session: device(2, 0, 0).session });
    assert_eq!((call.is(1), call.is(2)), (Is::Joined, Is::Left));
    let call = call.then(Input::Gone { user: user(1) });
    assert_eq!(call.is(1), Is::Removed);
}

#[test]
fn who_is_left_alone_is_not_so_for_good() {
    let call = going(2).then(joins(1, None)).then(Input::Decline { user: user(2) });
    let epoch = call.epoch(1);
    let call = call.then(Input::Leave { user: user(1), epoch });
    assert_eq!(call.call.alone_since, Some(call.now));
    let call = call.after(300_000);
    assert_eq!((call.call.status, call.records()), (CallStatus::Ended, 1));
}

#[test]
fn everyone_busy_ends_it_before_it_rings() {
    let (mut call, _) = started(1, RULES);
    call.parts.get_mut(&user(1)).unwrap().go(Is::Busy);
    let (call, outcome) = Machine::handle(&call, T0 + 1, Input::Due).unwrap();
    assert_eq!(call.status, CallStatus::Busy);
    assert!(outcome.outputs.iter().all(|output| !matches!(output, Output::Ring { .. })));
}

#[test]
fn nobody_is_in_a_call_that_is_over_from_the_start() {
    let callees = vec![Callee { user: user(1), busy: true }];
    let (call, outcome) = Machine::start(Start { callees, ..start(1, RULES) }, T0);
    assert_eq!((call.status, outcome.epoch), (CallStatus::Busy, None));
    assert!(call.parts.values().all(|part| part.leg.is_none()));
}

#[test]
fn a_clock_that_was_turned_back_never_gives_an_old_number_again() {
    let call = going(1);
    let (later, _) = Machine::handle(&call.call, T0 - 10_000, joins(1, None)).unwrap();
    assert_eq!(later.version, call.call.version + 1);
}
