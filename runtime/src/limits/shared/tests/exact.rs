//! Never more than the count in any window, however many nodes ask.

use std::collections::VecDeque;

use proptest::prelude::*;
use proptest::test_runner::{TestCaseResult, TestRunner};
use rig::RedisServer;

use super::super::window;
use super::*;
use crate::limits::{Limiter, SlidingWindow};

#[tokio::test]
async fn what_one_node_admitted_another_one_counts() {
    let server = RedisServer::start().await;
    let [one, other] = [Node::on(&server, Rule::per_minute(5)).await, Node::on(&server, Rule::per_minute(5)).await];
    assert_eq!(one.admitted(1, 3).await, 3);
    assert_eq!(other.draw(1).await.unwrap().remaining, 1);
    assert_eq!(other.admitted(1, 5).await, 1);
    let Err(Refused::Limited(refused)) = one.draw(1).await else { panic!("a sixth was admitted") };
    assert_eq!((refused.limit, refused.remaining), (5, 0));
    assert!((1..=60_000).contains(&refused.retry_after_ms), "{refused:?}");
    assert!(one.draw(2).await.is_ok(), "another key has its own budget");
}

#[tokio::test]
async fn memory_refuses_first_without_a_question() {
    let server = RedisServer::start().await;
    let node = Node::on(&server, Rule::per_minute(2)).await;
    assert_eq!(node.admitted(1, 2).await, 2);
    server.flush().await;
    assert_eq!(node.admitted(1, 10).await, 0, "what it has admitted it knows by itself");
    assert_eq!(server.ask(&["EXISTS", &node.redis.key("limit:exact", 1)]).await, ":0", "Redis was not asked");
}

#[tokio::test]
async fn of_several_budgets_all_are_drawn_from_or_none() {
    let server = RedisServer::start().await;
    let node = Node::on(&server, Rule::per_minute(3)).await;
    let narrow = Exact::new("narrow", Rule::per_minute(1), KEYS_MAX);
    let both = [(&*node.exact, 7), (&narrow, 7)];
    let first = draw(Some(&node.redis), &both, || node.now()).await.unwrap();
    assert_eq!([first[0].remaining, first[1].remaining], [2, 0]);
    // Another node's memory knows nothing: it is the script that refuses.
    let elsewhere = Node::on(&server, Rule::per_minute(3)).await;
    let narrow_there = Exact::new("narrow", Rule::per_minute(1), KEYS_MAX);
    let both = [(&*elsewhere.exact, 7), (&narrow_there, 7)];
    let refused = draw(Some(&elsewhere.redis), &both, || elsewhere.now()).await.unwrap_err();
    assert!(matches!(refused, Refused::Limited(decision) if decision.limit == 1), "{refused:?}");
    assert_eq!(elsewhere.draw(7).await.unwrap().remaining, 1, "the refusal has cost nothing");
}

#[tokio::test]
async fn a_budget_expires_by_itself_and_holds_no_more_than_its_count() {
    let server = RedisServer::start().await;
    let node = Node::on(&server, Rule::per_minute(5)).await;
    node.admitted(1, 20).await;
    let key = node.redis.key("limit:exact", 1);
    assert_eq!(server.ask(&["LLEN", &key]).await, ":5");
    let left: i64 = server.ask(&["PTTL", &key]).await[1..].parse().unwrap();
    assert!((1..=60_000).contains(&left), "{left}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tasks_on_several_nodes_get_no_more_than_the_count() {
    const NODES: usize = 4;
    const TASKS: usize = 50;
    let server = RedisServer::start().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..NODES {
        // On a machine that is busy elsewhere Redis may be late: then none is admitted, instead of one by memory alone.
        let config = Config { url: server.url(), fallback: false, ..Config::default() };
        let node = Node::with(config, Rule::per_minute(100)).await;
        for _ in 0..TASKS {
            let node = node.clone();
            tasks.spawn(async move { [node.draw(1).await, node.draw(1).await, node.draw(1).await] });
        }
    }
    let answers: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let admitted = answers.iter().filter(|answer| answer.is_ok()).count();
    let unanswered = answers.iter().filter(|answer| **answer == Err(Refused::Unavailable)).count();
    assert!(admitted <= 100 && admitted + unanswered >= 100, "{admitted} and {unanswered} unanswered");
}

#[tokio::test]
async fn after_its_clock_was_set_back_redis_makes_nobody_wait_for_it() {
    let server = RedisServer::start().await;
    let node = Node::on(&server, Rule::new(1, 60_000)).await;
    let key = node.redis.key("limit:exact", 1);
    server.ask(&["RPUSH", &key, "99999999999999"]).await;
    assert!(node.draw(1).await.is_ok());
}

/// The script answers as the limiter in memory would have at the same instants.
#[tokio::test(flavor = "multi_thread")]
async fn the_script_is_the_sliding_window() {
    let server = RedisServer::start().await;
    let node = Node::on(&server, Rule::per_minute(1)).await;
    let handle = tokio::runtime::Handle::current();
    let sequences = (0u32..8, 1u64..12, 1u32..8, 1u64..12, proptest::collection::vec(0u8..3, 20..120));
    let sequences = (any::<u64>(), sequences);
    let tried = tokio::task::spawn_blocking(move || {
        let mut runner = TestRunner::new(ProptestConfig { cases: 48, ..ProptestConfig::default() });
        runner.run(&sequences, |(tag, (count, window_ms, other_count, other_window_ms, takes))| {
            let rules = [Rule::new(count, window_ms), Rule::new(other_count, other_window_ms)];
            handle.block_on(compare(&node.redis, tag, rules, takes))
        })
    });
    tried.await.unwrap().unwrap();
}

/// Draws from the first budget, the second, or both.
async fn compare(redis: &Redis, tag: u64, rules: [Rule; 2], takes: Vec<u8>) -> TestCaseResult {
    let mut models = [SlidingWindow::default(), SlidingWindow::default()];
    let mut admitted = [VecDeque::new(), VecDeque::new()];
    for which in takes {
        let drawn: &[usize] = [&[0][..], &[1], &[0, 1]][usize::from(which)];
        let budgets: Vec<_> = drawn.iter().map(|at| (redis.key("model", format!("{tag}-{at}")), rules[*at])).collect();
        let Ok((now, decisions)) = window::draw(redis, &budgets).await else {
            return Err(TestCaseError::reject("Redis was late"));
        };
        let allowed = drawn.iter().all(|at| models[*at].peek(&rules[*at], now, 1).allowed);
        prop_assert_eq!(decisions.iter().all(|decision| decision.allowed), allowed);
        for (at, decision) in drawn.iter().copied().zip(decisions) {
            let rule = rules[at];
            let model = match allowed {
                true => models[at].take(&rule, now, 1),
                false => models[at].peek(&rule, now, 1),
            };
            if allowed || !model.allowed {
                prop_assert_eq!(decision, model);
            }
            if allowed {
                admitted[at].push_back(now);
                let inside = admitted[at].iter().filter(|then| **then + rule.window_ms > now).count();
                prop_assert!(inside <= rule.count as usize);
            }
        }
    }
    Ok(())
}
