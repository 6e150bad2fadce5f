//! The checker is checked: a clean call is accepted, and every planted fault is found.

use protocol::calls::{
    Call, CallFailure, CallKind, CallParticipation, CallRecord, CallStatus, Media, Participant, ParticipantStatus,
};
use protocol::{CallId, ClientId, ConversationId, ErrorCode, UserId};
use uuid::Uuid;

use super::CallViolationKind::{
    Differs, EndedEarly, Endless, Ghost, Missing, Record, Revived, RingsAgain, TwoCalls, TwoLegs, VersionBack,
    WronglyRefused,
};
use super::{Asked, CallHistory, CallViolationKind, Device, Fact, Outcome, Verb, check_calls};

/// When it begins, in milliseconds.
const T: u64 = 1_800_000_000_000;
const CALL: CallId = CallId(Uuid::from_u128(7));
const CONVERSATION: ConversationId = ConversationId(Uuid::from_u128(8));
const ANN: UserId = UserId(Uuid::from_u128(1));
const BEN: UserId = UserId(Uuid::from_u128(2));
/// Where Ben's devices stand in the history.
const PHONE: usize = 1;

type At = (ParticipantStatus, Option<u64>);

fn state(version: u64, status: CallStatus, ann: At, ben: At) -> Call {
    let participant = |user, (status, epoch): At| Participant {
        user,
        status,
        epoch: epoch.map(|epoch| T + epoch),
        joined_at: None,
        until: None,
        media: Media::default(),
        muted: false,
    };
    let over = status.is_over().then_some(T + version);
    Call {
        id: CALL,
        version: T + version,
        conversation: CONVERSATION,
        kind: CallKind::Audio,
        status,
        failure: None,
        by: ANN,
        host: ANN,
        created_at: T,
        ring_until: T + 5_000,
        answered_at: (version >= 55).then_some(T + 55),
        ended_at: over,
        limit: 6,
        waiting_room: false,
        recovering: false,
        participants: vec![participant(ANN, ann), participant(BEN, ben)],
    }
}

fn told(call: &Call) -> Fact {
    Fact::Told { at: (call.version + 2) * 1_000, call: Box::new(call.clone()) }
}

fn asked(began: u64, ended: u64, verb: Verb, outcome: Outcome) -> Fact {
    Fact::Asked(Asked { began: (T + began) * 1_000, ended: (T + ended) * 1_000, verb, outcome })
}

fn stands(call: &Call, epoch: Option<u64>) -> Outcome {
    Outcome::Stands { call: Box::new(call.clone()), epoch: epoch.map(|epoch| T + epoch) }
}

fn record(call: &Call) -> CallRecord {
    let of = |participant: &Participant| CallParticipation {
        user: participant.user,
        status: participant.status,
        joined_at: participant.joined_at,
    };
    CallRecord {
        call: call.id,
        conversation: call.conversation,
        kind: call.kind,
        status: call.status,
        failure: call.failure,
        by: call.by,
        created_at: call.created_at,
        answered_at: call.answered_at,
        ended_at: call.ended_at.unwrap(),
        duration_ms: 0,
        participants: call.participants.iter().map(of).collect(),
    }
}

use ParticipantStatus::{Invited, Joined, Left, Reconnecting};

