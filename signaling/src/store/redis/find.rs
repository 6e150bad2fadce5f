//! Reads of calls.

use std::str::FromStr;

use protocol::{CallId, ClientId, ConversationId, Millis, UserId};
use runtime::redis::{Cmd, FromRedisValue, cmd, pipe};

use super::super::unit;
use super::{RedisCalls, StoreError, refuse, scripts};
use crate::machine::CallState;

/// States that are asked for in one go: each has to be answered as fast as any other command, or Redis is taken for gone.
const STATES_AT_ONCE: usize = 100;

impl RedisCalls {
    /// One question.
    pub(super) async fn ask<T: FromRedisValue>(&self, name: &'static str, command: &Cmd) -> Result<T, StoreError> {
        self.redis.run(name, command).await.map_err(refuse::of_read)
    }

    /// The states of calls, as far as they are there.
    pub(in crate::store) async fn states(&self, calls: &[CallId]) -> Result<Vec<CallState>, StoreError> {
        let mut states = Vec::with_capacity(calls.len());
        for some in calls.chunks(STATES_AT_ONCE) {
            let mut asks = pipe();
            for call in some {
                asks.hget(self.keys.unit(*call), "state");
            }
            let found: Vec<Option<Vec<u8>>> = self.redis.run_all("calls_load", &asks).await.map_err(refuse::of_read)?;
            for state in found.into_iter().flatten() {
                states.push(unit::parse(&state)?);
            }
        }
        Ok(states)
    }

    pub(super) async fn find_started(&self, user: UserId, client_id: ClientId) -> Result<Option<CallId>, StoreError> {
        let found = self.ask("calls_started", cmd("GET").arg(self.keys.started(user, client_id))).await?;
        one(found)
    }

    pub(super) async fn find_live_in(&self, conversation: ConversationId) -> Result<Option<CallId>, StoreError> {
        let ask = cmd("HGET").arg(&self.keys.conversations).arg(conversation.to_string()).to_owned();
        one(self.ask("calls_live_in", &ask).await?)
    }

    pub(super) async fn find_busy(&self, users: &[UserId], except: Option<CallId>) -> Result<Vec<UserId>, StoreError> {
        let except = except.map(|call| call.to_string()).unwrap_or_default();
        let busy: Vec<String> = self
            .read(&scripts::BUSY, |script| {
                script.key(&self.keys.places).arg(except);
                for user in users {
                    script.arg(user.to_string());
                }
            })
            .await?;
        ids(&busy)
    }

    pub(super) async fn find_live(&self, after: Option<CallId>, limit: usize) -> Result<Vec<CallState>, StoreError> {
        let mut after = after;
        loop {
            let from = after.map_or_else(|| "-".to_owned(), |call| format!("({call}"));
            let ask =
                cmd("ZRANGEBYLEX").arg(&self.keys.live).arg(from).arg("+").arg("LIMIT").arg(0).arg(limit).to_owned();
            let calls: Vec<CallId> = ids(&self.ask::<Vec<String>>("calls_live", &ask).await?)?;
            let Some(last) = calls.last() else { return Ok(Vec::new()) };
            after = Some(*last);
            let mut states = self.states(&calls).await?;
            // One may have ended since its name was read; a page without any call would look like the last one.
            states.retain(|call| !call.status.is_over());
            if !states.is_empty() {
                return Ok(states);
            }
        }
    }

    pub(super) async fn find_over(&self, since: Millis, limit: usize) -> Result<Vec<CallState>, StoreError> {
        let mut ask = cmd("ZREVRANGEBYSCORE");
        ask.arg(&self.keys.over).arg("+inf").arg(since).arg("LIMIT").arg(0).arg(limit);
        let calls = ids(&self.ask::<Vec<String>>("calls_over_since", &ask).await?)?;
        self.states(&calls).await
    }

    /// The earliest time in a sorted set of times.
    pub(super) async fn first_time(&self, key: &str) -> Result<Option<Millis>, StoreError> {
        let mut ask = cmd("ZRANGE");
        ask.arg(key).arg(0).arg(0).arg("WITHSCORES");
        let found: Vec<(String, f64)> = self.ask("calls_next", &ask).await?;
        Ok(found.first().map(|(_, at)| *at as Millis))
    }
}

fn one<I: FromStr>(found: Option<String>) -> Result<Option<I>, StoreError> {
    found.map(|id| id.parse()).transpose().map_err(|_| refuse::unreadable("an id"))
}

pub(super) fn ids<I: FromStr>(found: &[String]) -> Result<Vec<I>, StoreError> {
    found.iter().map(|id| id.parse().map_err(|_| refuse::unreadable("an id"))).collect()
}
