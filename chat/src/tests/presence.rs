//! Presence through the service: who hears of whom, and what is remembered.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::StreamExt;
use link::{Audience, Device, DeviceReport, Event, Hint, Hints, Identity, Service};
use protocol::accounts::Done;
use protocol::chat::{Presence, PresenceState, Presences};
use protocol::{ConnectionId, ErrorCode, UserId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::world::{Person, World, eventually};

pub(super) fn report(gateway: Uuid, whole: bool, opened: &[Person], closed: &[Person]) -> DeviceReport {
    let device = |person: &Person| Device {
        user: person.id,
        session: person.session,
        connection: ConnectionId(person.session.0),
    };
    let devices = |people: &[Person]| people.iter().map(device).collect();
    DeviceReport { gateway, whole, opened: devices(opened), closed: devices(closed), acknowledged: Vec::new() }
}

async fn next(hints: &mut Hints, name: &str) -> Arc<Event> {
    loop {
        let Some(Hint::Event { event, .. }) = hints.next().await else { continue };
        if event.name == name {
            return event;
        }
    }
}

/// The next event about anybody that is told to anybody.
async fn next_told(hints: &mut Hints) -> Arc<Event> {
    loop {
        let event = next(hints, "presence.changed").await;
        if !hearers(&event).is_empty() {
            return event;
        }
    }
}

/// The next event about this person.
pub(super) async fn next_of(hints: &mut Hints, who: Person) -> Arc<Event> {
    loop {
        let event = next(hints, "presence.changed").await;
        if presence(&event).user == who.id {
            return event;
        }
    }
}

pub(super) fn presence(event: &Arc<Event>) -> Presence {
    serde_json::from_slice(&event.body).unwrap()
}

pub(super) async fn get(world: &World, who: Person, of: Person) -> Vec<Presence> {
    who.ask::<Presences>(world, "presence.get", None, json!({ "users": [of.id] })).await.unwrap().presences
}

#[tokio::test]
async fn only_who_shares_a_conversation_hears_and_sees() {
    let world = World::new();
    let [one, other, stranger] = world.people();
    world.direct(one, other).await;
    let mut hints = world.chat.watch().await.unwrap();
    let gateway = Uuid::new_v4();
    assert!(world.chat.devices(report(gateway, false, &[], &[])).await.unwrap().resend);
    assert!(!world.chat.devices(report(gateway, true, &[other, stranger], &[])).await.unwrap().resend);
    world.chat.devices(report(gateway, false, &[one], &[])).await.unwrap();
    let event = next_of(&mut hints, one).await;
    assert_eq!(event.audience, Audience::Users(Arc::from([other.id])));
    assert_eq!(get(&world, other, one).await[0].state, PresenceState::Online);
    assert_eq!(get(&world, stranger, one).await, []);
    let registers = world.chat.registers(other.id).await.unwrap();
    assert!(registers.iter().any(|register| register.identity == event.identity));
}

#[tokio::test]
async fn away_is_told_and_offline_is_remembered_with_when_it_was() {
    let world = World::new();
    let [one, other] = world.people();
    world.direct(one, other).await;
    let gateway = Uuid::new_v4();
    world.chat.devices(report(gateway, true, &[one, other], &[])).await.unwrap();
    let mut hints = world.chat.watch().await.unwrap();
    let _: Done = one.ask(&world, "presence.set", None, json!({ "state": "away" })).await.unwrap();
    while presence(&next(&mut hints, "presence.changed").await)
        != (Presence { user: one.id, state: PresenceState::Away, last_seen_at: None })
    {}
    let offline = one.ask::<Done>(&world, "presence.set", None, json!({ "state": "offline" })).await;
    assert_eq!(offline.unwrap_err(), ErrorCode::InvalidRequest);
    world.chat.devices(report(gateway, false, &[], &[one])).await.unwrap();
    let gone = loop {
        // Their introduction may tell once more that they are away.
        let event = next_of(&mut hints, one).await;
        if presence(&event).state != PresenceState::Away {
            break event;
        }
    };
    assert_eq!(presence(&gone).state, PresenceState::Offline);
    eventually("it is written down", || async { get(&world, other, one).await[0].last_seen_at.is_some() }).await;
    let world = world.restart().await;
    let after = get(&world, other, one).await;
    assert_eq!(after[0].last_seen_at, presence(&gone).last_seen_at);
    let registers = world.chat.registers(other.id).await.unwrap();
    assert!(registers.iter().any(|register| register.body == gone.body), "and is what was told");
}

#[tokio::test]
async fn what_was_told_before_a_crash_and_not_written_down_is_older_than_what_is_read_afterwards() {
    let world = World::new();
    let [one, other, absent] = world.people();
    world.direct(one, other).await;
    world.direct(one, absent).await;
    let gateway = Uuid::new_v4();
    world.chat.devices(report(gateway, true, &[other, absent], &[])).await.unwrap();
    let is_there = async || get(&world, one, absent).await[0].state == PresenceState::Online;
    eventually("they are there", is_there).await;
    world.chat.devices(report(gateway, false, &[], &[absent])).await.unwrap();
    eventually("it is written down", || async { get(&world, one, absent).await[0].last_seen_at.is_some() }).await;
    // Of the last second before the crash nothing was written down, but devices were told of it.
    let told = crate::shared::now_ms();
    let world = world.restart().await;
    for register in world.chat.registers(one.id).await.unwrap() {
        let Identity::Register { key, version } = &register.identity else { continue };
        assert!(*version >= told || !key.starts_with("presence:"), "{register:?}");
    }
}

#[tokio::test]
async fn a_restart_of_the_service_is_no_news_to_anybody() {
    let world = World::new();
    let [one, other] = world.people();
    world.direct(one, other).await;
    let gateway = Uuid::new_v4();
    let mut hints = world.chat.watch().await.unwrap();
    world.chat.devices(report(gateway, true, &[one, other], &[])).await.unwrap();
    next(&mut hints, "presence.changed").await;
    let world = world.restart().await;
    assert_eq!(get(&world, other, one).await[0].state, PresenceState::Online);
    let mut hints = world.chat.watch().await.unwrap();
    world.chat.devices(report(gateway, true, &[one, other], &[])).await.unwrap();
    let _: Done = one.ask(&world, "presence.set", None, json!({ "state": "away" })).await.unwrap();
    let first = presence(&next_of(&mut hints, one).await);
    assert_eq!(first.state, PresenceState::Away, "and nothing before it");
}

#[tokio::test]
async fn in_large_conversations_presence_is_watched_by_a_list() {
    let world = World::new();
    let owner = world.person();
    let members: Vec<_> = (0..110).map(|_| world.person()).collect();
    let group = world.group(owner, &members).await;
    let [watcher, watched, stranger] = [members[0], members[1], world.person()];
    let gateway = Uuid::new_v4();
    world.chat.devices(report(gateway, true, &[watcher], &[])).await.unwrap();
    let list = json!({ "users": [watched.id, stranger.id] });
    let seen: Presences = watcher.ask(&world, "presence.watch", None, list).await.unwrap();
    assert_eq!(seen.presences, [Presence { user: watched.id, state: PresenceState::Offline, last_seen_at: None }]);
    let mut hints = world.chat.watch().await.unwrap();
    world.chat.devices(report(gateway, false, &[watched, stranger, members[2]], &[])).await.unwrap();
    let event = next_of(&mut hints, watched).await;
    assert_eq!(event.audience, Audience::Users(Arc::from([watcher.id])));
    owner.on(&world, "members.kick", group, watcher).await.unwrap();
    let _: Done = watched.ask(&world, "presence.set", None, json!({ "state": "away" })).await.unwrap();
    eventually("the change was taken", || async { get(&world, owner, watched).await[0].state == PresenceState::Away })
        .await;
    let too_many: Vec<_> = (0..201).map(|_| protocol::UserId::now()).collect();
    let refused = watcher.ask::<Presences>(&world, "presence.watch", None, json!({ "users": too_many })).await;
    assert_eq!(refused.unwrap_err(), ErrorCode::InvalidRequest);
}

#[tokio::test]
async fn who_comes_in_and_who_is_there_are_told_of_each_other() {
    let world = World::new();
    let [owner, member, guest, absent] = world.people();
    let gateway = Uuid::new_v4();
    world.chat.devices(report(gateway, true, &[owner, member, guest], &[])).await.unwrap();
    let all_told = async || {
        let mut told = Vec::new();
        for person in [owner, member, guest] {
            told.push(get(&world, person, person).await[0].state == PresenceState::Online);
        }
        told == [true; 3]
    };
    eventually("they are there, and nobody shares a conversation", all_told).await;

    let mut hints = world.chat.watch().await.unwrap();
    let group = world.group(owner, &[member, absent]).await;
    // Of who was never there nothing is told.
    for (person, others) in [(owner, [member, absent]), (member, [owner, absent])] {
        let event = next_told(&mut hints).await;
        assert_eq!((presence(&event).user, presence(&event).state), (person.id, PresenceState::Online));
        assert_eq!(hearers(&event), others.map(|other| other.id).into());
    }
    owner.act(&world, "members.invite", group, json!({ "users": [guest.id] })).await.unwrap();
    for (person, others) in [(owner, vec![guest]), (member, vec![guest]), (guest, vec![owner, member, absent])] {
        let event = next_told(&mut hints).await;
        assert_eq!((presence(&event).user, presence(&event).state), (person.id, PresenceState::Online));
        assert_eq!(hearers(&event), others.iter().map(|other| other.id).collect());
    }
}

#[tokio::test]
async fn in_a_large_conversation_nobody_is_introduced() {
    let world = World::new();
    let owner = world.person();
    let members: Vec<_> = (0..100).map(|_| world.person()).collect();
    world.chat.devices(report(Uuid::new_v4(), true, &[owner, members[0]], &[])).await.unwrap();
    eventually("the owner is there", async || get(&world, owner, owner).await[0].state == PresenceState::Online).await;
    eventually("a member is there", async || {
        get(&world, members[0], members[0]).await[0].state == PresenceState::Online
    })
    .await;
    let mut hints = world.chat.watch().await.unwrap();
    world.group(owner, &members).await;
    let small = world.direct(owner, members[1]).await;
    let event = next_told(&mut hints).await;
    assert_eq!(hearers(&event), [members[1].id].into(), "first of all told is that of {small}");
}

fn hearers(event: &Event) -> BTreeSet<UserId> {
    let Audience::Users(users) = &event.audience else { panic!("users") };
    users.iter().copied().collect()
}

#[tokio::test]
async fn typing_is_told_to_the_conversation_once_in_a_while() {
    let world = World::new();
    let [one, other] = world.people();
    let group = world.group(one, &[other]).await;
    let mut hints = world.chat.watch().await.unwrap();
    for _ in 0..3 {
        let _: Done = one.ask(&world, "typing.set", Some(group), json!({})).await.unwrap();
    }
    other.send(&world, group, "x").await.unwrap();
    let event = next(&mut hints, "typing").await;
    assert!(matches!(event.identity, Identity::Ephemeral { until } if until > event.at));
    let body: Value = serde_json::from_slice(&event.body).unwrap();
    assert_eq!(body["user"], json!(one.id));
    let Some(Hint::Event { event, .. }) = hints.next().await else { panic!("a hint") };
    assert_eq!(event.name, "message.new", "the other two were not told");
}
