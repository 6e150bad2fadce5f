//! How a call ends, and what it leaves: one record in the conversation's log, which history and both call lists show.

use harness::world::Settings;
use harness::{Person, Phone, Topology, World, on_every_topology, wait};
use protocol::calls::{CallRecord, CallStatus, Calls, ParticipantStatus};
use protocol::{CallId, ConversationId, ErrorCode};
use serde_json::{Value, json};

use super::{Pair, Talk, epoch};

on_every_topology![
    a_declined_a_cancelled_and_an_answered_call_leave_one_record_each,
    who_does_not_answer_in_time_has_missed_it_and_sees_so_on_every_device,
    who_is_in_another_call_is_busy,
];

/// The call's record, which stands once in the log and is the same wherever it is shown.
async fn record(person: &Person, conversation: ConversationId, call: CallId) -> CallRecord {
    let found = wait::until("the record", async || {
        let records = person.records(conversation).await.into_iter().filter(|record| record.call == call);
        let records: Vec<_> = records.collect();
        (!records.is_empty()).then_some(records)
    })
    .await;
    let [record] = <[CallRecord; 1]>::try_from(found).expect("one record");
    let page = person.history(conversation, json!({})).await;
    let shown: Vec<_> = page.calls.iter().filter(|entry| entry.record.call == call).collect();
    assert_eq!(shown.len(), 1, "{page:?}");
    assert_eq!(shown[0].record, record);
    let listed = person.calls().await;
    let listed: Vec<_> = listed.calls.iter().filter(|listed| listed.call == call).collect();
    assert_eq!(listed, [&record]);
    record
}

fn part(record: &CallRecord, person: &Person) -> ParticipantStatus {
    record.participants.iter().find(|part| part.user == person.id).expect("their part").status
}

async fn a_declined_a_cancelled_and_an_answered_call_leave_one_record_each(topology: Topology) {
    let world = World::start(topology).await;
    let mut pair = Pair::of(&world).await;
    let mut other = Phone::of(&pair.bob.login("tablet").await).await;

    let call = pair.a.call(pair.conversation).await.call.id;
    pair.b.rings().await;
    pair.b.done(call, "call.decline", json!({})).await;
    for phone in [&mut pair.a, &mut pair.b, &mut other] {
        phone.sees_end(call, CallStatus::Declined).await;
    }
    let declined = record(&pair.ann, pair.conversation, call).await;
    assert_eq!((declined.status, declined.duration_ms), (CallStatus::Declined, 0));
    assert_eq!(part(&declined, &pair.bob), ParticipantStatus::Declined);

    let started = pair.a.call(pair.conversation).await;
    let call = started.call.id;
    pair.b.rings().await;
    pair.a.leave(call, epoch(&started)).await;
    for phone in [&mut pair.a, &mut pair.b, &mut other] {
        phone.sees_end(call, CallStatus::Cancelled).await;
    }
    let cancelled = record(&pair.bob, pair.conversation, call).await;
    assert_eq!((cancelled.status, cancelled.answered_at), (CallStatus::Cancelled, None));
    assert_eq!(part(&cancelled, &pair.bob), ParticipantStatus::Missed);

    let Talk { call, b, .. } = pair.talk().await;
    pair.b.leave(call, b).await;
    for phone in [&mut pair.a, &mut pair.b, &mut other] {
        phone.sees_end(call, CallStatus::Ended).await;
    }
    let ended = record(&pair.ann, pair.conversation, call).await;
    assert_eq!(ended.duration_ms, ended.ended_at - ended.answered_at.unwrap());
    assert_eq!(pair.ann.calls().await.missed, 0);
    assert_eq!(pair.a.refused(call, "call.decline", json!({})).await, ErrorCode::CallOver);
    world.end().await;
}

async fn who_does_not_answer_in_time_has_missed_it_and_sees_so_on_every_device(topology: Topology) {
    let settings = Settings::default().set("signaling.ring_ms", 5_000);
    let world = World::with(topology, settings).await;
    let Pair { ann, bob, conversation, mut a, mut b } = Pair::of(&world).await;
    let mut other = Phone::of(&bob.login("tablet").await).await;
    let started = a.call(conversation).await;
    let call = started.call.id;
    assert_eq!(started.call.ring_until, started.call.created_at + 5_000);
    b.rings().await;
    for phone in [&mut a, &mut b, &mut other] {
        let missed = phone.sees_end(call, CallStatus::Missed).await;
        assert!(missed.ended_at.unwrap() >= missed.ring_until);
    }
    let missed = record(&ann, conversation, call).await;
    assert_eq!(part(&missed, &bob), ParticipantStatus::Missed);
    for phone in [&mut b, &mut other] {
        phone.index("one missed call", |index| index.missed == 1).await;
    }
    assert_eq!((ann.calls().await.missed, bob.calls().await.missed), (0, 1));
    let seen: Value = b.socket.command("calls.seen", None, &json!({ "call": call })).await.unwrap();
    assert!(seen.is_object());
    for phone in [&mut b, &mut other] {
        phone.index("none missed", |index| index.missed == 0).await;
    }
    let mut later = Phone::of(&bob.login("watch").await).await;
    later.index("none missed", |index| index.missed == 0).await;
    assert_eq!(b.try_join(call).await.unwrap_err(), ErrorCode::CallOver);
    world.end().await;
}

async fn who_is_in_another_call_is_busy(topology: Topology) {
    let world = World::start(topology).await;
    let mut pair = Pair::of(&world).await;
    let carl = world.person("carl").await;
    let theirs = carl.direct(&pair.bob).await;
    let mut c = Phone::of(&carl).await;
    let Talk { call, a, .. } = pair.talk().await;
    let busy = c.call(theirs).await;
    assert_eq!((busy.call.status, busy.epoch), (CallStatus::Busy, None), "{busy:?}");
    let left = record(&carl, theirs, busy.call.id).await;
    assert_eq!(part(&left, &pair.bob), ParticipantStatus::Busy);
    assert_eq!(pair.b.start(theirs, &harness::calls::audio()).await.unwrap_err(), ErrorCode::InAnotherCall);
    pair.a.leave(call, a).await;
    pair.b.sees_end(call, CallStatus::Ended).await;
    let again = c.call(theirs).await;
    assert_eq!(again.call.status, CallStatus::Initiated);
    pair.b.sees(again.call.id, "the call", |call| !call.status.is_over()).await;
    let page: Calls = pair.bob.call("calls.list", None, json!({ "limit": 1 })).await.data();
    assert_eq!((page.calls.len(), page.more), (1, true));
    world.end().await;
}
