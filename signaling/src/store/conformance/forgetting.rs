//! States live for a day, history for as long as it is kept.

use protocol::limits::CALL_TTL_MS;

use super::super::{CallStore, OutputKey};
use super::examples::{Example, call_id, example, goes_on, hangs_up, user};
use super::{Home, T0};

const MANY: usize = 1_000;

pub(crate) async fn states_are_forgotten_after_a_day_and_what_they_left_is_not(home: impl Home) {
    let store = home.store();
    let calls = [1, 2, 3];
    for n in calls {
        let call = example(n).starts(&home).await;
        goes_on(&home, &call, hangs_up(&call)).await;
        home.advance(10);
    }
    let live = example(4).starts(&home).await;
    home.advance(CALL_TTL_MS - 11);
    assert_eq!(store.forget(0, 1).await, Ok(1), "at most so many");
    assert_eq!(store.forget(0, MANY).await, Ok(1), "the third one is over for a day less a moment");
    let kept = [store.load(call_id(1)).await, store.load(call_id(2)).await, store.load(call_id(3)).await];
    assert_eq!(kept.map(|call| call.unwrap().is_some()), [false, false, true]);
    assert_eq!(store.load(live.id).await, Ok(Some(live)));
    assert_eq!(store.forget(0, MANY).await, Ok(0));
    // What it left outlives it.
    let claimed = store.claim_outputs(1_000, MANY).await.unwrap();
    assert_eq!(claimed[0].key, OutputKey { call: call_id(1), version: T0, index: 0 });
    assert_eq!(store.history(user(1), None, MANY).await.unwrap().records.len(), 3);
    assert_eq!(store.missed(user(1)).await, Ok(3));
    // Its client id may be used once more.
    Example { client_id: 1, conversation: 1, ..example(5) }.starts(&home).await;
}

pub(crate) async fn history_is_forgotten_by_its_age(home: impl Home) {
    let store = home.store();
    for n in 1..=4 {
        let call = example(n).starts(&home).await;
        goes_on(&home, &call, hangs_up(&call)).await;
        home.advance(10);
    }
    assert_eq!(store.forget(T0 + 30, 2).await, Ok(2));
    assert_eq!(store.forget(T0 + 30, 2).await, Ok(1));
    for n in [0, 1] {
        let records = store.history(user(n), None, MANY).await.unwrap().records;
        assert_eq!(records.iter().map(|record| record.call).collect::<Vec<_>>(), [call_id(4)]);
    }
    assert_eq!(store.missed(user(1)).await, Ok(1));
    assert!(store.load(call_id(1)).await.unwrap().is_some(), "its state is not a day old");
}

pub(crate) async fn calls_that_were_over_lately_are_listed_the_latest_first(home: impl Home) {
    let store = home.store();
    for n in [2, 1, 3] {
        let call = example(n).starts(&home).await;
        goes_on(&home, &call, hangs_up(&call)).await;
        home.advance(10);
    }
    example(4).starts(&home).await;
    let over = async |since, limit| {
        store.over_since(since, limit).await.unwrap().iter().map(|call| call.id).collect::<Vec<_>>()
    };
    assert_eq!(over(T0, MANY).await, [3, 1, 2].map(call_id));
    assert_eq!(over(T0 + 10, MANY).await, [3, 1].map(call_id));
    assert_eq!(over(T0, 1).await, [call_id(3)]);
    assert_eq!(over(T0 + 21, MANY).await, []);
}
