//! One small chat, and one fault in it at a time.

use protocol::calls::{CallKind, CallRecord, CallStatus};
use protocol::chat::{ConversationKind, Leaving, ListMessages, MemberRole};
use protocol::{CallId, ClientId, ErrorCode, Position, Seq, StreamId, Tag};
use uuid::Uuid;

use super::model::{Model, conversation, user};
use super::{accepted, refused};
use crate::history::ViolationKind::{
    Differs, DoneThoughRefused, Double, Forged, Illegal, Leak, Loss, MarkerBack, Numbering, Reorder, Reset, Stale,
    Unread, WrongRead, WronglyRefused, WronglyWithheld,
};
use crate::history::content::{Content, LogEntry, TextHash};
use crate::history::fact::{Fact, Operation, Outcome, PageFact, Seen, SummaryFact, Verb};
use crate::history::{Device, History};

/// Anna (0) makes a group with Ben (1) and Cleo (2); they talk; Cleo is removed, and comes back.
///
/// 1 created, 2 to 4 joined, 5 to 8 messages (Anna, Ben, Anna, Cleo), 9 an edit of 5, 10 Cleo is removed, 11 and 12 messages (Anna,
/// Ben), 13 Cleo is back, 14 a message (Cleo), 15 message 12 is deleted.
fn chat() -> History {
    let group = conversation(0);
    let mut model = Model::new(1, 3);
    model.create(0, group, ConversationKind::Group, &[1, 2]);
    model.send(0, group, "one");
    model.send(1, group, "two");
    model.hear(1, group, 4);
    model.send(0, group, "three");
    model.send(2, group, "four");
    model.edit(0, group, 5, "one, better");
    model.page(1, group, ListMessages::default());
    model.remove(0, group, 2, Leaving::Kicked);
    model.send(0, group, "five");
    model.send(1, group, "six");
    model.hear(2, group, 20);
    model.invite(0, group, 2);
    model.summary(2, group);
    model.send(2, group, "seven");
    model.mark(0, group);
    model.delete(1, group, 12);
    model.page(2, group, ListMessages { limit: Some(3), ..ListMessages::default() });
    model.summary(0, group);
    model.list(1);
    let mut history = model.finish();
    // What is looked for below has answers.
    for device in &mut history.devices {
        for fact in &mut device.facts {
            if let Fact::Did(operation) = fact {
                let seq = made_by(&history.logs[&group], &operation.verb).unwrap();
                operation.outcome = Outcome::Done(history.logs[&group][seq as usize - 1].position);
            }
        }
    }
    history
}

fn made_by(log: &[LogEntry], verb: &Verb) -> Option<Seq> {
    let is_it = |content: &Content, came_back: bool| match (verb, content) {
        (Verb::Send { client_id, .. }, Content::Message(message)) => message.client_id == *client_id,
        (Verb::Edit { .. }, Content::Edited { .. }) | (Verb::Kick { .. }, Content::Left { .. }) => true,
        (Verb::Delete { .. }, Content::Deleted { .. }) => true,
        (Verb::Create, Content::Joined { .. }) => !came_back,
        (Verb::Invite { .. }, Content::Joined { .. }) => came_back,
        _ => false,
    };
    log.iter().rfind(|entry| is_it(&entry.content, entry.position.seq > 4)).map(|entry| entry.position.seq)
}

fn log(history: &mut History) -> &mut Vec<LogEntry> {
    history.logs.get_mut(&conversation(0)).unwrap()
}

/// The content of an entry, to be changed.
fn content(history: &mut History, seq: Seq) -> &mut Content {
    &mut log(history)[seq as usize - 1].content
}

fn operation(history: &mut History, wanted: impl Fn(&Verb) -> bool) -> &mut Operation {
    let facts = history.devices.iter_mut().flat_map(|device| &mut device.facts);
    let mut operations = facts.filter_map(|fact| match fact {
        Fact::Did(operation) if wanted(&operation.verb) => Some(operation),
        _ => None,
    });
    operations.next().unwrap()
}

/// Where the device heard this entry.
fn heard(device: &Device, seq: Seq) -> usize {
    let is_it =
        |fact: &Fact| matches!(fact, Fact::Heard { seen: Seen::Entry { position, .. }, .. } if position.seq == seq);
    device.facts.iter().position(is_it).unwrap()
}