/// Ann (1) calls Ben (2), who answers at 55, is cut off at 1000 and back at 2005; Ann hangs up at 3005.
fn call() -> CallHistory {
    let rings = state(1, CallStatus::Initiated, (Joined, Some(1)), (Invited, None));
    let answered = state(55, CallStatus::Active, (Joined, Some(1)), (Joined, Some(55)));
    let cut = state(1_000, CallStatus::Active, (Joined, Some(1)), (Reconnecting, Some(55)));
    let back = state(2_005, CallStatus::Active, (Joined, Some(1)), (Joined, Some(55)));
    let over = state(3_005, CallStatus::Ended, (Left, None), (Left, None));
    let client_id = ClientId(Uuid::from_u128(9));
    let ann = vec![
        asked(0, 10, Verb::Start { conversation: CONVERSATION, client_id }, stands(&rings, Some(1))),
        told(&answered),
        told(&cut),
        told(&back),
        asked(3_000, 3_010, Verb::Leave { call: CALL, epoch: T + 1 }, stands(&over, None)),
    ];
    let ben = vec![
        told(&rings),
        asked(50, 60, Verb::Join { call: CALL }, stands(&answered, Some(55))),
        told(&answered),
        asked(2_000, 2_010, Verb::ComeBack { call: CALL, epoch: T + 55 }, stands(&back, Some(55))),
        told(&back),
        told(&over),
    ];
    let device = |user, name: &str, facts| Device { user, name: name.to_owned(), facts };
    CallHistory {
        devices: vec![device(ANN, "ann's", ann), device(BEN, "ben's", ben)],
        finals: [(CALL, over.clone())].into(),
        records: [(CONVERSATION, vec![record(&over)])].into(),
        reconnect_ms: 5_000,
        ring_ms: 5_000,
        lost: [].into(),
    }
}

/// What Ben's phone knows, with one more thing at its end.
fn with(fact: Fact) -> CallHistory {
    let mut history = call();
    history.devices[PHONE].facts.push(fact);
    history
}

fn refused(history: &CallHistory, kind: CallViolationKind) {
    let violations = check_calls(history).expect_err("the fault was not found");
    assert!(violations.iter().any(|violation| violation.kind == kind), "{kind:?} is not among {violations:?}");
}

/// The version of this number is another one, wherever it was told.
fn changed(number: u64, change: impl Fn(&mut Call)) -> CallHistory {
    let mut history = call();
    for fact in history.devices.iter_mut().flat_map(|device| &mut device.facts) {
        match fact {
            Fact::Told { call, .. } | Fact::Asked(Asked { outcome: Outcome::Stands { call, .. }, .. }) => {
                if call.version == T + number {
                    change(call);
                }
            }
            Fact::Asked(_) => {}
        }
    }
    for last in history.finals.values_mut().filter(|last| last.version == T + number) {
        change(last);
        history.records.insert(CONVERSATION, vec![record(last)]);
    }
    history
}

#[test]
fn the_call_itself_is_accepted() {
    let stats = check_calls(&call()).unwrap();
    assert_eq!((stats.calls, stats.versions, stats.came_back, stats.records), (1, 5, 1, 1));
}

#[test]
fn a_device_that_is_told_an_older_version_is_found() {
    let mut history = call();
    history.devices[0].facts.swap(1, 3);
    refused(&history, VersionBack);
}

#[test]
fn an_answer_older_than_what_was_known_is_found() {
    let answered = state(55, CallStatus::Active, (Joined, Some(1)), (Joined, Some(55)));
    refused(&with(asked(4_000, 4_010, Verb::Get { call: CALL }, stands(&answered, None))), VersionBack);
}

#[test]
fn a_version_that_is_told_in_two_ways_is_found() {
    let other = state(2_005, CallStatus::Active, (Joined, Some(1)), (Reconnecting, Some(55)));
    refused(&with(told(&other)), Differs);
}

#[test]
fn a_call_that_goes_on_after_its_end_is_found() {
    let again = state(3_100, CallStatus::Active, (Joined, Some(3_050)), (Joined, Some(3_060)));
    refused(&with(told(&again)), Revived);
}

#[test]
fn somebody_who_left_and_is_shown_in_is_found() {
    let out = changed(1_000, |call| (call.participants[1].status, call.participants[1].epoch) = (Left, None));
    refused(&out, Ghost);
    refused(&changed(3_005, |call| call.participants[0].status = Joined), Ghost);
}

