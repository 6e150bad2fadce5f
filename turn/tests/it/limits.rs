//! Everything is bounded, and says so.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use turn::stun::{Class, MessageWriter, attribute, method};

use crate::client::{Client, NOTHING_WITHIN};
use crate::world::{World, credentials};

#[tokio::test]
async fn a_user_an_address_and_all_have_only_so_many_allocations_and_get_them_back() {
    let world = World::with(|config| {
        (config.allocations_per_user, config.allocations_per_address, config.allocations_max) = (2, 3, 4);
    });
    let client = |name| Client::udp(world.address, credentials(name, 60));
    let mut first = client("ann.call.1").await;
    first.relay().await;
    client("ann.call.2").await.relay().await;
    assert_eq!(client("ann.call.3").await.allocate().await.err(), Some(486), "of one user");
    client("bob").await.relay().await;
    assert_eq!(client("cat").await.allocate().await.err(), Some(486), "of one address");
    assert!(first.refresh(0).await.is_ok());
    let mut again = client("ann.call.3").await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while let Err(code) = again.allocate().await {
        assert!(code == 486 && tokio::time::Instant::now() < deadline, "{code}");
    }
}

#[tokio::test]
async fn the_whole_server_has_only_so_many_allocations() {
    let world = World::with(|config| config.allocations_max = 1);
    Client::udp(world.address, credentials("ann", 60)).await.relay().await;
    let mut other = Client::udp(world.address, credentials("bob", 60)).await;
    assert_eq!(other.allocate().await.err(), Some(508));
}

#[tokio::test]
async fn strangers_are_answered_at_a_bounded_pace_and_those_with_credentials_are_not_held_up() {
    let world = World::with(|config| config.answers_per_address = 5);
    let mut known = Client::udp(world.address, credentials("ann", 60)).await;
    known.relay().await;
    let mut stranger = Client::udp(world.address, credentials("bob", 60)).await;
    let mut packet = Vec::new();
    MessageWriter::new(&mut packet, Class::Request, method::BINDING, [1; 12]);
    for _ in 0..100 {
        stranger.send(&packet).await;
    }
    let mut answers = 0;
    while stranger.packet(NOTHING_WITHIN).await.is_some() {
        answers += 1;
    }
    assert!((1..20).contains(&answers), "{answers}");
    for _ in 0..20 {
        assert!(known.refresh(60).await.is_ok());
    }
}

#[tokio::test]
async fn what_is_no_packet_is_dropped_on_udp_and_ends_a_connection() {
    let world = World::start();
    let mut udp = Client::udp(world.address, credentials("ann", 60)).await;
    for junk in
        [&b""[..], b"\0", b"\xff\xff\xff\xff", b"\x40\0\xff\xff", b"\0\x01\0\x08!\x12\xa4B0123456789ab", &[0; 2_000]]
    {
        udp.send(junk).await;
    }
    assert!(udp.request(method::BINDING, |_| {}).await.is_ok());
    let mut tcp = Client::tcp(world.address, credentials("ann", 60)).await;
    tcp.relay().await;
    tcp.send(b"\x80 is no first byte").await;
    assert!(tcp.is_closed().await);
}

#[tokio::test]
async fn connections_are_bounded_for_each_address_and_without_an_allocation_in_time() {
    let world = World::with(|config| (config.tcp_per_address, config.tcp_idle_s) = (2, 1));
    let client = |name| Client::tcp(world.address, credentials(name, 60));
    let (mut idle, mut used) = (client("ann").await, client("bob").await);
    used.relay().await;
    assert!(client("cat").await.is_closed().await, "the third of this address");
    assert!(idle.is_closed().await, "it had no allocation");
    assert!(used.refresh(60).await.is_ok(), "this one has");
}

#[tokio::test]
async fn an_allocation_ends_with_its_connection() {
    let world = World::with(|config| config.allocations_per_user = 1);
    let mut client = Client::tcp(world.address, credentials("ann", 60)).await;
    client.relay().await;
    drop(client);
    let mut again = Client::tcp(world.address, credentials("ann", 60)).await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while let Err(code) = again.allocate().await {
        assert!(code == 486 && tokio::time::Instant::now() < deadline, "{code}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_costs_no_more_than_its_queue_and_holds_up_nobody() {
    let world = World::start();
    let mut deaf = Client::tcp(world.address, credentials("ann", 60)).await;
    let mut loud = Client::udp(world.address, credentials("bob", 60)).await;
    let (of_deaf, of_loud) = (deaf.relay().await, loud.relay().await);
    assert!(deaf.permit(of_loud).await.is_ok());
    assert!(loud.bind(0x4000, of_deaf).await.is_ok());
    for _ in 0..20_000 {
        loud.send_on(0x4000, &[7; 1_200]).await;
    }
    assert!(loud.refresh(60).await.is_ok());
    // It finds its connection whole: packets were dropped, never cut.
    let mut read = 0;
    while let Some(packet) = deaf.packet(NOTHING_WITHIN).await {
        assert!(packet.len() > 1_200);
        read += 1;
    }
    assert!(read > 0 && read < 20_000, "{read}");
    assert!(deaf.refresh(60).await.is_ok());
}

#[tokio::test]
async fn a_length_that_is_stated_but_never_comes_is_waited_for_only_so_long() {
    let world = World::with(|config| config.tcp_idle_s = 1);
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(b"\x40\0\xff\xff").await.unwrap();
    let mut byte = [0];
    let end = tokio::io::AsyncReadExt::read(&mut stream, &mut byte);
    assert!(matches!(tokio::time::timeout(Duration::from_secs(20), end).await.unwrap(), Ok(0) | Err(_)));
}

#[tokio::test]
async fn an_allocation_has_only_so_many_peers() {
    let world = World::start();
    let mut client = Client::udp(world.address, credentials("ann", 60)).await;
    client.relay().await;
    for last in 0..64 {
        assert!(client.permit(format!("8.8.8.{last}:1").parse().unwrap()).await.is_ok());
    }
    assert_eq!(client.permit("8.8.4.4:1".parse().unwrap()).await.err(), Some(508));
    assert_eq!(client.bind(0x4000, "8.8.4.4:1".parse().unwrap()).await.err(), Some(508));
    let many = client.request(method::CREATE_PERMISSION, |writer| {
        for last in 0..100 {
            writer.address(attribute::XOR_PEER_ADDRESS, format!("9.9.9.{last}:1").parse().unwrap());
        }
    });
    assert_eq!(many.await.err(), Some(508));
}
