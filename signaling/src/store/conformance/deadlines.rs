//! Deadlines are leased to whoever works on them, and set anew by the next version.

use futures_util::future::join_all;
use protocol::CallId;

use super::super::{CallStore, Swapped};
use super::examples::{RING_MS, call_id, device, example, goes_on, hangs_up, joins, next};
use super::{Home, T0};
use crate::machine::Input;

const MANY: usize = 1_000;
const LEASE_MS: u64 = 1_000;

pub(crate) async fn nothing_is_leased_before_its_time(home: impl Home) {
    let store = home.store();
    assert_eq!(store.next_due().await, Ok(None));
    let call = example(1).starts(&home).await;
    assert_eq!(store.next_due().await, Ok(call.deadline()));
    home.advance(RING_MS - 1);
    assert_eq!(store.claim_due(LEASE_MS, MANY).await, Ok(vec![]));
    home.advance(1);
    assert_eq!(store.claim_due(LEASE_MS, MANY).await, Ok(vec![call.id]));
}

pub(crate) async fn a_deadline_is_leased_once_while_its_lease_lasts_and_again_afterwards(home: impl Home) {
    let store = home.store();
    let call = example(1).starts(&home).await;
    home.advance(RING_MS);
    assert_eq!(store.claim_due(LEASE_MS, MANY).await, Ok(vec![call.id]));
    assert_eq!(store.next_due().await, Ok(Some(T0 + RING_MS + LEASE_MS)));
    home.advance(LEASE_MS - 1);
    assert_eq!(store.claim_due(LEASE_MS, MANY).await, Ok(vec![]));
    // The worker has died: nothing is lost.
    home.advance(1);
    assert_eq!(store.claim_due(LEASE_MS, MANY).await, Ok(vec![call.id]));
    let over = goes_on(&home, &call, Input::Due).await;
    assert!(over.status.is_over());
    home.advance(LEASE_MS);
    assert_eq!(store.claim_due(LEASE_MS, MANY).await, Ok(vec![]));
    assert_eq!(store.next_due().await, Ok(None));
}

pub(crate) async fn what_was_due_first_is_leased_first(home: impl Home) {
    for n in [3, 1, 2] {
        example(n).starts(&home).await;
        home.advance(10);
    }
    home.advance(RING_MS);
    let mut order = Vec::new();
    for _ in 0..3 {
        order.extend(home.store().claim_due(LEASE_MS, 1).await.unwrap());
    }
    assert_eq!(order, [3, 1, 2].map(call_id));
    home.advance(LEASE_MS);
    assert_eq!(home.store().claim_due(LEASE_MS, 2).await.unwrap().len(), 2);
}

pub(crate) async fn the_next_version_sets_the_deadline_anew_whoever_leased_the_last_one(home: impl Home) {
    let store = home.store();
    let ringing = example(1).starts(&home).await;
    home.advance(RING_MS);
    assert_eq!(store.claim_due(10 * RING_MS, MANY).await, Ok(vec![ringing.id]));
    // Answered before whoever leased it came to it: their change is too late, and their lease is over.
    let (late, outputs) = next(&ringing, T0 + RING_MS, Input::Due);
    let call = goes_on(&home, &ringing, joins(1)).await;
    assert_eq!(store.swap(ringing.version, &late, &outputs).await, Ok(Swapped::Changed));
    assert_eq!(store.next_due().await, Ok(call.deadline()));
    let (later, lost) = (call.deadline(), Input::Lost { connection: device(1).connection });
    let call = goes_on(&home, &call, lost).await;
    assert!(call.deadline() < later);
    assert_eq!(store.next_due().await, Ok(call.deadline()), "it may also come earlier than the one before");
    home.advance(call.deadline().unwrap() - T0 - RING_MS);
    assert_eq!(store.claim_due(LEASE_MS, MANY).await, Ok(vec![call.id]));
    goes_on(&home, &call, hangs_up(&call)).await;
    assert_eq!(store.next_due().await, Ok(None));
}

pub(crate) async fn of_workers_at_once_each_leases_others(home: impl Home) {
    for n in 1..=20 {
        example(n).starts(&home).await;
    }
    home.advance(RING_MS);
    let leased = join_all((0..10).map(|_| home.store().claim_due(LEASE_MS, 3))).await;
    let mut leased: Vec<CallId> = leased.into_iter().flat_map(Result::unwrap).collect();
    leased.sort_unstable();
    assert_eq!(leased, (1..=20).map(call_id).collect::<Vec<_>>());
}
