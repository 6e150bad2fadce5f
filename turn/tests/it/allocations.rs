//! Who gets an allocation, and for how long.

use std::time::Duration;

use runtime::lifecycle::Phase;
use runtime::turn_credentials::TurnCredentials;
use turn::stun::{Class, Message, attribute, method};

use crate::client::Client;
use crate::world::{World, credentials, now_s, secrets};

#[tokio::test]
async fn a_binding_is_answered_without_credentials() {
    let world = World::start();
    for mut client in [
        Client::udp(world.address, credentials("ann", 60)).await,
        Client::tcp(world.address, credentials("ann", 60)).await,
    ] {
        let answer = client.request(method::BINDING, |_| {}).await.unwrap_or_else(|code| panic!("{code}"));
        assert!(answer.address(attribute::XOR_MAPPED_ADDRESS).ip().is_loopback());
    }
}

#[tokio::test]
async fn credentials_get_an_allocation_that_ends_with_them() {
    let world = World::start();
    for mut client in [
        Client::udp(world.address, credentials("ann.1", 120)).await,
        Client::tcp(world.address, credentials("ann.2", 120)).await,
    ] {
        let answer = client.allocate_for(Some(3_600)).await.unwrap_or_else(|code| panic!("{code}"));
        assert!((110..=120).contains(&answer.lifetime_s()), "{}", answer.lifetime_s());
        assert_eq!(answer.address(attribute::XOR_RELAYED_ADDRESS).ip(), world.address.ip());
        assert!((110..=120).contains(&client.refresh(3_600).await.ok().unwrap().lifetime_s()));
        assert_eq!(client.refresh(60).await.ok().unwrap().lifetime_s(), 60);
        assert_eq!(client.refresh(0).await.ok().unwrap().lifetime_s(), 0);
        assert_eq!(client.refresh(60).await.err(), Some(437), "it is gone");
        assert!(client.allocate().await.is_ok(), "and may be made anew");
    }
}

#[tokio::test]
async fn who_shows_no_good_credentials_gets_nothing() {
    let world = World::start();
    let good = credentials("ann", 60);
    let with =
        |username: &str, password: &str| TurnCredentials { username: username.into(), password: password.into() };
    for bad in [
        with(&good.username, "wrong"),
        with(&good.username, ""),
        secrets().make("ann", Duration::ZERO, now_s()),
        secrets().make("ann", Duration::from_secs(60), now_s() - 3_600),
        with("ann", &secrets().passwords("ann").next().unwrap()),
        with(&format!("{}9", good.username), &good.password),
    ] {
        let mut client = Client::udp(world.address, bad.clone()).await;
        assert_eq!(client.allocate().await.err(), Some(401), "{bad:?}");
    }
}

#[tokio::test]
async fn an_allocation_ends_by_itself_when_its_credentials_do() {
    let world = World::start();
    let mut client = Client::udp(world.address, credentials("ann", 2)).await;
    let relay = client.relay().await;
    assert!(client.permit(relay).await.is_ok());
    let before = world.tasks.len();
    // Awaited by what ends with it: its task.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while world.tasks.len() >= before {
        assert!(tokio::time::Instant::now() < deadline, "it still lives");
        tokio::task::yield_now().await;
    }
    for answer in [
        client.refresh(600).await,
        client.permit(relay).await,
        client.bind(0x4000, relay).await,
        client.allocate().await,
    ] {
        assert_eq!(answer.err(), Some(401), "its credentials have expired");
    }
}

#[tokio::test]
async fn later_credentials_of_the_same_name_keep_it_and_others_may_not_touch_it() {
    let world = World::start();
    let mut client = Client::udp(world.address, credentials("ann.call.1", 60)).await;
    client.relay().await;
    client.credentials = credentials("ann.call.1", 300);
    assert!(client.refresh(600).await.ok().unwrap().lifetime_s() > 200);
    client.credentials = credentials("ann.call.2", 300);
    assert_eq!(client.refresh(600).await.err(), Some(441));
    assert_eq!(client.refresh(0).await.err(), Some(441));
    client.credentials = credentials("ann.call.1", 300);
    assert!(client.refresh(0).await.is_ok());
}

