//! A login that is ended.

use std::sync::Arc;

use protocol::calls::ParticipantStatus;

use super::world::{Auth, World};
use crate::watch::watch_sessions;

#[tokio::test]
async fn a_login_that_ends_takes_its_leg_with_it_also_when_it_ended_while_nobody_watched() {
    let world = World::new().await;
    let auth = Arc::new(Auth::default());
    let (conversation, [ann, bob, carl, dora]) = world.group();
    let call = world.talk(conversation, ann, &[bob, carl, dora]).await;
    auth.revokes(bob.user, bob.session);
    tokio::spawn(watch_sessions(Arc::clone(&world.desk), Arc::clone(&auth) as _, world.shutdown.clone()));
    world.until(call, bob, ParticipantStatus::Left).await;
    auth.revokes(carl.user, carl.session);
    world.until(call, carl, ParticipantStatus::Left).await;
    assert_eq!(world.status(call, dora).await, Some(ParticipantStatus::Joined));
}
