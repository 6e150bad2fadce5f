//! Read and delivery markers, unread counts, and how they are told.

use futures_util::StreamExt;
use link::{Acknowledged, DeviceReport, Hint, Hints, Identity, Service};
use proptest::prelude::*;
use protocol::chat::{Members, ReadState};
use protocol::{ConversationId, ErrorCode, Seq, StreamId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::world::{Person, World, eventually};

async fn mark(world: &World, who: Person, to: ConversationId, seq: Seq) -> Result<ReadState, ErrorCode> {
    who.ask(world, "read.mark", Some(to), json!({ "seq": seq })).await
}

async fn unread(world: &World, who: Person, to: ConversationId) -> u64 {
    who.conversation(world, to).await.unwrap().unread
}

/// The next event of this name.
async fn next(hints: &mut Hints, name: &str) -> (Identity, Value) {
    loop {
        let Some(Hint::Event { event, .. }) = hints.next().await else { continue };
        if event.name == name {
            return (event.identity.clone(), serde_json::from_slice(&event.body).unwrap());
        }
    }
}

fn acknowledged(who: Person, to: ConversationId, seq: Seq) -> DeviceReport {
    let stream = StreamId::conversation(to);
    DeviceReport {
        gateway: Uuid::new_v4(),
        whole: true,
        opened: Vec::new(),
        closed: Vec::new(),
        acknowledged: vec![Acknowledged { user: who.id, stream, seq }],
    }
}

#[tokio::test]
async fn unread_is_what_others_sent_after_the_marker_deleted_or_not() {
    let world = World::new();
    let [owner, member] = world.people();
    let group = world.group(owner, &[member]).await;
    let first = owner.send(&world, group, "one").await.unwrap().position.seq;
    owner.send(&world, group, "two").await.unwrap();
    let last = owner.send(&world, group, "three").await.unwrap().position.seq;
    owner.act(&world, "messages.delete", group, json!({ "seq": last })).await.unwrap();
    assert_eq!((unread(&world, member, group).await, unread(&world, owner, group).await), (3, 0));
    let state = mark(&world, member, group, first).await.unwrap();
    assert_eq!((state.seq, state.number, state.unread), (first, 1, 2));
    assert_eq!(mark(&world, member, group, 1).await.unwrap(), state, "a marker only moves forward");
    assert_eq!(mark(&world, member, group, last + 2).await.unwrap_err(), ErrorCode::InvalidRequest);
    member.send(&world, group, "mine").await.unwrap();
    assert_eq!(unread(&world, member, group).await, 2, "it may have been written before what came meanwhile");
    assert_eq!(unread(&world, owner, group).await, 1);
}

#[tokio::test]
async fn a_moved_marker_is_an_entry_for_the_own_devices_and_a_register_for_the_others() {
    let world = World::new();
    let [owner, member] = world.people();
    let group = world.group(owner, &[member]).await;
    let seq = owner.send(&world, group, "one").await.unwrap().position.seq;
    let mut hints = world.chat.watch().await.unwrap();
    mark(&world, member, group, seq).await.unwrap();
    let (identity, moved) = next(&mut hints, "read.moved").await;
    assert!(matches!(identity, Identity::Entry { stream, .. } if stream == StreamId::user(member.id)));
    assert_eq!((&moved["seq"], &moved["number"]), (&json!(seq), &json!(1)));
    let (identity, changed) = next(&mut hints, "marker.changed").await;
    let Identity::Register { key, version } = identity else { panic!("a register") };
    assert_eq!(&*key, format!("marker:{group}:{}", member.id));
    assert_eq!((&changed["read_seq"], &changed["delivered_seq"]), (&json!(seq), &json!(seq)));
    let whole = world.chat.registers(owner.id).await.unwrap();
    assert!(whole.iter().any(|event| event.identity == Identity::Register { key: key.clone(), version }));
}

#[tokio::test]
async fn an_own_message_takes_the_marker_along_where_nothing_of_others_is_unread() {
    let world = World::new();
    let [owner, member] = world.people();
    let group = world.group(owner, &[member]).await;
    let before = owner.send(&world, group, "nothing unread").await.unwrap().position.seq;
    let seen = owner.conversation(&world, group).await.unwrap();
    assert_eq!((seen.read.seq, seen.unread), (before, 0), "it takes the marker along");
    member.send(&world, group, "meanwhile").await.unwrap();
    owner.send(&world, group, "written before that, sent late").await.unwrap();
    let seen = owner.conversation(&world, group).await.unwrap();
    assert_eq!((seen.read.seq, seen.unread), (before, 1));
    let read = mark(&world, owner, group, before + 1).await.unwrap();
    assert_eq!((read.number, read.own_number, read.unread), (2, 1, 0));
    let after = owner.send(&world, group, "nothing of others unread").await.unwrap().position.seq;
    let read = owner.conversation(&world, group).await.unwrap().read;
    assert_eq!((read.seq, read.number, read.own_number), (after, 4, 3), "over own messages it goes along again");
}

#[tokio::test]
async fn who_comes_back_counts_on_from_where_they_left() {
    let world = World::new();
    let [owner, member] = world.people();
    let group = world.group(owner, &[member]).await;
    owner.send(&world, group, "one").await.unwrap();
    member.send(&world, group, "late").await.unwrap();
    owner.on(&world, "members.kick", group, member).await.unwrap();
    owner.send(&world, group, "without them").await.unwrap();
    owner.act(&world, "members.invite", group, json!({ "users": [member.id] })).await.unwrap();
    let seen = member.conversation(&world, group).await.unwrap();
    assert_eq!((seen.own_number, seen.read.own_number, seen.unread), (1, 1, 0));
    let joined = world.log(StreamId::user(member.id)).await.pop().unwrap().1;
    assert_eq!((&joined["number"], &joined["own_number"]), (&json!(3), &json!(1)));
}

/// What a member of the property test does.
#[derive(Clone, Debug)]
enum Act {
    Send,
    /// Marks as read up to this share of what lies after the marker.
    Mark(f64),
    Delete,
}

fn acts() -> impl Strategy<Value = Vec<(usize, Act)>> {
    let act = prop_oneof![4 => Just(Act::Send), 3 => (0.0..=1.0).prop_map(Act::Mark), 1 => Just(Act::Delete)];
    proptest::collection::vec((0..3_usize, act), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_the_order_of_sends_and_marks_unread_is_what_a_scan_counts(acts in acts()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            let people: [Person; 3] = world.people();
            let group = world.group(people[0], &people[1..]).await;
            let mut authors: Vec<(Seq, Person)> = Vec::new();
            // Up to where each has surely read: their own words for it, and where they came in.
            let mut read = [2, 3, 4];
            for (who, act) in acts {
                let head = people[who].conversation(&world, group).await.unwrap().head.seq;
                match act {
                    Act::Send => {
                        let sent = people[who].send(&world, group, "x").await.unwrap();
                        authors.push((sent.position.seq, people[who]));
                    }
                    Act::Mark(share) => {
                        let seq = read[who] + ((head - read[who]) as f64 * share) as Seq;
                        mark(&world, people[who], group, seq).await.unwrap();
                        read[who] = seq;
                    }
                    Act::Delete => {
                        let own = authors.iter().rev().find(|(_, author)| *author == people[who]);
                        if let Some((seq, _)) = own {
                            let body = json!({ "seq": seq });
                            people[who].act(&world, "messages.delete", group, body).await.unwrap();
                        }
                    }
                }
                for (person, read) in people.iter().zip(read) {
                    let of_others = |(seq, author): &&(Seq, Person)| *seq > read && author != person;
                    let scanned = authors.iter().filter(of_others).count() as u64;
                    let seen = person.conversation(&world, group).await.unwrap();
                    assert_eq!(seen.unread, scanned, "{seen:?}");
                    let own = authors.iter().filter(|(_, author)| author == person).count() as u64;
                    assert_eq!(seen.own_number, own);
                }
            }
        });
    }
}

