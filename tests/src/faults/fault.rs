//! What can break between and in the parts of a system, and what can't break at the same time.

use std::fmt;
use std::time::Duration;

use crate::world::{Line, REDIS};

/// How the Redis that all share is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shared {
    /// One server, with a cable on each way to it.
    Alone,
    /// A master and its replica, watched by sentinels. Nobody has a cable to them: sentinels name the servers by their own addresses.
    Watched,
}

/// The kinds of faults: over a long run all of them occur equally often.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "as the variants of Fault and Trouble")]
pub enum Kind {
    RedisKilled,
    RedisFrozen,
    RedisFlushed,
    RedisDropsClients,
    RedisApart,
    RedisSlow,
    RedisApartFromOne,
    RedisFailedOver,
    RedisHandedOver,
    Killed,
    Frozen,
    Cut,
    Severed,
    Held,
    Lost,
    Slow,
    Split,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::RedisKilled,
        Self::RedisFrozen,
        Self::RedisFlushed,
        Self::RedisDropsClients,
        Self::RedisApart,
        Self::RedisSlow,
        Self::RedisApartFromOne,
        Self::RedisFailedOver,
        Self::RedisHandedOver,
        Self::Killed,
        Self::Frozen,
        Self::Cut,
        Self::Severed,
        Self::Held,
        Self::Lost,
        Self::Slow,
        Self::Split,
    ];

    /// Those that a Redis which is kept in this way can have.
    pub fn of(shared: Shared) -> impl Iterator<Item = Self> {
        let needs_a_cable = |kind| matches!(kind, Self::RedisApart | Self::RedisSlow | Self::RedisApartFromOne);
        let needs_a_replica = |kind| matches!(kind, Self::RedisFailedOver | Self::RedisHandedOver);
        Self::ALL.into_iter().filter(move |kind| match shared {
            Shared::Alone => !needs_a_replica(*kind),
            Shared::Watched => !needs_a_cable(*kind),
        })
    }

    /// Whether it is over as soon as it has happened.
    #[must_use]
    pub fn is_instant(self) -> bool {
        matches!(self, Self::RedisFlushed | Self::RedisDropsClients | Self::RedisHandedOver | Self::Cut)
    }
}

/// Something that breaks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Redis is killed, and comes back empty.
    RedisKilled,
    /// Redis answers nothing, and its connections stay.
    RedisFrozen,
    /// Redis loses all that it holds.
    RedisFlushed,
    /// Redis closes the connections of its clients.
    RedisDropsClients,
    /// The master is killed, its replica follows it, and it comes back as the replica of that.
    RedisFailedOver,
    /// The sentinels promote the replica while the master lives.
    RedisHandedOver,
    /// Nobody's way to Redis is as it should be.
    RedisApart(Trouble),
    /// A process is killed, and started again.
    Killed(&'static str),
    /// A process does nothing, and its connections stay.
    Frozen(&'static str),
    /// A way between two parts is not as it should be.
    Way(Line, Trouble),
}

/// What a way can do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// Its connections end; new ones are made.
    Cut,
    /// Its connections end and there are no new ones.
    Severed,
    /// What is sent waits, and comes in the end.
    Held(Direction),
    /// What is sent is lost while the connections stay.
    Lost(Direction),
    /// What is sent comes so much later.
    Slow(Duration),
    /// What is sent comes byte by byte.
    Split,
}

/// Which direction of a way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// From who connects.
    There,
    /// To who connects.
    Back,
    /// Both.
    Both,
}

impl Fault {
    /// Whether both touch the same thing, so that the end of one would end the other.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Killed(one) | Self::Frozen(one), Self::Killed(other) | Self::Frozen(other)) => one == other,
            (Self::Way(one, _), Self::Way(other, _)) => one == other,
            (Self::RedisApart(_), Self::Way(line, _)) | (Self::Way(line, _), Self::RedisApart(_)) => line.to == REDIS,
            (Self::RedisApart(_), Self::RedisApart(_)) => true,
            (one, other) => one.is_of_the_server() && other.is_of_the_server(),
        }
    }

    /// Whether it is done to Redis itself.
    fn is_of_the_server(&self) -> bool {
        match self {
            Self::RedisKilled | Self::RedisFrozen | Self::RedisFlushed | Self::RedisDropsClients => true,
            Self::RedisFailedOver | Self::RedisHandedOver => true,
            Self::RedisApart(_) | Self::Killed(_) | Self::Frozen(_) | Self::Way(..) => false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RedisKilled => write!(f, "redis killed"),
            Self::RedisFrozen => write!(f, "redis frozen"),
            Self::RedisFlushed => write!(f, "redis flushed"),
            Self::RedisDropsClients => write!(f, "redis drops its clients"),
            Self::RedisFailedOver => write!(f, "redis failed over"),
            Self::RedisHandedOver => write!(f, "redis handed over"),
            Self::RedisApart(trouble) => write!(f, "all-redis {trouble}"),
            Self::Killed(part) => write!(f, "{part} killed"),
            Self::Frozen(part) => write!(f, "{part} frozen"),
            Self::Way(line, trouble) => write!(f, "{line} {trouble}"),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => write!(f, "cut"),
            Self::Severed => write!(f, "severed"),
            Self::Held(direction) => write!(f, "held {direction}"),
            Self::Lost(direction) => write!(f, "lost {direction}"),
            Self::Slow(by) => write!(f, "slow by {by:?}"),
            Self::Split => write!(f, "split"),
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::There => "there",
            Self::Back => "back",
            Self::Both => "both ways",
        })
    }
}
