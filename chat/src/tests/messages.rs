//! Sending, changing, deleting and reading back.

use protocol::accounts::Role;
use protocol::chat::{Messages, Revisions, Sent};
use protocol::{ClientId, ConversationId, ErrorCode, Seq};
use serde_json::{Value, json};

use super::world::{Person, World};

async fn edit(world: &World, who: Person, to: ConversationId, seq: Seq, text: &str) -> Result<Seq, ErrorCode> {
    who.act(world, "messages.edit", to, json!({ "seq": seq, "text": text, "client_id": ClientId::now() })).await
}

async fn history(world: &World, who: Person, to: ConversationId, body: Value) -> Messages {
    who.ask(world, "messages.list", Some(to), body).await.unwrap()
}

#[tokio::test]
async fn a_client_id_sent_again_gets_the_answer_of_the_first_also_after_all_else_has_changed() {
    let world = World::new();
    let [owner, member] = world.people();
    let group = world.group(owner, &[member]).await;
    let body = json!({ "client_id": ClientId::now(), "text": "once" });
    let first: Sent = member.ask(&world, "messages.send", Some(group), body.clone()).await.unwrap();
    owner.send(&world, group, "in between").await.unwrap();
    let again: Sent = member.ask(&world, "messages.send", Some(group), body.clone()).await.unwrap();
    assert_eq!(again, first);
    owner.act(&world, "messages.delete", group, json!({ "seq": first.position.seq })).await.unwrap();
    owner.on(&world, "members.kick", group, member).await.unwrap();
    let world = world.restart().await;
    let again: Sent = member.ask(&world, "messages.send", Some(group), body.clone()).await.unwrap();
    assert_eq!(again, first);
    // The id is the sender's own: with others it means nothing.
    let other: Sent = owner.ask(&world, "messages.send", Some(group), body).await.unwrap();
    assert_ne!(other.position, first.position);
}

#[tokio::test]
async fn texts_of_the_wrong_length_are_refused_and_the_longest_is_kept() {
    let world = World::new();
    let owner = world.person();
    let group = world.group(owner, &[]).await;
    for text in ["".to_owned(), " \n ".to_owned(), "x".repeat(4_001), "é".repeat(4_001), "a\0b".to_owned()] {
        assert_eq!(owner.send(&world, group, &text).await.unwrap_err(), ErrorCode::InvalidRequest);
    }
    let longest = "é".repeat(4_000);
    owner.send(&world, group, &longest).await.unwrap();
    assert_eq!(history(&world, owner, group, json!({})).await.messages[0].text, longest);
}

#[tokio::test]
async fn an_edit_shows_in_history_and_log_and_moderators_read_what_was_before() {
    let world = World::new();
    let [owner, member] = world.people();
    let moderator = world.person_with(Role::Moderator);
    let group = world.group(owner, &[member]).await;
    let seq = member.send(&world, group, "first").await.unwrap().position.seq;
    assert_eq!(edit(&world, owner, group, seq, "not mine").await, Err(ErrorCode::Forbidden));
    edit(&world, member, group, seq, "second").await.unwrap();
    edit(&world, member, group, seq, "third").await.unwrap();
    let shown = &history(&world, owner, group, json!({})).await.messages[0];
    assert_eq!((shown.text.as_str(), shown.revision, shown.edited_at.is_some()), ("third", 2, true));
    assert_eq!(world.conversation_log(group).await[seq as usize - 1].1["text"], "third");
    let target = json!({ "seq": seq });
    let refused = owner.ask::<Revisions>(&world, "messages.revisions", Some(group), target.clone()).await;
    assert_eq!(refused.unwrap_err(), ErrorCode::Forbidden);
    let former: Revisions = moderator.ask(&world, "messages.revisions", Some(group), target).await.unwrap();
    let texts: Vec<_> = former.revisions.iter().map(|revision| revision.text.as_str()).collect();
    assert_eq!(texts, ["first", "second"]);
}

#[tokio::test]
async fn the_same_edit_sent_again_makes_no_second_entry() {
    let world = World::new();
    let owner = world.person();
    let group = world.group(owner, &[]).await;
    let seq = owner.send(&world, group, "first").await.unwrap().position.seq;
    let body = json!({ "seq": seq, "text": "second", "client_id": ClientId::now() });
    let first = owner.act(&world, "messages.edit", group, body.clone()).await.unwrap();
    owner.send(&world, group, "in between").await.unwrap();
    assert_eq!(owner.act(&world, "messages.edit", group, body.clone()).await, Ok(first));
    let as_message = json!({ "client_id": body["client_id"], "text": "x" });
    let sent = owner.ask::<Sent>(&world, "messages.send", Some(group), as_message).await;
    assert_eq!(sent.unwrap_err(), ErrorCode::Conflict);
}

