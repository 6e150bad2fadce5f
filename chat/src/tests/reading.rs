//! Logs as gateways read them: positions, intervals, withheld ranges, hints.

use std::collections::BTreeSet;

use futures_util::StreamExt;
use link::{Change, Hint, Item, ReadRequest, Reader, Service, Standing};
use protocol::chat::Messages;
use protocol::{ClientId, ConversationId, Position, Seq, StreamId, Tag};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use serde_json::json;

use super::world::{Person, World};

/// What a user sees of a conversation: entries and withheld numbers, read in small pages; and where they stand at the end.
async fn seen(world: &World, who: Person, id: ConversationId) -> (BTreeSet<Seq>, BTreeSet<Seq>, Standing) {
    let (mut entries, mut withheld, mut after) = (BTreeSet::new(), BTreeSet::new(), Position::default());
    loop {
        let request = ReadRequest {
            stream: StreamId::conversation(id),
            reader: Reader::User(who.id),
            after: after.seq,
            tag: (after.seq > 0).then_some(after.tag),
            limit: 3,
        };
        let page = world.chat.read(request).await.unwrap();
        assert_ne!(page.standing, Standing::Reset);
        for item in &page.items {
            let (first, last) = match item {
                Item::Entry(event) => {
                    let (_, position) = event.position().unwrap();
                    entries.insert(position.seq);
                    (position.seq, position)
                }
                Item::Withheld { first, last } => {
                    withheld.extend(*first..=last.seq);
                    (*first, *last)
                }
            };
            assert_eq!(first, after.seq + 1, "a gap between items");
            after = last;
        }
        if page.items.is_empty() || after.seq >= page.head.seq {
            return (entries, withheld, page.standing);
        }
    }
}

#[tokio::test]
async fn a_reader_sees_exactly_the_entries_of_their_memberships() {
    let world = World::new();
    for seed in 0..20 {
        let mut random = SmallRng::seed_from_u64(seed);
        let [owner, guest] = world.people();
        let group = world.group(owner, &[]).await;
        let mut expected = BTreeSet::new();
        let mut is_in = false;
        for _ in 0..30 {
            if random.random_ratio(1, 4) {
                let seq = match is_in {
                    true => owner.on(&world, "members.kick", group, guest).await,
                    false => owner.act(&world, "members.invite", group, json!({ "users": [guest.id] })).await,
                };
                // Both the entry that lets in and the one that puts out are seen.
                expected.insert(seq.unwrap());
                is_in = !is_in;
            } else {
                let seq = owner.send(&world, group, "x").await.unwrap().position.seq;
                if is_in {
                    expected.insert(seq);
                }
            }
        }
        let (entries, withheld, standing) = seen(&world, guest, group).await;
        assert_eq!(entries, expected, "seed {seed}");
        assert!(withheld.is_disjoint(&entries));
        assert_eq!(standing, if is_in { Standing::Member } else { Standing::Gone });
        let (all, none, _) = seen(&world, owner, group).await;
        assert_eq!((all.len() as Seq, none.len()), (*all.last().unwrap(), 0));
    }
}

#[tokio::test]
async fn an_edit_is_for_those_who_see_the_message() {
    let world = World::new();
    let [owner, member, guest] = world.people();
    let group = world.group(owner, &[member]).await;
    let edit = async |seq: Seq, text: &str| {
        let body = json!({ "seq": seq, "text": text, "client_id": ClientId::now() });
        owner.act(&world, "messages.edit", group, body).await.unwrap()
    };
    let early = owner.send(&world, group, "early").await.unwrap().position.seq;
    let mut edits = vec![edit(early, "everybody sees it").await];
    let invite = json!({ "users": [guest.id] });
    owner.act(&world, "members.invite", group, invite.clone()).await.unwrap();
    let late = owner.send(&world, group, "late").await.unwrap().position.seq;
    edits.push(edit(early, "secret").await);
    edits.push(edit(late, "all who are in").await);
    owner.on(&world, "members.kick", group, guest).await.unwrap();
    edits.push(edit(early, "secret, with nobody who must not see it").await);
    owner.act(&world, "members.invite", group, invite).await.unwrap();
    edits.push(edit(late, "seen in the membership before").await);

    let (of_guest, withheld, _) = seen(&world, guest, group).await;
    let sees = edits.iter().map(|seq| of_guest.contains(seq)).collect::<Vec<_>>();
    assert_eq!(sees, [false, false, true, false, true]);
    assert!(withheld.contains(&edits[1]));
    let (of_member, none, _) = seen(&world, member, group).await;
    assert!(none.is_empty() && edits.iter().all(|seq| of_member.contains(seq)));

    // What gateways are told for all: only where everybody sees it.
    let page = world.page(StreamId::conversation(group), Reader::System, 0, 500).await;
    let by_rights = |seq: &Seq| match &page.items[*seq as usize - 1] {
        Item::Entry(event) => event.by_rights,
        Item::Withheld { .. } => panic!("the system sees everything"),
    };
    assert_eq!(edits.iter().map(by_rights).collect::<Vec<_>>(), [false, true, false, false, true]);
    let history: Messages = guest.ask(&world, "messages.list", Some(group), json!({})).await.unwrap();
    let texts: Vec<_> = history.messages.iter().map(|message| message.text.as_str()).collect();
    assert_eq!(texts, ["seen in the membership before"]);
}

