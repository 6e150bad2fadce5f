//! Redis is killed, frozen and emptied: limiting goes on, nobody waits, and it comes back by itself.

use std::time::Duration;

use rig::RedisServer;

use super::*;

/// One deadline of Redis, and what a loaded machine adds.
const AT_ONCE: Duration = Duration::from_secs(2);

fn rule() -> Rule {
    Rule::per_minute(5)
}

#[tokio::test]
async fn without_redis_each_node_goes_on_with_what_it_has_admitted() {
    let mut server = RedisServer::start().await;
    let [one, other] = [Node::on(&server, rule()).await, Node::on(&server, rule()).await];
    assert_eq!(one.admitted(1, 3).await, 3);
    server.kill().await;
    assert_eq!(one.admitted(1, 10).await, 2, "it remembers three");
    assert_eq!(other.admitted(1, 10).await, 5, "nothing is let through unlimited");

    server.restart().await;
    one.stands(Standing::is_up).await;
    assert_eq!(one.admitted(1, 10).await, 0, "what it admitted alone it still knows");
    assert_eq!(one.admitted(2, 4).await, 4);
    other.stands(Standing::is_up).await;
    assert_eq!(other.admitted(2, 10).await, 1, "they count together again");
}

#[tokio::test]
async fn a_frozen_redis_holds_nobody_up_for_longer_than_its_deadline() {
    let mut server = RedisServer::start().await;
    let node = Node::on(&server, rule()).await;
    assert_eq!(node.admitted(1, 1).await, 1);
    server.freeze();
    let began = Instant::now();
    let at_once = futures_util::future::join_all((0..20).map(|_| node.draw(1))).await;
    assert_eq!(at_once.into_iter().filter(Result::is_ok).count(), 4, "counted in memory");
    assert!(began.elapsed() < AT_ONCE);
    node.stands(|standing| !standing.is_up()).await;
    assert!(node.draw(2).await.is_ok(), "and nobody asks it any more");
    server.thaw();
    node.stands(Standing::is_up).await;
    assert_eq!(node.admitted(3, 10).await, 5);
}

#[tokio::test]
async fn an_emptied_redis_gives_no_node_a_second_budget() {
    let server = RedisServer::start().await;
    let node = Node::on(&server, rule()).await;
    assert_eq!(node.admitted(1, 5).await, 5);
    server.flush().await;
    assert_eq!(node.admitted(1, 5).await, 0);
}

#[tokio::test]
async fn without_fallback_what_can_not_be_asked_is_refused() {
    let mut server = RedisServer::start().await;
    let config = Config { url: server.url(), fallback: false, ..Config::default() };
    let node = Node::with(config, rule()).await;
    assert!(node.draw(1).await.is_ok());
    server.kill().await;
    assert_eq!(node.draw(1).await, Err(Refused::Unavailable));
    server.restart().await;
    node.stands(Standing::is_up).await;
    assert!(node.draw(1).await.is_ok());
}

#[tokio::test]
async fn a_pace_goes_on_in_memory_and_is_settled_again_when_redis_is_back() {
    let mut server = RedisServer::start().await;
    let slow = Rule::new(60, 3_600_000).with_burst(10);
    let [one, other] = [Node::on(&server, slow).await, Node::on(&server, slow).await];
    server.kill().await;
    for node in [&one, &other] {
        assert_eq!(node.paced(1, 100), 10);
        assert_eq!(node.settle().await, 0);
        assert_eq!(node.paced(1, 100), 0);
        node.stands(|standing| !standing.is_up()).await;
    }
    server.restart().await;
    one.stands(Standing::is_up).await;
    other.stands(Standing::is_up).await;
    assert_eq!(one.paced(2, 10), 10);
    assert_eq!(other.paced(2, 1), 1);
    assert_eq!([one.settle().await, other.settle().await], [1, 1], "what was spent meanwhile is not charged late");
    assert_eq!(other.paced(2, 10), 0);
}
