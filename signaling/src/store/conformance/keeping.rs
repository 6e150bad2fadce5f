//! Calls are kept, found, and changed by compare-and-set.

use futures_util::future::join_all;
use protocol::calls::Media;

use super::super::{CallStore, Created, Swapped};
use super::examples::{
    Example, call_id, client_id, conversation, device, example, goes_on, hangs_up, joins, next, user,
};
use super::{Home, T0};
use crate::machine::{CallState, Input, Part};

const MANY: usize = 1_000;

pub(crate) async fn a_call_is_read_as_it_was_kept(home: impl Home) {
    let store = home.store();
    assert_eq!(store.now().await, Ok(T0));
    assert_eq!(store.load(call_id(1)).await, Ok(None));
    let call = example(1).starts(&home).await;
    assert_eq!(store.load(call.id).await, Ok(Some(call.clone())));
    assert_eq!(store.started(call.by, call.client_id).await, Ok(Some(call.id)));
    assert_eq!(store.live_in(call.conversation).await, Ok(Some(call.id)));
    let call = goes_on(&home, &call, joins(1)).await;
    assert_eq!(store.load(call.id).await, Ok(Some(call)));
}

pub(crate) async fn a_call_of_the_most_people_is_kept_too(home: impl Home) {
    let mut call = example(1).starts(&home).await;
    let part = Part { until: Some(T0 + 1_000), ..call.parts[&user(0)].clone() };
    call.parts.extend((0..128).map(|n| (user(n), part.clone())));
    let media = Media { audio: true, ..Media::default() };
    let call = goes_on(&home, &call, Input::Media { user: user(0), epoch: T0, media }).await;
    assert_eq!(home.store().load(call.id).await, Ok(Some(call.clone())));
    let over = goes_on(&home, &call, Input::End { by: user(0) }).await;
    assert_eq!(home.store().history(user(127), None, MANY).await.unwrap().records, [over.record()]);
}

pub(crate) async fn a_conversation_has_one_live_call(home: impl Home) {
    let call = example(1).starts(&home).await;
    let (other, outputs) = Example { conversation: 1, by: 1, calls: 0, ..example(2) }.at(T0);
    assert_eq!(home.store().create(&other, &outputs).await, Ok(Created::Taken(call.id)));
    assert_eq!(home.store().load(other.id).await, Ok(None));
    assert_eq!(home.store().started(other.by, other.client_id).await, Ok(None));
    assert_eq!(home.store().claim_outputs(1_000, MANY).await.unwrap().len(), 1, "only what the first one brought");
    example(3).starts(&home).await;
}

pub(crate) async fn of_a_hundred_who_start_at_once_one_does(home: impl Home) {
    let all: Vec<_> =
        (1..=100).map(|n| Example { conversation: 1, by: n, calls: n + 1, ..example(n) }.at(T0)).collect();
    let answers = join_all(all.iter().map(|(call, outputs)| home.store().create(call, outputs))).await;
    let live = home.store().live_in(conversation(1)).await.unwrap().expect("one is live");
    for ((call, _), answer) in all.iter().zip(answers) {
        let expected = if call.id == live { Created::Done } else { Created::Taken(live) };
        assert_eq!(answer, Ok(expected));
    }
    assert_eq!(home.store().live(None, MANY).await.unwrap().len(), 1);
}

pub(crate) async fn the_same_client_id_names_the_same_call(home: impl Home) {
    let call = example(1).starts(&home).await;
    let (again, outputs) = Example { client_id: 1, ..example(2) }.at(T0);
    assert_eq!(home.store().create(&again, &outputs).await, Ok(Created::Before(call.id)));
    goes_on(&home, &call, hangs_up(&call)).await;
    assert_eq!(home.store().create(&again, &outputs).await, Ok(Created::Before(call.id)), "also when it is over");
    assert_eq!(home.store().load(again.id).await, Ok(None));
    // Somebody else's is another.
    Example { client_id: 1, by: 5, calls: 6, ..example(3) }.starts(&home).await;
    assert_eq!(home.store().started(user(5), client_id(1)).await, Ok(Some(call_id(3))));
}

pub(crate) async fn a_call_that_is_over_from_the_start_takes_nobodys_place(home: impl Home) {
    let over = Example { busy: true, ..example(1) }.starts(&home).await;
    assert!(over.status.is_over());
    let store = home.store();
    assert_eq!(store.live_in(over.conversation).await, Ok(None));
    assert_eq!(store.next_due().await, Ok(None));
    assert_eq!(store.busy(&[user(0), user(1)], None).await, Ok(vec![]));
    assert_eq!(store.history(user(1), None, MANY).await.unwrap().records, [over.record()]);
    assert_eq!(store.missed(user(1)).await, Ok(0));
    assert_eq!(store.claim_outputs(1_000, MANY).await.unwrap().len(), 1, "its record is to be written");
    // Nor does one that is live keep it from being kept.
    Example { conversation: 1, ..example(2) }.starts(&home).await;
    Example { conversation: 1, busy: true, ..example(3) }.starts(&home).await;
    assert_eq!(store.live_in(over.conversation).await, Ok(Some(call_id(2))));
}

