//! The rig does what it says; a fault that is none would make every test on it pass.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test states what must be")]

use std::time::Duration;

use rig::{Cable, RedisServer, Sentinels, Way, own_address, wait};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server that sends back what it gets.
async fn echo() -> std::net::SocketAddr {
    let listener = TcpListener::bind((own_address(), 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reading, mut writing) = stream.into_split();
                let _ = tokio::io::copy(&mut reading, &mut writing).await;
            });
        }
    });
    address
}

async fn says(stream: &mut TcpStream, text: &str) -> Option<String> {
    stream.write_all(text.as_bytes()).await.unwrap();
    hears(stream, text.len()).await
}

/// What arrives, or nothing where it does not within a while.
async fn hears(stream: &mut TcpStream, length: usize) -> Option<String> {
    let mut heard = vec![0; length];
    let reading = stream.read_exact(&mut heard);
    match tokio::time::timeout(Duration::from_millis(200), reading).await {
        Ok(read) => read.ok().map(|_| String::from_utf8(heard).unwrap()),
        Err(_) => None,
    }
}

#[tokio::test]
async fn a_cable_freezes_and_goes_on_splits_loses_and_cuts() {
    let cable = Cable::to(echo().await, own_address()).await;
    let mut stream = TcpStream::connect(cable.address()).await.unwrap();
    assert_eq!(says(&mut stream, "one").await.unwrap(), "one");

    cable.back(Way::Frozen);
    assert_eq!(says(&mut stream, "two").await, None);
    cable.mend();
    assert_eq!(hears(&mut stream, 3).await.unwrap(), "two");

    cable.both(Way::Split);
    assert_eq!(says(&mut stream, "three").await.unwrap(), "three");

    cable.there(Way::Lost);
    assert_eq!(says(&mut stream, "four").await, None);
    cable.mend();
    assert_eq!(says(&mut stream, "five").await.unwrap(), "five");

    cable.sever();
    let ended = wait::within("the connection to end", stream.read_u8()).await;
    ended.unwrap_err();
    let mut refused = TcpStream::connect(cable.address()).await.unwrap();
    wait::within("the new one to end", refused.read_u8()).await.unwrap_err();
    cable.mend();
    let mut again = TcpStream::connect(cable.address()).await.unwrap();
    assert_eq!(says(&mut again, "six").await.unwrap(), "six");
}

#[tokio::test]
async fn a_redis_is_frozen_flushed_killed_and_comes_back_where_it_was_and_empty() {
    let mut redis = RedisServer::start().await;
    assert_eq!(redis.ask(&["SET", "key", "value"]).await, "+OK");
    assert_eq!(redis.ask(&["GET", "key"]).await, "value");
    redis.flush().await;
    assert_eq!(redis.ask(&["GET", "key"]).await, "");
    redis.ask(&["SET", "key", "value"]).await;
    redis.freeze();
    let asking = redis.ask(&["GET", "key"]);
    assert!(tokio::time::timeout(Duration::from_millis(200), asking).await.is_err());
    redis.thaw();
    assert_eq!(redis.ask(&["GET", "key"]).await, "value");
    redis.kill().await;
    redis.restart().await;
    assert_eq!(redis.ask(&["GET", "key"]).await, "");
}

#[tokio::test]
async fn a_master_that_is_killed_asked_or_frozen_is_followed_by_its_replica() {
    let mut pair = Sentinels::start().await;
    let first = pair.master().await.address();
    pair.fail_over().await;
    let second = pair.master().await.address();
    assert_ne!(first, second);
    pair.revive().await;
    pair.hand_over().await;
    assert_eq!(pair.master().await.address(), first);
    pair.freeze_master().await;
    pair.is_followed().await;
    pair.thaw();
    assert_eq!(pair.master().await.address(), second);
}
