use super::world::*;
use link::Actor;
use protocol::ErrorCode;
use protocol::accounts::{Account, Profiles};
use serde_json::json;

#[tokio::test]
async fn what_is_absent_stays_and_empty_text_removes_the_picture() {
    let world = World::new();
    let grant = world.register("ada").await;
    let update = async |body| world.ask::<Account>(by(&grant, "me.update", body)).await;
    let account = update(json!({ "avatar": "https://example.org/ada.png" })).await.unwrap();
    assert_eq!((account.handle.as_str(), account.name.as_str()), ("ada", "Somebody"));
    let account = update(json!({ "handle": "Countess", "name": "Ada" })).await.unwrap();
    assert_eq!((account.handle.as_str(), account.name.as_str()), ("countess", "Ada"));
    assert_eq!(account.avatar.as_deref(), Some("https://example.org/ada.png"));
    assert_eq!(update(json!({ "avatar": "" })).await.unwrap().avatar, None);
    let refused = update(json!({ "avatar": "http://example.org/ada.png" })).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidRequest);
    world.register("eve").await;
    assert_eq!(update(json!({ "handle": "EVE" })).await.unwrap_err().code, ErrorCode::HandleTaken);
}

#[tokio::test]
async fn people_are_found_by_exact_handle_or_by_known_ids_only() {
    let world = World::new();
    let (ada, eve) = (world.register("ada").await, world.register("eve").await);
    let find = async |body| world.ask::<Profiles>(by(&eve, "users.find", body)).await;
    let found = find(json!({ "handle": " ADA " })).await.unwrap().users;
    assert_eq!((found.len(), found[0].id), (1, ada.user.id));
    for nobody in ["ad", "ada2", "%", "a*", "not a handle!"] {
        assert!(find(json!({ "handle": nobody })).await.unwrap().users.is_empty(), "{nobody}");
    }
    let ids = json!({ "ids": [eve.user.id, uuid::Uuid::now_v7(), ada.user.id] });
    let found = find(ids.clone()).await.unwrap().users;
    assert_eq!(found.iter().map(|user| user.id).collect::<Vec<_>>(), [eve.user.id, ada.user.id]);
    let too_many: Vec<_> = (0..101).map(|_| uuid::Uuid::now_v7()).collect();
    for refused in [json!({}), json!({ "handle": "ada", "ids": [ada.user.id] }), json!({ "ids": too_many })] {
        assert_eq!(find(refused).await.unwrap_err().code, ErrorCode::InvalidRequest);
    }
    assert_eq!(world.code(call("users.find", ids.clone())).await, ErrorCode::Unauthenticated);
    let mut inside = call("users.find", ids);
    inside.actor = Actor::System;
    assert_eq!(world.ask::<Profiles>(inside).await.unwrap().users.len(), 2);
}

#[tokio::test]
async fn a_command_of_another_service_is_unsupported_here() {
    let world = World::new();
    assert_eq!(world.code(call("messages.send", json!({}))).await, ErrorCode::Unsupported);
}
