//! Presence over a restart of the service, with a real Redis.

use link::Service;
use protocol::ConnectionId;
use protocol::accounts::Done;
use protocol::chat::PresenceState;
use rig::wait;
use serde_json::json;
use uuid::Uuid;

use super::presence::{get, next_of, presence, report};
use super::world::{Person, World, eventually};
use crate::presence::leases;

/// What Redis says of a device, when it says this.
async fn noted(world: &World, gateway: Uuid, who: Person, state: Option<PresenceState>) {
    let (_, redis) = world.redis();
    wait::until("the lease to be written", async || {
        let found = leases::load(&redis).await.unwrap_or_default();
        let of_gateway = found.into_iter().filter(|(id, _)| *id == gateway).flat_map(|(_, leases)| leases);
        let mut of_device = of_gateway.filter(|lease| lease.device.connection == ConnectionId(who.session.0));
        let found = of_device.next().map(|lease| (lease.device.user, lease.state));
        (found == state.map(|state| (who.id, state))).then_some(())
    })
    .await;
}

#[tokio::test]
async fn how_devices_stood_outlives_a_restart_and_is_no_news() {
    let world = World::with_redis().await;
    let [one, other] = world.people();
    world.direct(one, other).await;
    let gateway = Uuid::new_v4();
    world.chat.devices(report(gateway, true, &[one, other], &[])).await.unwrap();
    noted(&world, gateway, one, Some(PresenceState::Online)).await;
    let _: Done = one.ask(&world, "presence.set", None, json!({ "state": "away" })).await.unwrap();
    noted(&world, gateway, one, Some(PresenceState::Away)).await;
    eventually("it is told", || async { get(&world, other, one).await[0].state == PresenceState::Away }).await;

    let world = world.restart().await;
    let mut hints = world.chat.watch().await.unwrap();
    eventually("it is known again", || async { get(&world, other, one).await[0].state == PresenceState::Away }).await;
    assert!(world.chat.devices(report(gateway, false, &[], &[])).await.unwrap().resend);
    world.chat.devices(report(gateway, true, &[one, other], &[])).await.unwrap();
    assert_eq!(get(&world, other, one).await[0].state, PresenceState::Away);
    world.chat.devices(report(gateway, false, &[], &[one])).await.unwrap();
    let first = presence(&next_of(&mut hints, one).await);
    assert_eq!(first.state, PresenceState::Offline, "and nothing before it");
    noted(&world, gateway, one, None).await;
}

#[tokio::test]
async fn a_device_that_is_gone_when_its_gateway_reports_is_gone() {
    let world = World::with_redis().await;
    let [one, other] = world.people();
    world.direct(one, other).await;
    let gateway = Uuid::new_v4();
    world.chat.devices(report(gateway, true, &[one, other], &[])).await.unwrap();
    noted(&world, gateway, one, Some(PresenceState::Online)).await;
    let world = world.restart().await;
    world.chat.devices(report(gateway, true, &[other], &[])).await.unwrap();
    eventually("it is gone", || async { get(&world, other, one).await[0].state == PresenceState::Offline }).await;
    noted(&world, gateway, one, None).await;
}

#[tokio::test]
async fn a_redis_that_comes_back_empty_is_told_who_is_there() {
    let world = World::with_redis().await;
    let [one, other] = world.people();
    let gateway = Uuid::new_v4();
    world.chat.devices(report(gateway, true, &[one, other], &[])).await.unwrap();
    noted(&world, gateway, one, Some(PresenceState::Online)).await;
    world.redis().0.flush().await;
    noted(&world, gateway, one, Some(PresenceState::Online)).await;
    noted(&world, gateway, other, Some(PresenceState::Online)).await;
}

#[tokio::test]
async fn more_devices_than_go_in_one_round_trip_are_all_noted() {
    let world = World::with_redis().await;
    let people: Vec<_> = (0..1_600).map(|_| world.person()).collect();
    let gateway = Uuid::new_v4();
    world.chat.devices(report(gateway, true, &people, &[])).await.unwrap();
    let (_, redis) = world.redis();
    wait::until("all to be noted", async || {
        let found = leases::load(&redis).await.ok()?;
        (found.iter().map(|(_, leases)| leases.len()).sum::<usize>() == people.len()).then_some(())
    })
    .await;
}
