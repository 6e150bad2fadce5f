//! What is refused when a queue fills, and what still gets in.

use super::*;

#[test]
fn new_writes_are_refused_at_80_percent_of_the_queue_and_the_services_own_at_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(StoreOptions { write_queue_max: 10, ..options(&directory) }).unwrap();
    let release = hold_the_writer(&store);
    let queue = |store: &Store, until: usize| -> Vec<_> {
        let waiting = (store.queued_writes()..until).map(|number| {
            let store = store.clone();
            std::thread::spawn(move || store.write_now("note/add", move |tx| add(tx, &number.to_string())).unwrap())
        });
        let waiting = waiting.collect();
        while store.queued_writes() < until {
            std::thread::yield_now();
        }
        waiting
    };
    let new = queue(&store, 8);
    assert!(matches!(store.write_now("note/add", |tx| add(tx, "new")), Err(WriteError::Overloaded)));
    let own = queue(&store.for_own_work(), 10);
    let refused = store.for_own_work().write_now("note/add", |tx| add(tx, "own"));
    assert!(matches!(refused, Err(WriteError::Overloaded)));
    release.send(()).unwrap();
    for thread in new.into_iter().chain(own) {
        thread.join().unwrap();
    }
    assert_eq!(texts(&store).len(), 10);
}

#[tokio::test]
async fn new_reads_are_refused_at_80_percent_of_the_queue_and_the_services_own_at_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let mut small = options(&directory);
    (small.readers, small.read_queue_max, small.read_deadline) = (1, 5, Duration::from_secs(60));
    let store = Store::open(small).unwrap();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (begin, begun) = tokio::sync::oneshot::channel();
    let holding = store.clone();
    let holder = tokio::spawn(async move {
        let hold = move |_: &Connection| {
            begin.send(()).unwrap();
            held.recv().unwrap();
            Ok::<_, rusqlite::Error>(())
        };
        holding.read("note/hold", hold).await
    });
    begun.await.unwrap();
    let own = store.for_own_work();
    let ask = |store: &Store| {
        Box::pin({
            let store = store.clone();
            async move { store.read("note/ask", |_| Ok::<_, rusqlite::Error>(())).await }
        })
    };
    // A read takes its place when it is first polled.
    let mut waiting = Vec::new();
    for store in [&store, &store, &store, &store, &own] {
        let mut read = ask(store);
        assert!(futures_util::poll!(read.as_mut()).is_pending());
        waiting.push(read);
        if waiting.len() == 4 {
            assert!(matches!(ask(store).await, Err(ReadError::Overloaded)));
        }
    }
    assert!(matches!(ask(&own).await, Err(ReadError::Overloaded)));
    release.send(()).unwrap();
    holder.await.unwrap().unwrap();
    for read in waiting {
        read.await.unwrap();
    }
}