#[tokio::test]
async fn a_position_of_another_log_is_told_so() {
    let world = World::new();
    let owner = world.person();
    let group = world.group(owner, &[]).await;
    let sent = owner.send(&world, group, "x").await.unwrap().position;
    let read = |after, tag| {
        let request = ReadRequest {
            stream: StreamId::conversation(group),
            reader: Reader::User(owner.id),
            after,
            tag,
            limit: 10,
        };
        let chat = &world.chat;
        async move { chat.read(request).await.unwrap() }
    };
    assert_eq!(read(sent.seq, Some(sent.tag)).await.standing, Standing::Member);
    let page = read(sent.seq, Some(Tag(sent.tag.0 ^ 1))).await;
    assert_eq!((page.standing, page.head, page.items.len()), (Standing::Reset, sent, 0));
    assert_eq!(read(sent.seq + 1, None).await.standing, Standing::Reset);
    assert_eq!(read(0, Some(Tag(7))).await.standing, Standing::Member);
}

#[tokio::test]
async fn who_was_never_in_reads_like_of_a_log_that_does_not_exist() {
    let world = World::new();
    let [owner, stranger] = world.people();
    let group = world.group(owner, &[]).await;
    let stream = StreamId::conversation(group);
    let absent = StreamId::conversation(ConversationId::now());
    let reader = Reader::User(stranger.id);
    assert_eq!(world.page(stream, reader, 0, 10).await, world.page(absent, reader, 0, 10).await);
    let of_owner = world.page(StreamId::user(owner.id), reader, 0, 10).await;
    assert_eq!((of_owner.standing, of_owner.items.len()), (Standing::Gone, 0));
}

#[tokio::test]
async fn a_user_hears_their_own_log_first_and_then_their_conversations() {
    let world = World::new();
    let [owner, member] = world.people();
    let empty = world.chat.subscriptions(member.id).await.unwrap();
    assert_eq!(empty.heads.len(), 1);
    assert_eq!(empty.heads[0].position, Position::default());
    let (first, second) = (world.group(owner, &[member]).await, world.group(owner, &[member]).await);
    let subscriptions = world.chat.subscriptions(member.id).await.unwrap();
    assert_eq!(subscriptions.epoch, world.chat.store().epoch());
    let streams: Vec<_> = subscriptions.heads.iter().map(|head| head.stream).collect();
    assert_eq!(streams[0], StreamId::user(member.id));
    assert_eq!(subscriptions.heads[0].position.seq, 2);
    assert!(streams.contains(&StreamId::conversation(first)) && streams.contains(&StreamId::conversation(second)));
    let absent = StreamId::conversation(ConversationId::now());
    let heads = world.chat.heads(vec![streams[1], absent, streams[0]]).await.unwrap();
    assert_eq!(heads, [subscriptions.heads[1], subscriptions.heads[0]]);
}

#[tokio::test]
async fn hints_come_in_the_order_of_the_logs_and_carry_what_they_do_to_the_audience() {
    let world = World::new();
    let [owner, member] = world.people();
    let mut hints = world.chat.watch().await.unwrap();
    let Some(Hint::Newest { number: 0, .. }) = hints.next().await else { panic!("the first item confirms") };
    let group = world.group(owner, &[member]).await;
    let sends = (0..50).map(|_| owner.send(&world, group, "x"));
    futures_util::future::join_all(sends).await;
    let kicked = owner.on(&world, "members.kick", group, member).await.unwrap();
    let (mut numbers, mut next) = (1.., 1);
    let mut left = Vec::new();
    while left.len() < 2 {
        let Some(hint) = hints.next().await else { panic!("the hints end") };
        let Hint::Event { number, event, .. } = hint else { continue };
        assert_eq!(Some(number), numbers.next());
        let Some((stream, position)) = event.position() else { continue };
        if stream == StreamId::conversation(group) {
            assert_eq!(position.seq, next);
            next += 1;
        }
        left.extend(event.effects.iter().filter(|effect| effect.change == Change::Left).copied());
    }
    assert_eq!(left[0], left[1], "the same effect stands in the conversation's log and in the user's");
    assert_eq!((left[0].user, left[0].at.seq), (member.id, kicked));
}

#[tokio::test]
async fn a_page_ends_before_it_grows_too_large() {
    let world = World::new();
    let owner = world.person();
    let group = world.group(owner, &[]).await;
    let text = "x".repeat(4_000);
    let sends = (0..100).map(|_| owner.send(&world, group, &text));
    futures_util::future::join_all(sends).await;
    let page = world.page(StreamId::conversation(group), Reader::System, 0, 500).await;
    let bytes: usize =
        page.items.iter().map(|item| if let Item::Entry(event) = item { event.body.len() } else { 0 }).sum();
    assert!(page.items.len() < 100 && bytes < 300 * 1_024, "{} items, {bytes} bytes", page.items.len());
}