#[tokio::test]
async fn what_a_crash_left_untold_is_told_at_the_next_start() {
    let world = World::new();
    let [owner, member] = world.people();
    let group = world.group(owner, &[member]).await;
    let seq = owner.send(&world, group, "one").await.unwrap().position.seq;
    let user = member.id;
    // As it stands when the process ends between the marker's commit and its telling.
    world
        .chat
        .store()
        .write("memberships/test", move |tx| {
            tx.execute(
                "UPDATE memberships SET read_seq = ?1, read_number = 1, delivered_seq = ?1, untold = 1 WHERE user = ?2",
                rusqlite::params![seq as i64, user.as_bytes()],
            )
        })
        .await
        .unwrap();
    let world = world.restart().await;
    eventually("the entry stands in the user's log", || async {
        world.log(StreamId::user(member.id)).await.iter().any(|(name, _)| name == "read.moved")
    })
    .await;
}

#[tokio::test]
async fn what_devices_acknowledge_moves_the_delivery_marker_but_never_beyond_the_head() {
    let world = World::new();
    let [owner, member, stranger] = world.people();
    let group = world.group(owner, &[member]).await;
    let head = owner.send(&world, group, "one").await.unwrap().position.seq;
    let mut hints = world.chat.watch().await.unwrap();
    world.chat.devices(acknowledged(stranger, group, head)).await.unwrap();
    world.chat.devices(acknowledged(member, group, head + 100)).await.unwrap();
    let (_, changed) = next(&mut hints, "marker.changed").await;
    assert_eq!((&changed["user"], &changed["delivered_seq"]), (&json!(member.id), &json!(head)));
    let page: Members = owner.ask(&world, "members.list", Some(group), json!({})).await.unwrap();
    let seen = page.members.iter().find(|seen| seen.user == member.id).unwrap();
    assert_eq!((seen.delivered_seq, seen.read_seq), (Some(head), Some(seen.joined_seq)));
}

#[tokio::test]
async fn in_a_large_conversation_markers_are_counted() {
    let world = World::new();
    let owner = world.person();
    let members: Vec<_> = (0..60).map(|_| world.person()).collect();
    let group = world.group(owner, &members).await;
    let seq = owner.send(&world, group, "one").await.unwrap().position.seq;
    let mut hints = world.chat.watch().await.unwrap();
    mark(&world, members[0], group, seq).await.unwrap();
    let (_, counted) = next(&mut hints, "markers.counted").await;
    assert_eq!((&counted["seq"], &counted["read"], &counted["delivered"]), (&json!(seq), &json!(2), &json!(2)));
    let page: Members = owner.ask(&world, "members.list", Some(group), json!({})).await.unwrap();
    assert!(page.members.iter().all(|member| member.read_seq.is_none()));
    let whole = world.chat.registers(members[1].id).await.unwrap();
    assert!(whole.iter().any(|event| event.name == "markers.counted"));
}
