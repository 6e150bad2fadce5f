use super::world::*;
use auth::{ImportOutcome, ImportUser};
use protocol::accounts::{Grant, Role};
use serde_json::json;

fn user(value: serde_json::Value) -> ImportUser {
    serde_json::from_value(value).unwrap()
}

#[tokio::test]
async fn an_import_makes_accounts_by_the_same_rules_and_answers_one_by_one() {
    let world = World::new();
    world.register("taken").await;
    let phc = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$q8hUbYI3v3cXuMLXE1PZqJvP0yWwlLLC3X4Gq5Q9FwU";
    let users = vec![
        user(json!({ "handle": "Ada", "name": "Ada", "password": PASSWORD, "role": "admin" })),
        user(json!({ "handle": "bob", "name": "Bob", "password_hash": phc })),
        user(json!({ "handle": "eve", "name": "Eve" })),
        user(json!({ "handle": "taken", "name": "Another name" })),
        user(json!({ "handle": "x", "name": "X" })),
        user(json!({ "handle": "mallory", "name": "M", "password_hash": "$2b$12$abcdefghijklmnopqrstuv" })),
        user(json!({ "handle": "weak", "name": "W", "password": "password123" })),
    ];
    let imported = world.auth.import_users(users.clone(), false).await.unwrap();
    let kinds: Vec<_> = imported
        .iter()
        .map(|imported| match &imported.outcome {
            ImportOutcome::Created(_) => "created",
            ImportOutcome::Existed(_) => "existed",
            ImportOutcome::Refused(problem) => problem.split(':').next().unwrap(),
        })
        .collect();
    assert_eq!(kinds, ["created", "created", "created", "existed", "handle", "password_hash", "password"]);
    assert!(imported.iter().all(|imported| imported.tokens.is_none()));
    let grant: Grant = world.ask(login("ada", PASSWORD)).await.unwrap();
    assert_eq!((Some(grant.user.id), grant.user.role), (imported[0].outcome.user(), Role::Admin));

    let again = world.auth.import_users(users, false).await.unwrap();
    assert!(again[..4].iter().all(|imported| matches!(imported.outcome, ImportOutcome::Existed(_))));
    let same = world.ask::<Grant>(login("ada", PASSWORD)).await.unwrap();
    assert_eq!(same.user, grant.user);
}

#[tokio::test]
async fn thousands_are_taken_in_seconds_and_their_tokens_work() {
    let world = World::new();
    let users = (0..2_500).map(|at| user(json!({ "handle": format!("user{at}"), "name": "User" })));
    let imported = world.auth.import_users(users.collect(), true).await.unwrap();
    assert_eq!(imported.len(), 2_500);
    let last = imported.last().unwrap();
    assert_eq!(last.handle, "user2499");
    let tokens = last.tokens.as_ref().unwrap();
    let grant = world.refresh(&tokens.refresh_token).await.unwrap();
    assert_eq!(Some(grant.user.id), last.outcome.user());
    assert_eq!(grant.session, tokens.session);
    world.send(by(&grant, "me.get", json!({}))).await.result.unwrap();
}
