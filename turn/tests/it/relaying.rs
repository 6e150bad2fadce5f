//! What goes through: from client to client, in every way and on every transport.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UdpSocket;

use crate::client::{Client, NOTHING_WITHIN, Received};
use crate::world::{World, credentials};

async fn ends(world: &World) -> [[Client; 2]; 3] {
    let udp = |name| Client::udp(world.address, credentials(name, 60));
    let tcp = |name| Client::tcp(world.address, credentials(name, 60));
    [[udp("a").await, udp("b").await], [tcp("c").await, udp("d").await], [tcp("e").await, tcp("f").await]]
}

#[tokio::test]
async fn two_clients_of_this_server_reach_each_other() {
    let world = World::start();
    for [mut ann, mut bob] in ends(&world).await {
        let (of_ann, of_bob) = (ann.relay().await, bob.relay().await);
        assert!(ann.permit(of_bob).await.is_ok());
        ann.send_to(of_bob, b"too early").await;
        assert_eq!(bob.try_receive(NOTHING_WITHIN).await, None);
        assert!(bob.permit(of_ann).await.is_ok());
        // Both by indication.
        ann.send_to(of_bob, b"hello").await;
        assert_eq!(bob.receive().await, Received::Data(of_ann, b"hello".to_vec()));
        // A channel on one side is no matter of the other side.
        assert!(bob.bind(0x4001, of_ann).await.is_ok());
        bob.send_on(0x4001, b"odd length").await;
        assert_eq!(ann.receive().await, Received::Data(of_bob, b"odd length".to_vec()));
        assert!(ann.bind(0x4ABC, of_bob).await.is_ok());
        for length in [0, 1, 2, 3, 4, 1_200, 9_000] {
            let payload: Vec<u8> = (0..length).map(|n: usize| n as u8).collect();
            ann.send_on(0x4ABC, &payload).await;
            assert_eq!(bob.receive().await, Received::Channel(0x4001, payload.clone()));
            bob.send_on(0x4001, &payload).await;
            assert_eq!(ann.receive().await, Received::Channel(0x4ABC, payload));
        }
    }
}

#[tokio::test]
async fn a_network_that_is_allowed_is_reached_and_answers_only_with_permission() {
    let world = World::with(|config| {
        config.listen = vec!["127.0.0.2:0".parse().unwrap()];
        config.allowed_peers = vec!["127.0.0.1/32".parse().unwrap()];
    });
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut client = Client::udp(world.address, credentials("ann", 60)).await;
    let relay = client.relay().await;
    let knock = async || assert_eq!(peer.send_to(b"knock", relay).await.unwrap(), 5);
    knock().await;
    assert_eq!(client.try_receive(NOTHING_WITHIN).await, None, "nobody asked for it");
    assert!(client.permit(peer.local_addr().unwrap()).await.is_ok());
    knock().await;
    assert_eq!(client.receive().await, Received::Data(peer.local_addr().unwrap(), b"knock".to_vec()));
    client.send_to(peer.local_addr().unwrap(), b"who is there?").await;
    let mut read = [0; 100];
    let (length, from) =
        tokio::time::timeout(Duration::from_secs(20), peer.recv_from(&mut read)).await.unwrap().unwrap();
    assert_eq!((&read[..length], from), (&b"who is there?"[..], relay));
}

#[tokio::test]
async fn relays_behind_a_nat_meet_by_the_address_that_is_advertised() {
    let outside = "198.51.100.7".parse().unwrap();
    let world = World::with(|config| config.external_ips = vec![outside]);
    let [[mut ann, mut bob], ..] = ends(&world).await;
    let (of_ann, of_bob) = (ann.relay().await, bob.relay().await);
    assert_eq!((of_ann.ip(), of_bob.ip()), (outside, outside));
    assert!(ann.bind(0x4000, of_bob).await.is_ok() && bob.permit(of_ann).await.is_ok());
    ann.send_on(0x4000, b"hello").await;
    assert_eq!(bob.receive().await, Received::Data(of_ann, b"hello".to_vec()));
}

#[tokio::test]
async fn ipv6_is_relayed_as_ipv4_is() {
    let world = World::with(|config| config.listen = vec!["[::1]:0".parse().unwrap()]);
    let udp = |name| Client::udp(world.address, credentials(name, 60));
    let (mut ann, mut bob) = (udp("ann").await, udp("bob").await);
    assert_eq!(ann.allocate().await.err(), Some(440), "IPv4 is what is asked for by not saying what");
    let relay = async |client: &mut Client| -> SocketAddr {
        let answer = client.request(turn::stun::method::ALLOCATE, |writer| {
            writer
                .attribute(turn::stun::attribute::REQUESTED_TRANSPORT, &[17, 0, 0, 0])
                .attribute(turn::stun::attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
        });
        answer.await.ok().unwrap().address(turn::stun::attribute::XOR_RELAYED_ADDRESS)
    };
    let (of_ann, of_bob) = (relay(&mut ann).await, relay(&mut bob).await);
    assert!(ann.permit(of_bob).await.is_ok() && bob.permit(of_ann).await.is_ok());
    ann.send_to(of_bob, b"hello").await;
    assert_eq!(bob.receive().await, Received::Data(of_ann, b"hello".to_vec()));
}