fn page(history: &mut History, device: usize) -> &mut PageFact {
    let facts = history.devices[device].facts.iter_mut();
    facts.filter_map(|fact| if let Fact::Page(page) = fact { Some(page) } else { None }).next().unwrap()
}

pub(super) fn summary(history: &mut History, device: usize) -> &mut SummaryFact {
    let facts = history.devices[device].facts.iter_mut();
    facts.filter_map(|fact| if let Fact::Summary(summary) = fact { Some(summary) } else { None }).next().unwrap()
}

fn append(history: &mut History, content: Content) {
    let log = log(history);
    let position = Position { seq: log.len() as Seq + 1, tag: Tag(7) };
    log.push(LogEntry { position, at: 0, content });
    for device in &mut history.devices {
        device.in_step = false;
    }
}

#[test]
fn the_chat_itself_is_accepted() {
    let stats = accepted(&chat());
    assert_eq!(stats.entries, 15);
    assert_eq!(stats.acknowledged, 12);
}

#[test]
fn an_acknowledged_message_that_is_gone_is_found() {
    let mut history = chat();
    log(&mut history).truncate(13);
    refused(&history, Loss);
}

#[test]
fn a_hole_in_the_log_is_found() {
    let mut history = chat();
    log(&mut history).remove(6);
    refused(&history, Numbering);
}

#[test]
fn an_entry_that_a_device_missed_is_found() {
    let mut history = chat();
    let at = heard(&history.devices[1], 7);
    history.devices[1].facts.remove(at);
    refused(&history, Loss);
}

#[test]
fn the_last_entry_that_a_device_missed_is_found() {
    let mut history = chat();
    let at = heard(&history.devices[1], 15);
    history.devices[1].facts.remove(at);
    refused(&history, Loss);
    history.devices[1].in_step = false;
    accepted(&history);
}

#[test]
fn an_entry_told_twice_is_found() {
    let mut history = chat();
    let at = heard(&history.devices[1], 7);
    let again = history.devices[1].facts[at].clone();
    history.devices[1].facts.insert(at + 2, again);
    refused(&history, Double);
}

#[test]
fn a_message_stored_twice_is_found() {
    let mut history = chat();
    let Content::Message(mut message) = content(&mut history, 6).clone() else { panic!("a message") };
    message.number = 8;
    append(&mut history, Content::Message(message));
    refused(&history, Double);
}

#[test]
fn entries_told_in_another_order_are_found() {
    let mut history = chat();
    let (one, two) = (heard(&history.devices[0], 6), heard(&history.devices[0], 7));
    history.devices[0].facts.swap(one, two);
    refused(&history, Double);
}

#[test]
fn who_asked_later_and_stands_earlier_is_found() {
    let mut history = chat();
    let first = operation(&mut history, |verb| matches!(verb, Verb::Send { .. }));
    (first.began, first.ended) = (90_000, 90_001);
    refused(&history, Reorder);
}

#[test]
fn a_page_older_than_what_was_acknowledged_is_found() {
    let mut history = chat();
    page(&mut history, 1).began = 90_000;
    page(&mut history, 1).ended = 90_001;
    refused(&history, Stale);
}

