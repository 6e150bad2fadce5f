//! What only two nodes can show: one of them is gone, what is decided on one takes effect on the other, and calls and connections go over both.

mod calls;
mod gone;
mod moved;
mod revoked;

use harness::{Person, Topology, World, wait};
use protocol::ServiceName::{Gateway, Signaling};

/// The node that has everything.
const A: &str = "a";
/// The node that reaches the rest on the other one.
const B: &str = "b";

/// Someone whose sockets and REST calls go to one node.
async fn person_on(world: &mut World, node: &'static str, handle: &str) -> Person {
    world.clients_use(node);
    world.person(handle).await
}

/// Two nodes, and someone on each.
async fn two() -> (World, Person, Person) {
    let mut world = World::start(Topology::TwoNodes).await;
    let ann = person_on(&mut world, A, "ann").await;
    let bob = person_on(&mut world, B, "bob").await;
    (world, ann, bob)
}

/// Redis is killed, and both nodes live on their own memory.
async fn redis_dies(world: &mut World) {
    world.redis().unwrap().kill().await;
    stands(world, 0.0, "Redis to be gone").await;
}

/// Redis is back, empty, and both nodes use it again.
async fn redis_returns(world: &mut World) {
    world.redis().unwrap().restart().await;
    stands(world, 1.0, "Redis to be back").await;
}

async fn stands(world: &World, up: f64, what: &str) {
    for node in [A, B] {
        for service in [Gateway, Signaling] {
            wait::until(what, async || {
                let metrics = world.metrics_at(node, service).await;
                let degraded = 1.0 - up;
                let stands = (metrics.sum("redis_up", &[]), metrics.sum("redis_degraded_mode", &[]));
                (stands == (up, degraded)).then_some(())
            })
            .await;
        }
    }
}
