//! What calls leave: each is over in the end, with one record, and beside no other in its conversation.

use std::collections::HashMap;

use protocol::CallId;
use protocol::calls::CallRecord;

use super::CallViolationKind::{Endless, Record, TwoCalls};
use super::states::States;
use super::{CallHistory, CallViolation, wrong};

pub(super) fn check(history: &CallHistory, calls: &States<'_>, violations: &mut Vec<CallViolation>) {
    let mut records: HashMap<CallId, Vec<&CallRecord>> = HashMap::new();
    for of_conversation in history.records.values() {
        for record in of_conversation {
            records.entry(record.call).or_default().push(record);
        }
        one_at_a_time(of_conversation, violations);
    }
    for id in calls.calls().filter(|id| !history.lost.contains(id)) {
        let Some(last) = calls.of_call(id).next_back() else { continue };
        if !last.status.is_over() {
            wrong(violations, Endless, || format!("it goes on: {last:?}"));
            continue;
        }
        match records.get(&id).map_or(&[][..], Vec::as_slice) {
            [record] => {
                let same = (record.status, record.failure, record.answered_at, record.conversation)
                    == (last.status, last.failure, last.answered_at, last.conversation);
                if !same {
                    wrong(violations, Record, || format!("{record:?}\nis the record of\n{last:?}"));
                }
            }
            others => wrong(violations, Record, || format!("{} records of {last:?}", others.len())),
        }
    }
}

fn one_at_a_time(records: &[CallRecord], violations: &mut Vec<CallViolation>) {
    let mut spans: Vec<_> = records.iter().map(|record| (record.created_at, record.ended_at, record.call)).collect();
    spans.sort_unstable();
    for pair in spans.windows(2) {
        let ((_, ended, first), (created, _, second)) = (pair[0], pair[1]);
        if created < ended {
            wrong(violations, TwoCalls, || format!("{second} began at {created}, before {first} ended at {ended}"));
        }
    }
}
