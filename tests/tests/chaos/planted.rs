//! What looks for ghosts is looked at itself: one that is planted is found.

use std::time::Duration;

use harness::people::PASSWORD;
use harness::{Topology, World, wait};
use protocol::chat::{PresenceState, Presences};
use serde_json::json;

use crate::logins::{self, Logins};
use crate::visitors::Visitors;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[should_panic(expected = "without: REST to refuse who was logged out")]
async fn who_is_in_after_being_logged_out_is_found() {
    let world = World::start(Topology::OneProcess).await;
    world.person(logins::HANDLE).await;
    let url = format!("http://{}", world.gateway());
    let rest = client::Rest::new(&url, None).unwrap();
    let grant = rest.login(logins::HANDLE, PASSWORD, "never logged out").await.unwrap();
    Logins::that_are_out(&url, vec![grant]).stay_out(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[should_panic(expected = "is seen as Online")]
async fn who_is_seen_and_gone_is_found() {
    let world = World::start(Topology::OneProcess).await;
    let [watcher, ghost] = world.people(["watcher", "ghost"]).await;
    watcher.group("harbour", &[&ghost]).await;
    let _haunts = ghost.device().await;
    wait::until("the ghost to be seen", async || {
        let answer = watcher.call("presence.get", None, json!({ "users": [ghost.id] })).await;
        let seen: Presences = answer.data();
        seen.presences.iter().any(|presence| presence.state == PresenceState::Online).then_some(())
    })
    .await;
    let visitors = Visitors::of_whom_one_is_gone(&world, &watcher, ghost.id);
    visitors.are_seen_as_they_are(Duration::ZERO).await;
}