#[tokio::test]
async fn a_deleted_message_leaves_no_text_anywhere_but_with_moderators() {
    let world = World::new();
    let [owner, member, other] = world.people();
    let moderator = world.person_with(Role::Moderator);
    let group = world.group(owner, &[member, other]).await;
    let seq = member.send(&world, group, "secret one").await.unwrap().position.seq;
    edit(&world, member, group, seq, "secret two").await.unwrap();
    let target = json!({ "seq": seq });
    assert_eq!(other.act(&world, "messages.delete", group, target.clone()).await, Err(ErrorCode::Forbidden));
    member.act(&world, "messages.delete", group, target.clone()).await.unwrap();
    let head = owner.send(&world, group, "after").await.unwrap().position.seq;
    assert_eq!(member.act(&world, "messages.delete", group, target.clone()).await, Ok(head), "nothing had to change");
    assert_eq!(edit(&world, member, group, seq, "back").await, Err(ErrorCode::MessageDeleted));
    let log = format!("{:?}", world.conversation_log(group).await);
    assert!(!log.contains("secret"), "{log}");
    let shown = &history(&world, owner, group, json!({})).await.messages[0];
    assert_eq!((shown.text.as_str(), shown.deleted), ("", true));
    let former: Revisions = moderator.ask(&world, "messages.revisions", Some(group), target).await.unwrap();
    let texts: Vec<_> = former.revisions.iter().map(|revision| revision.text.as_str()).collect();
    assert_eq!(texts, ["secret one", "secret two"]);
}

#[tokio::test]
async fn owners_of_the_conversation_and_moderators_of_the_server_delete_what_others_wrote() {
    let world = World::new();
    let [owner, member] = world.people();
    let moderator = world.person_with(Role::Moderator);
    let group = world.group(owner, &[member]).await;
    for deleter in [owner, moderator] {
        let seq = member.send(&world, group, "bad").await.unwrap().position.seq;
        deleter.act(&world, "messages.delete", group, json!({ "seq": seq })).await.unwrap();
    }
    assert_eq!(moderator.conversation(&world, group).await.unwrap_err(), ErrorCode::NotFound);
    let no_message = json!({ "seq": 1 });
    assert_eq!(owner.act(&world, "messages.delete", group, no_message).await, Err(ErrorCode::NotFound));
}

#[tokio::test]
async fn one_replies_to_a_message_that_one_sees() {
    let world = World::new();
    let [owner, late] = world.people();
    let group = world.group(owner, &[]).await;
    let before = owner.send(&world, group, "before").await.unwrap().position.seq;
    owner.act(&world, "members.invite", group, json!({ "users": [late.id] })).await.unwrap();
    let reply = |who: Person, to: Seq| {
        let body = json!({ "client_id": ClientId::now(), "text": "re", "reply_to": to });
        let world = &world;
        async move { who.ask::<Sent>(world, "messages.send", Some(group), body).await.map(|sent| sent.position.seq) }
    };
    reply(owner, before).await.unwrap();
    assert_eq!(reply(late, before).await, Err(ErrorCode::NotFound), "it stands before their membership");
    assert_eq!(reply(owner, 1).await, Err(ErrorCode::NotFound), "it is no message");
    assert_eq!(reply(owner, protocol::SEQ_MAX).await, Err(ErrorCode::NotFound));
    assert_eq!(reply(owner, u64::MAX).await, Err(ErrorCode::InvalidRequest), "no log ever gets there");
}

#[tokio::test]
async fn pages_of_history_meet_without_gap_or_overlap_in_both_directions_and_around() {
    let world = World::new();
    let owner = world.person();
    let group = world.group(owner, &[]).await;
    let mut sent = Vec::new();
    for n in 0..23 {
        let seq = owner.send(&world, group, &format!("{n}")).await.unwrap().position.seq;
        sent.push(seq);
        if n % 3 == 0 {
            edit(&world, owner, group, seq, &format!("{n}!")).await.unwrap();
        }
    }
    let seqs = |page: &Messages| page.messages.iter().map(|message| message.seq).collect::<Vec<_>>();
    let (mut down, mut before) = (Vec::new(), None);
    loop {
        let page = history(&world, owner, group, json!({ "before": before, "limit": 5 })).await;
        down.splice(0..0, seqs(&page));
        before = down.first().copied();
        assert_eq!(page.more_after, down.len() > page.messages.len());
        if !page.more_before {
            break;
        }
    }
    assert_eq!(down, sent);
    let (mut up, mut after) = (Vec::new(), 0);
    loop {
        let page = history(&world, owner, group, json!({ "after": after, "limit": 4 })).await;
        assert_eq!(page.more_before, !up.is_empty());
        up.extend(seqs(&page));
        after = *up.last().unwrap();
        if !page.more_after {
            break;
        }
    }
    assert_eq!(up, sent);
    let around = history(&world, owner, group, json!({ "around": sent[10], "limit": 7 })).await;
    assert_eq!(seqs(&around), sent[7..14]);
    assert!(around.more_before && around.more_after);
    let both = owner.ask::<Messages>(&world, "messages.list", Some(group), json!({ "before": 1, "after": 1 })).await;
    assert_eq!(both.unwrap_err(), ErrorCode::InvalidRequest);
}
