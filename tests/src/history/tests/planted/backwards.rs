//! Reads that go backwards, also from one device to another.

use super::{Fact, History, MarkerBack, Stale, chat, late, marker, page, refused, summary};

/// What was read is all that is known: nothing was acknowledged or heard by then.
fn reads_alone(history: &mut History) {
    let is_read = |fact: &Fact| !matches!(fact, Fact::Did(_) | Fact::Heard { .. });
    history.devices.iter_mut().for_each(|device| device.facts.retain(is_read));
}

#[test]
fn a_page_older_than_what_another_device_has_read_is_found() {
    let mut history = chat();
    reads_alone(&mut history);
    summary(&mut history, 0).ended = 80_000;
    let newest = summary(&mut history, 0).head.seq;
    let page = page(&mut history, 1);
    assert!(page.head.seq < newest);
    (page.began, page.ended) = (90_000, 90_001);
    refused(&history, Stale);
}

#[test]
fn a_marker_that_is_older_on_another_device_is_found() {
    let mut history = late();
    let moved = marker(&mut history, 1).ended;
    let mut other = history.devices[1].clone();
    other.facts.retain(|fact| matches!(fact, Fact::Summary(_)));
    let Some(Fact::Summary(summary)) = other.facts.first_mut() else { panic!("a summary") };
    (summary.began, summary.ended) = (moved + 1, moved + 2);
    history.devices.push(other);
    reads_alone(&mut history);
    refused(&history, MarkerBack);
}
