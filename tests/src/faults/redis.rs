//! What is done to Redis itself: to the one server, or to whom the sentinels call the master at the time.

use rig::{RedisServer, Sentinels};

use super::fault::Fault;
use crate::world::World;

/// The Redis of a world whose topology has one that stands alone.
///
/// # Panics
/// When it has none.
pub fn shared_redis(world: &mut World) -> &mut RedisServer {
    world.redis().expect("a topology that has a Redis")
}

fn pair(world: &mut World) -> &mut Sentinels {
    world.sentinels().expect("a Redis that is watched")
}

pub(super) async fn begin(fault: &Fault, world: &mut World) {
    if world.sentinels().is_some() {
        return begin_at_pair(fault, pair(world)).await;
    }
    let redis = shared_redis(world);
    match fault {
        Fault::RedisKilled => redis.kill().await,
        Fault::RedisFrozen => redis.freeze(),
        _ => at_once(fault, redis).await,
    }
}

pub(super) async fn end(fault: &Fault, world: &mut World) {
    if world.sentinels().is_some() {
        return end_at_pair(fault, pair(world)).await;
    }
    let redis = shared_redis(world);
    match fault {
        Fault::RedisKilled => redis.restart().await,
        Fault::RedisFrozen => redis.thaw(),
        _ => {}
    }
}

async fn begin_at_pair(fault: &Fault, pair: &mut Sentinels) {
    match fault {
        Fault::RedisKilled => pair.kill_master().await,
        Fault::RedisFrozen => pair.freeze_master().await,
        Fault::RedisFailedOver => {
            pair.is_whole().await;
            pair.kill_master().await;
        }
        Fault::RedisHandedOver => pair.hand_over().await,
        _ => at_once(fault, pair.master().await).await,
    }
}

async fn end_at_pair(fault: &Fault, pair: &mut Sentinels) {
    match fault {
        Fault::RedisKilled => pair.revive().await,
        Fault::RedisFrozen => pair.thaw(),
        Fault::RedisFailedOver => {
            pair.is_followed().await;
            pair.revive().await;
        }
        _ => {}
    }
}

async fn at_once(fault: &Fault, redis: &RedisServer) {
    match fault {
        Fault::RedisFlushed => redis.flush().await,
        Fault::RedisDropsClients => redis.drop_clients().await,
        _ => {}
    }
}
