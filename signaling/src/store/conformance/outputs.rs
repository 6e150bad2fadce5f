//! What follows from a version is performed in order, at least once, and under one name.

use futures_util::future::join_all;

use super::super::{CallStore, OutputKey, Pending};
use super::examples::{Example, call_id, example, goes_on, hangs_up, joins};
use super::{Home, T0};
use crate::machine::{CallState, Output};

const MANY: usize = 1_000;
const LEASE_MS: u64 = 1_000;

async fn claims(home: &impl Home) -> Vec<Pending> {
    home.store().claim_outputs(LEASE_MS, MANY).await.unwrap()
}

async fn claims_one(home: &impl Home) -> Pending {
    let mut claimed = claims(home).await;
    assert_eq!(claimed.len(), 1, "{claimed:?}");
    claimed.remove(0)
}

/// Its outputs: ring; then cancel, missed and the record.
async fn missed(home: &impl Home) -> CallState {
    let call = example(1).starts(home).await;
    home.advance(10);
    goes_on(home, &call, hangs_up(&call)).await
}

fn kind(pending: &Pending) -> &'static str {
    match pending.output {
        Output::Ring { .. } => "ring",
        Output::Cancel { .. } => "cancel",
        Output::Missed { .. } => "missed",
        Output::Record { .. } => "record",
    }
}

pub(crate) async fn a_calls_outputs_are_leased_one_after_the_other(home: impl Home) {
    let store = home.store();
    assert_eq!((claims(&home).await, store.next_output().await), (vec![], Ok(None)));
    let call = missed(&home).await;
    assert_eq!(store.next_output().await, Ok(Some(T0)));
    let mut order = Vec::new();
    for _ in 0..4 {
        let first = claims_one(&home).await;
        assert_eq!(claims(&home).await, [], "what follows waits for it");
        assert_eq!((first.key.call, first.conversation, first.attempts), (call.id, call.conversation, 0));
        order.push((first.key.version, first.key.index, kind(&first)));
        store.performed(first.key).await.unwrap();
    }
    let v = call.version;
    assert_eq!(order, [(T0, 0, "ring"), (v, 0, "cancel"), (v, 1, "missed"), (v, 2, "record")]);
    assert_eq!((claims(&home).await, store.next_output().await), (vec![], Ok(None)));
    // What comes when all was performed needs to wait for nothing.
    let other = Example { conversation: 1, ..example(2) }.starts(&home).await;
    assert_eq!(claims_one(&home).await.key, OutputKey { call: other.id, version: other.version, index: 0 });
}

pub(crate) async fn an_output_whose_worker_dies_is_leased_again(home: impl Home) {
    missed(&home).await;
    let first = claims_one(&home).await;
    for attempts in 1..4 {
        assert_eq!(home.store().next_output().await, Ok(Some(home.store().now().await.unwrap() + LEASE_MS)));
        home.advance(LEASE_MS - 1);
        assert_eq!(claims(&home).await, []);
        home.advance(1);
        assert_eq!(claims_one(&home).await, Pending { attempts, ..first.clone() });
    }
}

pub(crate) async fn what_was_performed_does_not_come_back(home: impl Home) {
    let store = home.store();
    let call = missed(&home).await;
    let ring = claims_one(&home).await;
    // Of two who perform it the slower one says so again, and takes nothing else away with it.
    store.performed(ring.key).await.unwrap();
    store.performed(ring.key).await.unwrap();
    let cancel = claims_one(&home).await;
    store.performed(ring.key).await.unwrap();
    assert_eq!(claims(&home).await, []);
    home.advance(LEASE_MS);
    assert_eq!(claims_one(&home).await, Pending { attempts: 1, ..cancel });
    store.postpone(ring.key, 1).await.unwrap();
    store.performed(OutputKey { index: 9, ..ring.key }).await.unwrap();
    // One that was not its turn goes all the same, and the first one stays the first.
    store.performed(OutputKey { call: call.id, version: call.version, index: 1 }).await.unwrap();
    assert_eq!(claims(&home).await, []);
    store.performed(cancel_key(&call)).await.unwrap();
    assert_eq!(kind(&claims_one(&home).await), "record");
}

fn cancel_key(call: &CallState) -> OutputKey {
    OutputKey { call: call.id, version: call.version, index: 0 }
}

pub(crate) async fn what_is_postponed_holds_up_its_own_call_only(home: impl Home) {
    let store = home.store();
    let call = missed(&home).await;
    let ring = claims_one(&home).await;
    store.postpone(ring.key, 5_000).await.unwrap();
    // What waits behind it has no time of its own.
    store.postpone(cancel_key(&call), 1).await.unwrap();
    assert_eq!(store.next_output().await, Ok(Some(T0 + 10 + 5_000)));
    let other = goes_on(&home, &example(2).starts(&home).await, joins(1)).await;
    let theirs = claims_one(&home).await;
    assert_eq!(theirs.key.call, other.id);
    store.performed(theirs.key).await.unwrap();
    store.performed(claims_one(&home).await.key).await.unwrap();
    home.advance(4_999);
    assert_eq!(claims(&home).await, []);
    home.advance(1);
    assert_eq!(claims_one(&home).await, Pending { attempts: 1, ..ring });
}

pub(crate) async fn of_workers_at_once_each_performs_others(home: impl Home) {
    for n in 1..=20 {
        example(n).starts(&home).await;
    }
    let leased = join_all((0..10).map(|_| home.store().claim_outputs(LEASE_MS, 3))).await;
    let mut leased: Vec<_> = leased.into_iter().flat_map(Result::unwrap).map(|pending| pending.key.call).collect();
    leased.sort_unstable();
    assert_eq!(leased, (1..=20).map(call_id).collect::<Vec<_>>());
}