pub(crate) async fn a_change_judged_on_another_version_changes_nothing(home: impl Home) {
    let store = home.store();
    let first = example(1).starts(&home).await;
    let second = goes_on(&home, &first, joins(1)).await;
    let (due, queue) = (store.next_due().await, store.next_output().await);
    home.advance(5);
    for input in [hangs_up(&first), joins(1)] {
        let (stale, outputs) = next(&first, T0 + 10, input);
        for expected in [first.version, stale.version] {
            assert_eq!(store.swap(expected, &stale, &outputs).await, Ok(Swapped::Changed));
        }
    }
    assert_eq!(store.load(first.id).await, Ok(Some(second)));
    assert_eq!((store.next_due().await, store.next_output().await), (due, queue));
    assert_eq!(store.live_in(first.conversation).await, Ok(Some(first.id)));
    assert_eq!(store.history(user(0), None, MANY).await.unwrap().records, []);
    // Nor does a change of what is not there.
    let (unknown, _) = example(2).at(T0);
    let (unknown, outputs) = next(&unknown, T0, joins(1));
    assert_eq!(store.swap(T0, &unknown, &outputs).await, Ok(Swapped::Changed));
    assert_eq!(store.load(unknown.id).await, Ok(None));
}

pub(crate) async fn of_changes_at_once_one_wins(home: impl Home) {
    let call = example(1).starts(&home).await;
    let changes: Vec<_> = (0..50).map(|n| next(&call, T0 + 1 + n, joins(1))).collect();
    let answers = join_all(changes.iter().map(|(next, outputs)| home.store().swap(call.version, next, outputs))).await;
    let winners: Vec<&CallState> = changes
        .iter()
        .zip(answers)
        .filter(|(_, answer)| answer.clone().unwrap() == Swapped::Done)
        .map(|((next, _), _)| next)
        .collect();
    assert_eq!(winners.len(), 1);
    assert_eq!(home.store().load(call.id).await, Ok(Some(winners[0].clone())));
}

pub(crate) async fn what_is_over_frees_its_conversation_and_stays_over(home: impl Home) {
    let store = home.store();
    let call = example(1).starts(&home).await;
    let (joined, outputs) = next(&call, T0 + 9, joins(1));
    let over = goes_on(&home, &call, hangs_up(&call)).await;
    assert_eq!(store.load(call.id).await, Ok(Some(over.clone())));
    assert_eq!((store.live_in(call.conversation).await, store.next_due().await), (Ok(None), Ok(None)));
    assert_eq!(store.live(None, MANY).await, Ok(vec![]));
    // Nothing makes a version after the last one, nor one that is not newer.
    assert_ne!(store.swap(over.version, &joined, &outputs).await, Ok(Swapped::Done));
    assert_eq!(store.load(call.id).await, Ok(Some(over)));
    let call = Example { conversation: 1, ..example(2) }.starts(&home).await;
    assert_ne!(store.swap(call.version, &call, &[]).await, Ok(Swapped::Done));
}

pub(crate) async fn who_holds_a_place_is_busy_elsewhere(home: impl Home) {
    let store = home.store();
    let everyone = [user(0), user(1), user(2)];
    let call = Example { direct: false, ..example(1) }.starts(&home).await;
    assert_eq!(store.busy(&everyone, None).await, Ok(vec![user(0)]), "who is called holds no place yet");
    let call = goes_on(&home, &call, joins(1)).await;
    assert_eq!(store.busy(&everyone, None).await, Ok(vec![user(0), user(1)]));
    assert_eq!(store.busy(&everyone, Some(call.id)).await, Ok(vec![]));
    assert_eq!(store.busy(&everyone, Some(call_id(7))).await, Ok(vec![user(0), user(1)]));
    let call = goes_on(&home, &call, Input::Lost { connection: device(1).connection }).await;
    assert_eq!(store.busy(&everyone, None).await, Ok(vec![user(0), user(1)]), "a place that is kept is one");
    let call = goes_on(&home, &call, Input::Revoked { session: device(1).session }).await;
    assert_eq!(store.busy(&everyone, None).await, Ok(vec![user(0)]));
    let other = Example { calls: 3, ..example(2) }.starts(&home).await;
    assert_eq!(store.busy(&everyone, Some(other.id)).await, Ok(vec![user(0)]), "also who holds two");
    for call in [call, other] {
        goes_on(&home, &call, Input::End { by: user(0) }).await;
    }
    assert_eq!(store.busy(&everyone, None).await, Ok(vec![]));
}

pub(crate) async fn live_calls_are_listed_page_by_page(home: impl Home) {
    for n in [4, 2, 5, 1, 3] {
        let call = example(n).starts(&home).await;
        if n == 3 {
            goes_on(&home, &call, hangs_up(&call)).await;
        }
    }
    let mut pages = Vec::new();
    let mut after = None;
    loop {
        let page: Vec<_> = home.store().live(after, 2).await.unwrap().iter().map(|call| call.id).collect();
        let Some(last) = page.last() else { break };
        after = Some(*last);
        pages.push(page);
    }
    assert_eq!(pages, [[call_id(1), call_id(2)], [call_id(4), call_id(5)]]);
}
