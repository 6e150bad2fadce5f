//! Does to a world what a plan says.

use std::time::Duration;

use rig::{Way, wait};
use tokio::time::Instant;

use super::fault::{Direction, Fault, Trouble};
use super::plan::{Plan, Step};
use super::redis;
use crate::world::{Line, REDIS, World};

/// One of the two moments of a fault.
#[derive(Clone, Copy)]
enum Moment<'a> {
    Begins(&'a Fault),
    Ends(&'a Fault),
}

/// Breaks and puts right, and answers when the last fault was put right. A process that was killed is started and not awaited: what
/// it waits for may be broken at the time.
///
/// # Panics
/// When a part ended by itself.
pub async fn perform<'plan>(plan: &'plan Plan, world: &mut World) -> Instant {
    let began = Instant::now();
    let both = |step: &'plan Step| {
        let Step { fault, begins, ends } = step;
        [(*begins, Moment::Begins(fault)), (*ends, Moment::Ends(fault))]
    };
    let mut moments: Vec<(Duration, Moment<'_>)> = plan.steps.iter().flat_map(both).collect();
    moments.sort_by_key(|(when, _)| *when);
    // What waits for something, as a failover does for its replica, moves what comes later: nothing is made up for in a hurry.
    let mut late = Duration::ZERO;
    for (when, moment) in moments {
        wait::for_the_moment(began + when + late).await;
        let acts = Instant::now();
        match moment {
            Moment::Begins(fault) => begin(fault, world).await,
            Moment::Ends(fault) => end(fault, world).await,
        }
        late += acts.elapsed();
    }
    Instant::now()
}

async fn begin(fault: &Fault, world: &mut World) {
    match fault {
        Fault::Killed(part) => world.kill(part).await,
        Fault::Frozen(part) => world.freeze(part),
        Fault::Way(..) | Fault::RedisApart(_) => each_way(fault, world, disturb),
        of_redis => redis::begin(of_redis, world).await,
    }
}

async fn end(fault: &Fault, world: &mut World) {
    match fault {
        Fault::Killed(part) => world.launch(part).await,
        Fault::Frozen(part) => world.thaw(part),
        Fault::Way(..) | Fault::RedisApart(_) => each_way(fault, world, settle),
        of_redis => redis::end(of_redis, world).await,
    }
}

fn each_way(fault: &Fault, world: &World, act: fn(&rig::Cable, Trouble)) {
    match fault {
        Fault::Way(line, trouble) => act(world.cable(*line), *trouble),
        Fault::RedisApart(trouble) => {
            let lines = Line::all(world.topology()).into_iter().filter(|line| line.to == REDIS);
            lines.for_each(|line| act(world.cable(line), *trouble));
        }
        _ => {}
    }
}

fn disturb(cable: &rig::Cable, trouble: Trouble) {
    let turn = |direction, way| match direction {
        Direction::There => cable.there(way),
        Direction::Back => cable.back(way),
        Direction::Both => cable.both(way),
    };
    match trouble {
        Trouble::Cut => cable.cut(),
        Trouble::Severed => cable.sever(),
        Trouble::Held(direction) => turn(direction, Way::Frozen),
        Trouble::Lost(direction) => turn(direction, Way::Lost),
        Trouble::Slow(by) => cable.both(Way::Slow(by)),
        Trouble::Split => cable.both(Way::Split),
    }
}

fn settle(cable: &rig::Cable, trouble: Trouble) {
    match trouble {
        Trouble::Cut => {}
        Trouble::Lost(_) => cable.renew(),
        Trouble::Severed | Trouble::Held(_) | Trouble::Slow(_) | Trouble::Split => cable.mend(),
    }
}
