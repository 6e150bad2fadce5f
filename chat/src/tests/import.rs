//! Bulk import.

use protocol::ErrorCode;
use protocol::chat::{ConversationKind, MemberRole};
use uuid::Uuid;

use super::world::World;
use crate::ImportConversation;

#[tokio::test]
async fn an_import_that_comes_again_changes_nothing() {
    let world = World::new();
    let people: [_; 10] = world.people();
    let direct = ImportConversation {
        key: Uuid::new_v4(),
        kind: ConversationKind::Direct,
        title: None,
        owner: people[0].id,
        members: vec![(people[1].id, MemberRole::Member)],
    };
    let group = |_| ImportConversation {
        key: Uuid::new_v4(),
        kind: ConversationKind::Group,
        title: Some("Imported".to_owned()),
        owner: people[0].id,
        members: people[1..].iter().map(|person| (person.id, MemberRole::Admin)).collect(),
    };
    let all: Vec<_> = (0..50).map(group).chain([direct.clone()]).collect();
    let first = world.chat.import(all.clone()).await.unwrap();
    assert!(first.iter().all(|imported| imported.new));
    let again = world.chat.import(all).await.unwrap();
    assert!(again.iter().all(|imported| !imported.new));
    assert!(first.iter().zip(&again).all(|(first, again)| first.id == again.id));
    assert_eq!(world.direct(people[1], people[0]).await, first[50].id);
    let seen = people[4].conversation(&world, first[0].id).await.unwrap();
    assert_eq!((seen.members, seen.role), (10, MemberRole::Admin));
    people[4].send(&world, first[0].id, "hello").await.unwrap();
}

#[tokio::test]
async fn what_can_not_be_imported_is_named_and_nothing_of_its_batch_is() {
    let world = World::new();
    let [one, other] = world.people();
    let good = ImportConversation {
        key: Uuid::new_v4(),
        kind: ConversationKind::Group,
        title: Some("Good".to_owned()),
        owner: one.id,
        members: vec![(other.id, MemberRole::Member)],
    };
    let bad = ImportConversation { key: Uuid::new_v4(), title: None, ..good.clone() };
    let refused = world.chat.import(vec![good.clone(), bad.clone()]).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidRequest);
    assert!(refused.message.contains(&bad.key.to_string()), "{}", refused.message);
    assert!(world.chat.import(vec![good]).await.unwrap()[0].new);
}
