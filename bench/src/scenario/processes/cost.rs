//! What a run costs, and how its figures read in the table.

use std::time::Duration;

use crate::report::spread;
use crate::stats::{Median, quantile};

/// One run.
pub(super) struct Cost {
    /// How many messages were sent under load.
    pub(super) messages: usize,
    /// CPU of all server processes meanwhile.
    pub(super) cpu: Duration,
    /// How long that took.
    pub(super) wall: Duration,
    /// What Redis did meanwhile.
    pub(super) redis: Option<RedisCost>,
    /// One message at a time, in milliseconds.
    pub(super) latencies_ms: Vec<f64>,
    /// From the answer to a logout to the end of the login's socket, in milliseconds.
    pub(super) logouts_ms: Vec<f64>,
}

/// What Redis did.
#[derive(Clone, Copy, Debug)]
pub(super) struct RedisCost {
    pub(super) cpu: Duration,
    pub(super) commands: f64,
    pub(super) bytes: f64,
}

/// A row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Figure {
    ServerCpu,
    PerSecond,
    RedisCpu,
    RedisCommands,
    RedisBytes,
    Median,
    Slow,
    LogoutMedian,
    LogoutSlow,
}

impl Figure {
    pub(super) const ALL: [Self; 9] = [
        Self::ServerCpu,
        Self::PerSecond,
        Self::RedisCpu,
        Self::RedisCommands,
        Self::RedisBytes,
        Self::Median,
        Self::Slow,
        Self::LogoutMedian,
        Self::LogoutSlow,
    ];

    pub(super) const fn what(self) -> &'static str {
        match self {
            Self::ServerCpu => "CPU of the services, a message to 8 devices",
            Self::PerSecond => "messages, end to end",
            Self::RedisCpu => "CPU of Redis, a message",
            Self::RedisCommands => "commands to Redis, a message",
            Self::RedisBytes => "bytes to and from Redis, a message",
            Self::Median => "send to another's event, p50",
            Self::Slow => "send to another's event, p99",
            Self::LogoutMedian => "logout's answer to the socket's end, p50",
            Self::LogoutSlow => "logout's answer to the socket's end, p99",
        }
    }

    pub(super) const fn unit(self) -> &'static str {
        match self {
            Self::ServerCpu | Self::RedisCpu => "us",
            Self::PerSecond => "messages / s",
            Self::RedisCommands => "commands",
            Self::RedisBytes => "bytes",
            Self::Median | Self::Slow | Self::LogoutMedian | Self::LogoutSlow => "ms",
        }
    }

    /// The median of the runs; a dash where there is no such thing.
    pub(super) fn cell(self, costs: &[Cost]) -> String {
        let figures: Option<Vec<f64>> = costs.iter().map(|cost| self.of(cost)).collect();
        figures.and_then(|figures| Median::of(&figures)).map_or_else(|| "–".to_owned(), spread)
    }

    fn of(self, cost: &Cost) -> Option<f64> {
        let messages = cost.messages as f64;
        let micros = |cpu: Duration| cpu.as_secs_f64() * 1e6 / messages;
        match self {
            Self::ServerCpu => Some(micros(cost.cpu)),
            Self::PerSecond => Some(messages / cost.wall.as_secs_f64()),
            Self::RedisCpu => cost.redis.map(|redis| micros(redis.cpu)),
            Self::RedisCommands => cost.redis.map(|redis| redis.commands / messages),
            Self::RedisBytes => cost.redis.map(|redis| redis.bytes / messages),
            Self::Median => quantile(&cost.latencies_ms, 0.5),
            Self::Slow => quantile(&cost.latencies_ms, 0.99),
            Self::LogoutMedian => quantile(&cost.logouts_ms, 0.5),
            Self::LogoutSlow => quantile(&cost.logouts_ms, 0.99),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_per_message_and_what_is_not_there_is_a_dash() {
        let cost = Cost {
            messages: 1_000,
            cpu: Duration::from_millis(50),
            wall: Duration::from_secs(2),
            redis: None,
            latencies_ms: vec![1.0, 2.0],
            logouts_ms: Vec::new(),
        };
        let costs = [cost];
        assert!(Figure::ServerCpu.cell(&costs).starts_with("50.00"));
        assert!(Figure::PerSecond.cell(&costs).starts_with("500"));
        assert_eq!(Figure::RedisCommands.cell(&costs), "–");
    }
}
