//! Streams that the user has left: who comes back reads on from where their client stands.

use super::*;

/// What the client has named at the sync of a session that hears two of the streams.
fn named(seq: Seq) -> StreamPosition {
    StreamPosition { stream: stream(2), position: at(seq) }
}

fn outside(settings: &Settings) -> Session {
    let mut session = fresh(settings);
    let welcome = frame(&session);
    let head = |number| Head { stream: stream(number), position: at(4) };
    session.welcome(vec![head(0), head(1)], welcome);
    session
}

#[test]
fn who_comes_back_reads_on_from_where_the_client_stands() {
    let settings = settings(100_000);
    let mut session = outside(&settings);
    assert_eq!(session.name(&[named(7)]).unknown, [named(7)]);
    session.stands_outside(named(7));
    session.synced();
    assert_eq!(session.reads_from(stream(2)), None, "nothing is theirs to read there");
    assert!(session.joined(stream(2), 20), "there is something to read now");
    assert_eq!(session.reads_from(stream(2)), Some(8));
    assert!(session.comes_back(stream(2)), "a page that knows of no membership is older than this");
}

#[test]
fn who_came_back_while_the_position_was_looked_at_reads_on_from_there_too() {
    let settings = settings(100_000);
    let mut session = outside(&settings);
    session.joined(stream(2), 20);
    let event = entry(stream(2), 20);
    session.deliver(stream(2), 20, &Told::one(&event));
    session.stands_outside(named(7));
    session.synced();
    assert_eq!(session.reads_from(stream(2)), Some(8));
}

#[test]
fn who_comes_back_by_the_next_entry_is_pushed_it() {
    let settings = settings(100_000);
    let mut session = outside(&settings);
    session.stands_outside(named(7));
    session.synced();
    assert!(!session.joined(stream(2), 8));
    heard(&mut session);
    let event = entry(stream(2), 8);
    session.deliver(stream(2), 8, &Told::one(&event));
    assert_eq!(heard(&mut session), [8]);
}
