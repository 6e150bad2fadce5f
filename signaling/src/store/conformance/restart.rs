//! A process that ends leaves everything to the next one.

use super::super::{CallStore, Created};
use super::Home;
use super::examples::{Example, RING_MS, example, goes_on, hangs_up, joins, user};

const MANY: usize = 1_000;

pub(crate) async fn a_restart_loses_nothing(home: impl Home) {
    let over = example(1).starts(&home).await;
    let over = goes_on(&home, &over, hangs_up(&over)).await;
    let ringing = example(2).starts(&home).await;
    let active = goes_on(&home, &Example { by: 5, calls: 6, ..example(3) }.starts(&home).await, joins(6)).await;
    home.advance(RING_MS);
    let store = home.store();
    store.seen(user(1), over.id).await.unwrap();
    assert_eq!(store.claim_due(1_000, MANY).await, Ok(vec![ringing.id]));
    let claimed = store.claim_outputs(1_000, MANY).await.unwrap();

    let home = home.reopen().await;
    let store = home.store();
    for call in [&over, &ringing, &active] {
        assert_eq!(store.load(call.id).await.as_ref(), Ok(&Some(call.clone())));
    }
    assert_eq!(store.live(None, MANY).await, Ok(vec![ringing.clone(), active.clone()]));
    assert_eq!(store.over_since(0, MANY).await, Ok(vec![over.clone()]));
    assert_eq!(store.live_in(active.conversation).await, Ok(Some(active.id)));
    let (again, outputs) = Example { client_id: 1, ..example(9) }.at(active.version);
    assert_eq!(store.create(&again, &outputs).await, Ok(Created::Before(over.id)));
    let busy = store.busy(&[user(0), user(1), user(5), user(6)], None).await;
    assert_eq!(busy, Ok(vec![user(0), user(5), user(6)]));
    assert_eq!(store.history(user(1), None, MANY).await.unwrap().records, [over.record()]);
    assert_eq!(store.missed(user(1)).await, Ok(0));
    // Leases go on too: whoever holds one may live in another process.
    assert_eq!(store.claim_due(1_000, MANY).await, Ok(vec![]));
    assert_eq!(store.claim_outputs(1_000, MANY).await, Ok(vec![]));
    home.advance(1_000);
    assert_eq!(store.claim_due(1_000, MANY).await, Ok(vec![ringing.id]));
    let keys = |all: &[super::super::Pending]| all.iter().map(|pending| pending.key).collect::<Vec<_>>();
    assert_eq!(keys(&store.claim_outputs(1_000, MANY).await.unwrap()), keys(&claimed));
}
