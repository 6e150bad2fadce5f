//! What nodes admit too much is a burst each, and it is owed.

use rig::RedisServer;

use super::super::paced::SETTLED_AT_ONCE;
use super::*;

/// Ten milliseconds a unit.
fn brisk() -> Rule {
    Rule::new(6_000, 60_000).with_burst(20)
}

/// So slow that nothing grows back while a test looks.
fn slow() -> Rule {
    Rule::new(60, 3_600_000).with_burst(10)
}

#[tokio::test]
async fn after_a_settlement_a_node_knows_what_the_others_have_spent() {
    let server = RedisServer::start().await;
    let [one, other] = [Node::on(&server, slow()).await, Node::on(&server, slow()).await];
    assert_eq!(one.paced(1, 8), 8);
    assert_eq!(other.paced(1, 1), 1, "it does not know yet");
    assert_eq!([one.settle().await, other.settle().await], [1, 1]);
    assert_eq!(other.paced(1, 10), 1, "eight and one are spent");
    assert_eq!(other.paced(2, 100), 10, "another key has its own pace");
}

#[tokio::test]
async fn two_nodes_admit_at_most_a_burst_each_and_owe_what_was_too_much() {
    let server = RedisServer::start().await;
    let [one, other] = [Node::on(&server, slow()).await, Node::on(&server, slow()).await];
    assert_eq!(one.paced(1, 100) + other.paced(1, 100), 20);
    one.settle().await;
    other.settle().await;
    // Who comes to a third node gets its burst there once, and then all know.
    let third = Node::on(&server, slow()).await;
    assert_eq!(third.paced(1, 1), 1);
    third.settle().await;
    assert_eq!(third.paced(1, 100), 0);
    let refused = third.paced.take(1, third.now());
    assert!(refused.retry_after_ms > 10 * 60_000, "two bursts and one unit are owed: {refused:?}");
    assert!(refused.retry_after_ms <= slow().window_ms);
}

#[tokio::test]
async fn over_time_nodes_together_keep_the_pace_of_one() {
    let server = RedisServer::start().await;
    let nodes = [Node::on(&server, brisk()).await, Node::on(&server, brisk()).await];
    let began = Instant::now();
    let (mut admitted, mut rounds) = (0, 0);
    while rounds < 300 || began.elapsed().as_millis() < 600 {
        rounds += 1;
        for node in &nodes {
            admitted += node.paced(1, 50);
        }
        for node in &nodes {
            node.settle().await;
        }
    }
    let grown = began.elapsed().as_millis() as usize / 10;
    let bursts = 20 * nodes.len();
    // One more for the unit that is under way at either end.
    assert!(admitted <= grown + bursts + 1, "{admitted} of {grown} and {bursts}");
    assert!(admitted >= grown / 2, "{admitted} of {grown}: nobody may be shut out");
}

#[tokio::test]
async fn a_pace_expires_by_itself_and_what_is_owed_is_bounded() {
    let server = RedisServer::start().await;
    let rule = Rule::new(10, 60_000);
    let nodes = [Node::on(&server, rule).await, Node::on(&server, rule).await, Node::on(&server, rule).await];
    for node in &nodes {
        node.paced(1, 10);
        node.settle().await;
    }
    let left: i64 = server.ask(&["PTTL", &nodes[0].redis.key("limit:paced", 1)]).await[1..].parse().unwrap();
    assert!((60_001..=114_000).contains(&left), "a burst and a window at most: {left}");
}

#[tokio::test]
async fn a_settlement_takes_a_bounded_number_of_keys_and_the_rest_comes_next() {
    let server = RedisServer::start().await;
    let node = Node::on(&server, slow()).await;
    for key in 0..SETTLED_AT_ONCE as u32 + 10 {
        node.paced(key, 1);
    }
    assert_eq!([node.settle().await, node.settle().await, node.settle().await], [SETTLED_AT_ONCE, 10, 0]);
}
