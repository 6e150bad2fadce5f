//! What devices are told: the register of a call, the register of a user's calls, and notices.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use link::{Audience, Event, Identity, Refusal};
use protocol::calls::{CALL_RECOVERED, CALL_RECOVERING, CALL_STATE, CALLS_INDEX, CallIndex, CallNotice};
use protocol::{Millis, UserId};
use serde::Serialize;

use super::Desk;
use crate::machine::{CallState, Notice, Outcome};
use crate::refuse;
use crate::store::StoreError;

/// For how long a notice is worth something.
const NOTICE_MS: Millis = 30_000;
/// Calls that were over for no longer than this are told once more when hints were missed.
const OVER_LATELY_MS: Millis = 10 * 60 * 1_000;
/// At most so many of them.
const OVER_LATELY_MAX: usize = 10_000;

impl Desk {
    /// Tells a version, and what is told once with it.
    pub(super) fn tell(&self, call: &CallState, outcome: &Outcome) {
        self.publish(state(call, audience(call)));
        for notice in &outcome.notices {
            self.publish(notify(call, *notice));
        }
    }

    /// Tells a version once more. Who was not there when a process was lost is told that the call is recovering, too.
    pub(crate) fn tell_again(&self, call: &CallState) {
        self.publish(state(call, audience(call)));
        if call.recovering {
            self.publish(notify(call, Notice::Recovering));
        }
    }

    /// A gateway may have missed something: it is told all. One who is about to read what goes on is asked again.
    pub(crate) async fn restate(&self) -> Result<(), Refusal> {
        self.knows_all().await?;
        self.restate_all(OVER_LATELY_MS).await.map_err(refuse::of_store)
    }

    /// Tells all that goes on, and what was over for no longer than this.
    pub(crate) async fn restate_all(&self, over_lately: Millis) -> Result<(), StoreError> {
        let now = self.store.now().await?;
        let since = now.saturating_sub(over_lately);
        let over = self.store.over_since(since, OVER_LATELY_MAX).await?;
        over.iter().for_each(|call| self.tell_again(call));
        self.live.all().iter().for_each(|call| self.tell_again(call));
        self.tell_signals_again(now);
        Ok(())
    }

    /// Tells a user's devices which calls go on and how many were missed.
    pub(crate) async fn tell_index(&self, user: UserId) {
        match self.index(user).await {
            Ok(event) => self.publisher.publish(event),
            // The next connection of each device is told anyway.
            Err(refusal) => tracing::warn!(%user, %refusal, "missed calls could not be told"),
        }
    }

    /// Everything that a device is told when it connects.
    pub(crate) async fn registers(&self, user: UserId) -> Result<Vec<Event>, Refusal> {
        let only: Arc<[UserId]> = Arc::new([user]);
        // The index is read first: a call that begins after it is told by a hint, one that ends is told as over. Who knows only some calls lists none:
        // what a device keeps of any other would be over.
        let index = if self.knows_all().await? { Some(self.index(user).await?) } else { None };
        let states = self.live.of_user(user);
        let mut events: Vec<_> = states.iter().filter_map(|call| state(call, Arc::clone(&only)).ok()).collect();
        events.extend(index);
        Ok(events)
    }

    async fn index(&self, user: UserId) -> Result<Event, Refusal> {
        let missed = self.store.missed(user).await.map_err(refuse::of_store)?;
        let now = self.store.now().await.map_err(refuse::of_store)?;
        let live = self.live.of_user(user).iter().map(|call| call.id).collect();
        let version = self.next_index_version(now);
        let identity = Identity::Register { key: format!("calls:{user}").into(), version };
        event(identity, CALLS_INDEX, Arc::new([user]), now, &CallIndex { live, missed })
    }

    pub(crate) fn publish(&self, event: Result<Event, Refusal>) {
        match event {
            Ok(event) => self.publisher.publish(event),
            Err(refusal) => tracing::error!(%refusal, "an event can't be written"),
        }
    }
}

fn audience(call: &CallState) -> Arc<[UserId]> {
    call.audience().collect()
}

fn state(call: &CallState, users: Arc<[UserId]>) -> Result<Event, Refusal> {
    let identity = Identity::Register { key: format!("call:{}", call.id).into(), version: call.version };
    event(identity, CALL_STATE, users, call.version, &call.view())
}

fn notify(call: &CallState, notice: Notice) -> Result<Event, Refusal> {
    let name = match notice {
        Notice::Recovering => CALL_RECOVERING,
        Notice::Recovered => CALL_RECOVERED,
    };
    let identity = Identity::Ephemeral { until: call.version + NOTICE_MS };
    event(identity, name, audience(call), call.version, &CallNotice { call: call.id })
}

/// An event for these users' devices.
pub(crate) fn event(
    identity: Identity,
    name: &'static str,
    users: Arc<[UserId]>,
    at: Millis,
    body: &impl Serialize,
) -> Result<Event, Refusal> {
    let body = serde_json::to_vec(body).map_err(|error| refuse::internal(&error))?;
    Ok(Event {
        identity,
        audience: Audience::Users(users),
        name: Cow::Borrowed(name),
        at,
        body: Bytes::from(body),
        effects: Arc::default(),
        by_rights: false,
    })
}
