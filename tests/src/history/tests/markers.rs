//! Where a read marker may stand: only over what its user asked to have marked, or wrote.

use protocol::chat::{ConversationKind, ReadMarker};

use super::model::{Model, conversation};
use super::planted::{reads_alone, summary};
use super::{accepted, refused};
use crate::history::History;
use crate::history::ViolationKind::{MarkerBack, Unread};
use crate::history::fact::{Fact, MarkerFact};

#[test]
fn own_messages_that_are_counted_as_unread_are_found() {
    let mut history = late();
    let summary = summary(&mut history, 1);
    assert_eq!((summary.unread, summary.own_number), (2, 1));
    summary.unread = 3;
    refused(&history, Unread);
    let mut history = late();
    *marker(&mut history, 1).unread.as_mut().unwrap() += 1;
    refused(&history, Unread);
}

#[test]
fn a_late_message_that_takes_the_marker_over_what_is_unread_is_found() {
    let mut history = late();
    let head = summary(&mut history, 1).head.seq;
    let summary = summary(&mut history, 1);
    // Everything agrees with itself; but nobody has marked the two messages as read.
    summary.read = ReadMarker { seq: head, number: 3, own_number: 1 };
    summary.unread = 0;
    history.devices[1].facts.retain(|fact| !matches!(fact, Fact::Marks(_) | Fact::Marker(_)));
    refused(&history, Unread);
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

/// Anna writes twice, then a message of Ben's comes that he had written before; he looks, and reads all.
fn late() -> History {
    let direct = conversation(0);
    let mut model = Model::new(2, 2);
    model.create(0, direct, ConversationKind::Direct, &[1]);
    model.send(0, direct, "one");
    model.send(0, direct, "two");
    model.send(1, direct, "written before");
    model.summary(1, direct);
    model.mark(1, direct);
    model.finish()
}

fn marker(history: &mut History, device: usize) -> &mut MarkerFact {
    let facts = history.devices[device].facts.iter_mut();
    facts.filter_map(|fact| if let Fact::Marker(marker) = fact { Some(marker) } else { None }).next().unwrap()
}

#[test]
fn a_marker_that_is_answered_in_the_moment_in_which_it_is_asked_for_is_accepted() {
    let mut history = late();
    let MarkerFact { ended, .. } = *marker(&mut history, 1);
    marker(&mut history, 1).began = ended;
    for fact in &mut history.devices[1].facts {
        if let Fact::Marks(asked) = fact {
            asked.began = ended;
        }
    }
    accepted(&history);
}