#[test]
fn somebody_who_is_in_and_not_shown_is_found() {
    refused(&changed(2_005, |call| (call.participants[1].status, call.participants[1].epoch) = (Left, None)), Missing);
    refused(&changed(2_005, |call| call.participants.truncate(1)), Missing);
}

#[test]
fn a_second_ring_is_found() {
    refused(&changed(1_000, |call| call.participants[1].status = ParticipantStatus::Ringing), RingsAgain);
}

#[test]
fn a_second_leg_of_somebody_is_found() {
    refused(&changed(1_000, |call| call.participants.push(call.participants[1].clone())), TwoLegs);
    refused(&changed(1_000, |call| call.participants[1].epoch = Some(T + 40)), TwoLegs);
}

#[test]
fn a_leg_that_speaks_after_it_was_taken_over_is_found() {
    let taken = state(2_505, CallStatus::Active, (Joined, Some(1)), (Joined, Some(2_505)));
    let mut history = with(asked(2_600, 2_610, Verb::Signal { call: CALL, epoch: T + 55 }, Outcome::Done));
    let taking = asked(2_500, 2_510, Verb::Join { call: CALL }, stands(&taken, Some(2_505)));
    let tablet = Device { user: BEN, name: "ben's tablet".to_owned(), facts: vec![taking] };
    history.devices.push(tablet);
    refused(&history, TwoLegs);
    let fenced = Outcome::Refused(ErrorCode::CallTakenOver);
    *history.devices[PHONE].facts.last_mut().unwrap() =
        asked(2_600, 2_610, Verb::Signal { call: CALL, epoch: T + 55 }, fenced);
    check_calls(&history).unwrap();
}

#[test]
fn a_place_that_was_not_kept_is_found() {
    let back =
        |began, code| asked(began, began + 5, Verb::ComeBack { call: CALL, epoch: T + 55 }, Outcome::Refused(code));
    refused(&with(back(2_900, ErrorCode::CallExpired)), WronglyRefused);
    refused(&with(back(2_900, ErrorCode::NotInCall)), WronglyRefused);
    check_calls(&with(back(8_000, ErrorCode::CallExpired))).unwrap();
    check_calls(&with(back(3_100, ErrorCode::CallOver))).unwrap();
}

#[test]
fn a_call_that_ends_for_no_reason_is_found() {
    let mut history = changed(3_005, |call| {
        (call.status, call.failure) = (CallStatus::Failed, Some(CallFailure::ConnectionLost));
    });
    history.devices[0].facts.pop();
    refused(&history, EndedEarly);
    history.reconnect_ms = 900;
    check_calls(&history).unwrap();
}

#[test]
fn a_call_without_an_end_is_found() {
    let mut history = call();
    history.finals.clear();
    history.devices[0].facts.pop();
    history.devices[PHONE].facts.pop();
    refused(&history, Endless);
    history.lost.insert(CALL);
    check_calls(&history).unwrap();
}

#[test]
fn a_record_that_is_missing_wrong_or_there_twice_is_found() {
    let mut history = call();
    let records = history.records.get_mut(&CONVERSATION).unwrap();
    let [record] = records.as_slice() else { panic!("one record") };
    let record = record.clone();
    records.clear();
    refused(&history, Record);
    history.records.insert(CONVERSATION, vec![record.clone(), record.clone()]);
    refused(&history, Record);
    history.records.insert(CONVERSATION, vec![CallRecord { status: CallStatus::Missed, ..record }]);
    refused(&history, Record);
}

#[test]
fn two_calls_at_a_time_in_one_conversation_are_found() {
    let mut history = call();
    let records = history.records.get_mut(&CONVERSATION).unwrap();
    let other = CallRecord { call: CallId(Uuid::from_u128(99)), created_at: T + 3_000, ..records[0].clone() };
    records.push(CallRecord { ended_at: T + 4_000, ..other });
    refused(&history, TwoCalls);
    history.records.get_mut(&CONVERSATION).unwrap()[1].created_at = T + 3_005;
    check_calls(&history).unwrap();
}
