//! Runs: entries that follow one another and are delivered as one block.

use super::*;

fn in_step(settings: &Settings, seq: Seq) -> Session {
    let mut session = open(settings, [seq; STREAMS]);
    assert!(session.meet(stream(0), seq));
    heard(&mut session);
    session
}

#[test]
fn a_run_is_queued_and_counted_as_one_block_and_wakes_the_writer_once() {
    let settings = settings(100_000);
    let mut session = in_step(&settings, 4);
    assert!(session.deliver(stream(0), 5, &Told::all(&run(stream(0), 5, 9))));
    assert!(!session.deliver(stream(0), 10, &Told::all(&run(stream(0), 10, 11))));
    let queued = session.pop().unwrap();
    assert_eq!(queued.kind, Kind::Entries { stream: stream(0), first: 5, count: 5 });
    assert_eq!(heard(&mut session), [10, 11]);
}

#[test]
fn a_run_that_meets_a_lagging_connection_is_heard_from_where_that_stands() {
    let settings = settings(100_000);
    for stands_after in 3..=8 {
        let mut session = in_step(&settings, 4);
        session.note(stream(0), 5);
        // It has read up to there from the log while the hub was still at 4; the run is 5 to 7.
        session.tracks.stand(stream(0), stands_after, None);
        session.meet(stream(0), 4);
        session.deliver(stream(0), 5, &Told::all(&run(stream(0), 5, 7)));
        let (expected, lags_from) = match stands_after {
            3 => (vec![], Some(4)),
            4 => (vec![5, 6, 7], None),
            5 => (vec![6, 7], None),
            6 => (vec![7], None),
            7 => (vec![], None),
            _ => (vec![], Some(9)),
        };
        assert_eq!((heard(&mut session), session.reads_from(stream(0))), (expected, lags_from), "after {stands_after}");
    }
}

#[test]
fn a_run_that_overtakes_a_connection_that_may_not_join_is_read_from_the_log() {
    let settings = settings(100_000);
    let mut session = in_step(&settings, 4);
    session.note_unproven(stream(0), 5);
    session.tracks.stand(stream(0), 6, None);
    session.meet(stream(0), 4);
    assert!(session.deliver(stream(0), 5, &Told::all(&run(stream(0), 5, 9))), "it reads on");
    assert_eq!((heard(&mut session), session.reads_from(stream(0))), (vec![], Some(7)));
}

#[test]
fn a_run_without_room_takes_what_waits_with_it_and_all_of_it_is_read_again() {
    let settings = settings(2_000);
    let mut session = in_step(&settings, 4);
    session.deliver(stream(0), 5, &Told::all(&run(stream(0), 5, 6)));
    let reply = session.codec().pong();
    session.say(reply);
    assert!(session.deliver(stream(0), 7, &Told::all(&run(stream(0), 7, 20))));
    assert_eq!(session.reads_from(stream(0)), Some(5));
    assert_eq!(session.pop().map(|queued| queued.kind), Some(Kind::Kept));
    assert!(session.is_drained());
    assert_eq!(session.acknowledge(stream(0), 6), None, "nothing of it was sent");
    assert_eq!(settings.budget.used(), 0);
}

#[test]
fn of_a_run_that_was_shed_behind_a_run_that_was_written_only_the_former_is_read_again() {
    let settings = settings(1_500);
    let mut session = in_step(&settings, 4);
    session.deliver(stream(0), 5, &Told::all(&run(stream(0), 5, 7)));
    assert_eq!(heard(&mut session), [5, 6, 7]);
    session.deliver(stream(0), 8, &Told::all(&run(stream(0), 8, 9)));
    session.deliver(stream(0), 10, &Told::all(&run(stream(0), 10, 30)));
    assert_eq!(session.reads_from(stream(0)), Some(8));
    assert_eq!(session.acknowledge(stream(0), 30), Some(7));
}

#[test]
fn what_is_acknowledged_of_a_run_is_not_read_again_at_the_resume() {
    let settings = settings(100_000);
    for (acknowledged, reads_from) in [(4, Some(5)), (5, Some(6)), (8, Some(9)), (9, None)] {
        let mut session = in_step(&settings, 4);
        session.deliver(stream(0), 5, &Told::all(&run(stream(0), 5, 9)));
        heard(&mut session);
        let proven = session.acknowledge(stream(0), acknowledged);
        assert_eq!(proven, (acknowledged > 4).then_some(acknowledged));
        session.park(0, Now::default());
        assert_eq!(session.reads_from(stream(0)), reads_from, "after {acknowledged}");
    }
}