#[tokio::test]
async fn an_allocate_that_is_repeated_is_answered_again_and_a_second_one_is_refused() {
    let world = World::start();
    let mut client = Client::udp(world.address, credentials("ann", 60)).await;
    client.request(method::REFRESH, |_| {}).await.err();
    let packet = client.signed(method::ALLOCATE, |writer| {
        writer.attribute(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
    });
    let mut relays = Vec::new();
    for _ in 0..2 {
        client.send(&packet).await;
        let answer = client.response(&packet).await;
        let message = Message::parse(&answer).unwrap();
        assert_eq!(message.class(), Class::Success);
        let relay = message.attribute(attribute::XOR_RELAYED_ADDRESS).unwrap().to_vec();
        relays.push(relay);
    }
    assert_eq!(relays[0], relays[1]);
    assert_eq!(client.allocate().await.err(), Some(437));
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_by_the_codes_of_the_standard() {
    let world = World::start();
    let mut client = Client::udp(world.address, credentials("ann", 60)).await;
    type Attributes = &'static [(u16, &'static [u8])];
    let udp = (attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0][..]);
    let cases: &[(u16, Attributes)] = &[
        (400, &[]),
        (442, &[(attribute::REQUESTED_TRANSPORT, &[6, 0, 0, 0])]),
        (
            440,
            &[(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]), (attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0])],
        ),
        (508, &[(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]), (attribute::EVEN_PORT, &[0x80])]),
        (508, &[(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]), (attribute::RESERVATION_TOKEN, &[1; 8])]),
        (420, &[(attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0]), (0x001A, &[])]),
    ];
    for (code, attributes) in cases {
        let answer = client.request(method::ALLOCATE, |writer| {
            for (kind, value) in *attributes {
                writer.attribute(*kind, value);
            }
        });
        assert_eq!(answer.await.err(), Some(*code), "{attributes:?}");
    }
    let even = client.request(method::ALLOCATE, |writer| {
        writer.attribute(udp.0, udp.1).attribute(attribute::EVEN_PORT, &[0]);
    });
    let relay = even.await.ok().unwrap().address(attribute::XOR_RELAYED_ADDRESS);
    assert!(relay.port().is_multiple_of(2));
    assert_eq!(client.permit("[2606:4700::1111]:1".parse().unwrap()).await.err(), Some(443));
    assert_eq!(client.bind(0x3FFF, relay).await.err(), Some(400));
    assert_eq!(client.bind(0x7FFF, relay).await.err(), Some(400));
    assert_eq!(client.request(0x00A, |_| {}).await.err(), Some(400), "no TCP is relayed (RFC 6062)");
}

#[tokio::test]
async fn what_is_revoked_ends_at_once_and_is_not_made_again_until_it_is_allowed_anew() {
    let world = World::start();
    let mut client = Client::tcp(world.address, credentials("ann.call.1", 300)).await;
    let mut other = Client::udp(world.address, credentials("ann.other.1", 300)).await;
    client.relay().await;
    other.relay().await;
    assert_eq!(world.server.revoke("ann.call"), 1);
    assert_eq!(client.refresh(60).await.err(), Some(401));
    assert_eq!(client.allocate().await.err(), Some(401));
    assert!(other.refresh(60).await.is_ok());
    client.credentials = credentials("ann.call.1", 301 + 5);
    assert!(client.allocate().await.is_ok(), "made after the revocation");
}

#[tokio::test]
async fn a_server_that_goes_down_takes_in_nobody_and_keeps_whom_it_has() {
    let world = World::start();
    let mut client = Client::udp(world.address, credentials("ann", 60)).await;
    client.relay().await;
    world.shut_down(Phase::Draining);
    assert!(client.refresh(60).await.is_ok());
    let mut late = Client::udp(world.address, credentials("bob", 60)).await;
    assert_eq!(late.allocate().await.err(), Some(508));
    world.shut_down(Phase::Stop);
    assert!(world.tasks.join(Duration::from_secs(20)).await.is_empty());
}