/// What was read is all that is known: nothing was acknowledged or heard by then.
pub(super) fn reads_alone(history: &mut History) {
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
fn a_list_without_a_conversation_is_found() {
    let mut history = chat();
    for fact in &mut history.devices[1].facts {
        if let Fact::List(list) = fact {
            list.conversations.clear();
        }
    }
    refused(&history, Stale);
}

#[test]
fn a_wrong_unread_count_is_found() {
    let mut history = chat();
    summary(&mut history, 0).unread += 1;
    refused(&history, Unread);
}

#[test]
fn a_marker_that_goes_back_is_found() {
    let mut history = chat();
    let head = history.logs[&conversation(0)][14].position;
    let summary = summary(&mut history, 0);
    (summary.began, summary.ended, summary.head) = (90_000, 90_001, head);
    (summary.read.seq, summary.read.number, summary.unread) = (5, 1, 6);
    refused(&history, MarkerBack);
}

#[test]
fn an_entry_told_to_somebody_who_was_out_is_found() {
    let mut history = chat();
    let at = heard(&history.devices[1], 11);
    let told = history.devices[1].facts[at].clone();
    let after = heard(&history.devices[2], 10);
    history.devices[2].facts.insert(after + 1, told);
    refused(&history, Leak);
}

#[test]
fn an_edit_told_to_somebody_who_does_not_see_the_message_is_found() {
    let group = conversation(0);
    let mut model = Model::new(3, 3);
    model.create(0, group, ConversationKind::Group, &[1]);
    let seq = model.send(0, group, "before Cleo came");
    model.send(1, group, "one more");
    model.invite(0, group, 2);
    model.edit(0, group, seq, "still before");
    let mut history = model.finish();
    accepted(&history);
    let edit = history.logs[&group].last().unwrap().clone();
    let told = history.devices[2].facts.last_mut().unwrap();
    let Fact::Heard { seen, .. } = told else { panic!("heard") };
    let (stream, position) = (StreamId::conversation(group), edit.position);
    assert!(matches!(seen, Seen::Withheld { first, .. } if *first == position.seq), "{seen:?}");
    *seen = Seen::Entry { stream, position, content: Some(edit.content), body: TextHash::of("") };
    refused(&history, Leak);
}

#[test]
fn a_message_read_by_somebody_who_was_out_is_found() {
    let mut history = chat();
    let Content::Message(message) = content(&mut history, 11).clone() else { panic!("a message") };
    let page = page(&mut history, 2);
    let place = page.messages.partition_point(|(seq, _)| *seq < 11);
    page.messages.insert(place, (11, message));
    refused(&history, Leak);
}

#[test]
fn a_withheld_entry_that_is_theirs_to_see_is_found() {
    let mut history = chat();
    let stream = StreamId::conversation(conversation(0));
    let last = history.logs[&conversation(0)][6].position;
    let at = heard(&history.devices[1], 7);
    let Fact::Heard { seen, .. } = &mut history.devices[1].facts[at] else { panic!("heard") };
    *seen = Seen::Withheld { stream, first: 7, last };
    refused(&history, WronglyWithheld);
}

#[test]
fn a_page_that_leaves_a_message_out_or_shows_an_old_text_is_found() {
    let mut history = chat();
    page(&mut history, 1).messages.remove(1);
    refused(&history, WrongRead);
    let mut history = chat();
    page(&mut history, 1).messages[0].1.revision = 0;
    refused(&history, WrongRead);
}

#[test]
fn another_text_or_tag_than_the_logs_is_found() {
    let mut history = chat();
    let at = heard(&history.devices[2], 6);
    let Fact::Heard { seen: Seen::Entry { content: Some(Content::Message(message)), .. }, .. } =
        &mut history.devices[2].facts[at]
    else {
        panic!("a message")
    };
    message.text = TextHash::of("forged");
    refused(&history, Differs);

    let mut history = chat();
    log(&mut history)[6].position.tag.0 ^= 1;
    refused(&history, Differs);
}

#[test]
fn an_entry_that_nobody_asked_for_is_found() {
    let mut history = chat();
    let Content::Message(mut message) = content(&mut history, 6).clone() else { panic!("a message") };
    (message.number, message.client_id) = (8, ClientId(Uuid::from_u128(999)));
    append(&mut history, Content::Message(message));
    refused(&history, Forged);
}

#[test]
fn what_was_refused_and_is_there_is_found() {
    let mut history = chat();
    operation(&mut history, |verb| matches!(verb, Verb::Send { .. })).outcome = Outcome::Refused(ErrorCode::Overloaded);
    refused(&history, DoneThoughRefused);
}

#[test]
fn a_members_send_refused_as_not_found_is_found() {
    let mut history = chat();
    log(&mut history).truncate(14);
    for device in &mut history.devices {
        let is_delete = |fact: &Fact| matches!(fact, Fact::Did(op) if matches!(op.verb, Verb::Delete { .. }));
        device.facts.retain(|fact| !is_delete(fact));
    }
    let text = TextHash::of("refused");
    let verb = Verb::Send { client_id: ClientId(Uuid::from_u128(998)), text, reply_to: None };
    let outcome = Outcome::Refused(ErrorCode::NotFound);
    let (began, ended) = (80_000, 80_001);
    let refusal = Operation { began, ended, conversation: conversation(0), verb, outcome };
    history.devices[1].facts.push(Fact::Did(refusal));
    refused(&history, WronglyRefused);
}

#[test]
fn a_reset_of_the_same_log_is_found() {
    let mut history = chat();
    history.devices[1].facts.push(Fact::Heard { at: 90_000, seen: Seen::ResetAll });
    history.devices[1].in_step = false;
    refused(&history, Reset);
    history.restored = true;
    accepted(&history);
}

#[test]
fn entries_that_the_log_itself_forbids_are_found() {
    let (anna, ben, cleo) = (user(0), user(1), user(2));
    let message = |history: &mut History, by| {
        let Content::Message(mut message) = content(history, 6).clone() else { panic!("a message") };
        (message.by, message.number) = (by, 8);
        message.client_id = ClientId(Uuid::from_u128(997));
        Content::Message(message)
    };
    let gone = move |history: &mut History| {
        append(history, Content::Left { user: cleo, how: Leaving::Banned, by: anna });
    };
    type Forbid<'f> = Box<dyn Fn(&mut History) + 'f>;
    let forbidden: Vec<Forbid<'_>> = vec![
        // A send of somebody who was removed.
        Box::new(move |history| {
            gone(history);
            let late = message(history, cleo);
            append(history, late);
        }),
        // Somebody banned is invited.
        Box::new(move |history| {
            gone(history);
            append(history, Content::Joined { user: cleo, role: MemberRole::Member, by: anna });
        }),
        // A plain member removes somebody.
        Box::new(move |history| append(history, Content::Left { user: cleo, how: Leaving::Kicked, by: ben })),
        // The last owner leaves, or is demoted.
        Box::new(move |history| append(history, Content::Left { user: anna, how: Leaving::Left, by: anna })),
        Box::new(move |history| append(history, Content::Role { user: anna, role: MemberRole::Admin, by: anna })),
        // An edit of a deleted message, of somebody else's message, with a wrong revision.
        Box::new(move |history| append(history, edited(12, 1, ben))),
        Box::new(move |history| append(history, edited(5, 2, ben))),
        Box::new(move |history| append(history, edited(5, 3, anna))),
        // A second delete, and one by somebody who may not.
        Box::new(move |history| append(history, Content::Deleted { target: 12, by: ben })),
        Box::new(move |history| append(history, Content::Deleted { target: 5, by: ben })),
        // A wrong running number.
        Box::new(move |history| {
            let Content::Message(message) = content(history, 14) else { panic!("a message") };
            message.number = 9;
        }),
        // A plain member renames it; a second creation.
        Box::new(move |history| append(history, Content::Updated { title: TextHash::of("x"), by: ben })),
        Box::new(move |history| {
            append(history, Content::Created { kind: ConversationKind::Group, title: None, by: anna });
        }),
        // The record of a call twice, and one of a call that goes on.
        Box::new(move |history| {
            append(history, called(CallStatus::Ended, anna));
            append(history, called(CallStatus::Ended, anna));
        }),
        Box::new(move |history| append(history, called(CallStatus::Active, anna))),
    ];
    for forbid in forbidden {
        let mut history = chat();
        forbid(&mut history);
        refused(&history, Illegal);
    }
}

#[test]
fn a_call_that_is_over_leaves_its_record() {
    let mut history = chat();
    append(&mut history, called(CallStatus::Missed, user(0)));
    accepted(&history);
}

fn called(status: CallStatus, by: protocol::UserId) -> Content {
    Content::Called(Box::new(CallRecord {
        call: CallId(Uuid::from_u128(996)),
        conversation: conversation(0),
        kind: CallKind::Audio,
        status,
        failure: None,
        by,
        created_at: 1,
        answered_at: None,
        ended_at: 2,
        duration_ms: 0,
        participants: Vec::new(),
    }))
}

fn edited(target: Seq, revision: u32, by: protocol::UserId) -> Content {
    Content::Edited { target, text: TextHash::of("x"), revision, by, client_id: ClientId(Uuid::from_u128(996)) }
}
