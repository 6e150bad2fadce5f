//! What users have behind them, and what of it they missed.

use super::super::{CallStore, History};
use super::Home;
use super::examples::{Example, call_id, example, goes_on, hangs_up, joins, user};
use crate::machine::{CallState, Input};

const MANY: usize = 1_000;

/// User 0 calls user 1 and hangs up.
async fn missed(home: &impl Home, n: u128) -> CallState {
    let call = example(n).starts(home).await;
    home.advance(10);
    goes_on(home, &call, hangs_up(&call)).await
}

pub(crate) async fn a_call_that_is_over_stands_in_everyones_history(home: impl Home) {
    let store = home.store();
    let call = Example { direct: false, ..example(1) }.starts(&home).await;
    let call = goes_on(&home, &call, joins(1)).await;
    for n in 0..4 {
        assert_eq!(store.history(user(n), None, MANY).await, Ok(History::default()), "it goes on");
    }
    let over = goes_on(&home, &call, Input::End { by: user(0) }).await;
    for n in 0..3 {
        let history = store.history(user(n), None, MANY).await;
        assert_eq!(history, Ok(History { records: vec![over.record()], more: false }));
    }
    assert_eq!(store.history(user(3), None, MANY).await, Ok(History::default()));
}

pub(crate) async fn history_is_read_page_by_page_the_latest_first(home: impl Home) {
    for n in [2, 1, 4, 3, 5] {
        missed(&home, n).await;
    }
    Example { by: 7, calls: 8, busy: true, ..example(6) }.starts(&home).await;
    let mut pages = Vec::new();
    let mut before = None;
    loop {
        let page = home.store().history(user(1), before, 2).await.unwrap();
        let calls: Vec<_> = page.records.iter().map(|record| record.call).collect();
        before = calls.last().copied();
        pages.push(calls);
        if !page.more {
            break;
        }
    }
    assert_eq!(pages, [vec![call_id(5), call_id(4)], vec![call_id(3), call_id(2)], vec![call_id(1)]]);
    assert_eq!(home.store().history(user(1), Some(call_id(1)), 2).await, Ok(History::default()));
    let all = home.store().history(user(1), None, 5).await.unwrap();
    assert_eq!((all.records.len(), all.more), (5, false));
}

pub(crate) async fn missed_calls_count_until_they_are_seen(home: impl Home) {
    let store = home.store();
    for n in 1..=3 {
        missed(&home, n).await;
    }
    let answered = goes_on(&home, &example(4).starts(&home).await, joins(1)).await;
    goes_on(&home, &answered, hangs_up(&answered)).await;
    assert_eq!((store.missed(user(1)).await, store.missed(user(0)).await), (Ok(3), Ok(0)));
    store.seen(user(1), call_id(2)).await.unwrap();
    assert_eq!(store.missed(user(1)).await, Ok(1));
    // Another device that looked earlier and was heard later takes nothing back.
    store.seen(user(1), call_id(1)).await.unwrap();
    assert_eq!(store.missed(user(1)).await, Ok(1));
    store.seen(user(1), call_id(4)).await.unwrap();
    assert_eq!(store.missed(user(1)).await, Ok(0));
    missed(&home, 5).await;
    assert_eq!(store.missed(user(1)).await, Ok(1));
    assert_eq!(store.history(user(1), None, MANY).await.unwrap().records.len(), 5, "what was seen stays");
}
