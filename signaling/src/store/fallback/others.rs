//! The other instances, while Redis is gone: each is told over the link what was changed here, before anybody else is.
//!
//! So whichever instance a device asks for its calls knows them all, and one that dies leaves nothing that only it knew. What an instance could
//! not be told is told again twice a second. An instance whose own way to Redis is good writes what it hears there.
//!
//! Two that changed a call without hearing each other merge it as they would at Redis' return, by the rule of the machine.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use link::calls::CALLS_TOLD;
use link::{Call, Service};
use parking_lot::Mutex;
use protocol::CallId;
use protocol::accounts::Done;

use super::super::{CallStore, StoreError};
use super::{Mode, SharedCalls};
use crate::machine::CallState;

/// For so long at most a change waits for an instance to hear of it.
const TOLD_WITHIN: Duration = Duration::from_millis(200);

/// All of them.
pub(crate) struct Others(Vec<Other>);

struct Other {
    service: Arc<dyn Service>,
    /// Which versions it has heard.
    knows: Mutex<HashMap<CallId, u64>>,
}

impl Others {
    pub(crate) fn among(services: Vec<Arc<dyn Service>>) -> Self {
        Self(services.into_iter().map(|service| Other { service, knows: Mutex::default() }).collect())
    }

    /// Tells a version to those that don't know it. One that is gone may come back as another process, which knows nothing.
    async fn tell(&self, call: &CallState) {
        let (there, gone): (Vec<_>, Vec<_>) = self.0.iter().partition(|other| other.service.answers());
        gone.iter().for_each(|other| other.knows.lock().clear());
        join_all(there.iter().filter(|other| !other.knows(call)).map(|other| other.tell(call))).await;
    }

    fn all_know(&self, call: &CallState) -> bool {
        self.0.iter().all(|other| other.knows(call))
    }

    /// Redis knows everything: it is where they hear it from now on.
    pub(super) fn start_anew(&self) {
        self.0.iter().for_each(|other| other.knows.lock().clear());
    }
}

impl Other {
    fn knows(&self, call: &CallState) -> bool {
        self.knows.lock().get(&call.id).is_some_and(|version| *version >= call.version)
    }

    async fn tell(&self, call: &CallState) {
        let Ok(told) = Call::internal(CALLS_TOLD, Some(call.id.to_string()), call) else { return };
        let reply = tokio::time::timeout(TOLD_WITHIN, self.service.execute(told)).await;
        if reply.is_ok_and(|reply| reply.parse::<Done>().is_ok()) {
            self.knows.lock().insert(call.id, call.version);
        }
    }
}

impl SharedCalls {
    /// A version was written here while Redis is gone.
    pub(super) async fn tell_others(&self, call: &CallState) {
        self.others.tell(call).await;
    }

    /// Tells once more what somebody may not know yet.
    pub(crate) async fn tell_others_again(&self) -> Result<(), StoreError> {
        if matches!(*self.mode.read().await, Mode::Shared) {
            return Ok(());
        }
        let changed: Vec<CallId> = self.changed.lock().iter().copied().collect();
        for id in changed {
            let call = match self.live.get(id) {
                Some(call) => Some(call),
                None => self.local.load(id).await?.map(Arc::new),
            };
            if let Some(call) = call {
                self.others.tell(&call).await;
            }
        }
        Ok(())
    }

    /// Another instance has written a version while Redis is gone for it. Answers how the call stands, if this is new here.
    pub(crate) async fn told(&self, call: &CallState) -> Result<Option<CallState>, StoreError> {
        let redis = self.redis.redis();
        if redis.falls_back() && !redis.standing().is_up() {
            // Nobody may have asked here since Redis is gone.
            self.fall_back().await?;
        }
        let mode = self.mode.read().await;
        if matches!(*mode, Mode::Shared) {
            let stands = self.write_back_one(call).await?;
            return Ok(self.is_new(&stands).then_some(stands));
        }
        let held = match self.live.get(call.id) {
            Some(held) => Some(held),
            None => self.local.load(call.id).await?.map(Arc::new),
        };
        let apart = |held: &CallState| {
            let changed_here = self.changed.lock().contains(&call.id);
            changed_here && (held.version >= call.version || !self.others.all_know(held))
        };
        let stands = match held {
            Some(held) if apart(&held) => CallState::merge(&held, call),
            Some(held) if held.version >= call.version => return Ok(None),
            _ => call.clone(),
        };
        if !self.is_new(&stands) {
            return Ok(None);
        }
        self.local.put([&stands]).await?;
        // Whoever of both is there when Redis is back writes it there.
        self.changed.lock().insert(stands.id);
        Ok(Some(stands))
    }

    fn is_new(&self, call: &CallState) -> bool {
        match self.live.get(call.id) {
            Some(held) => call.version > held.version,
            None => true,
        }
    }
}
