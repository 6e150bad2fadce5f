//! What several processes have to say to each other about a call.

use std::sync::Arc;

use link::Refusal;
use link::calls::CALLS_TOLD;
use protocol::{CallId, ErrorCode};

use super::Desk;
use crate::machine::{CallState, Input};
use crate::refuse;
use crate::store::{SharedCalls, Told};

impl Desk {
    /// This process serves the legs of a call from now on: when it dies they have to come back elsewhere.
    pub(crate) async fn serve(&self, call: CallId) {
        let Some(shared) = &self.shared else { return };
        // The call goes on all the same; whoever follows the last owner finds it too.
        if let Err(error) = shared.serve(call).await {
            tracing::warn!(%call, %error, "it could not be noted who serves a call");
        }
        self.count();
    }

    /// Another process has told something.
    pub(crate) async fn hear(&self, shared: &SharedCalls, told: Told) {
        shared.heard(&told).await;
        match told {
            Told::Version(call) => self.heard(*call),
            Told::Served { call, by } | Told::Adopted { call, by } if by != shared.redis().node() => {
                self.mailboxes.close_all(call);
            }
            Told::Served { .. } | Told::Adopted { .. } => {}
        }
        self.count();
    }

    /// What is to be said of a call that is neither in memory nor in the store. One who has not read what goes on can't say that it is not there:
    /// the device would give its call up.
    pub(super) fn unknown(&self) -> Refusal {
        match &self.shared {
            Some(shared) if !shared.has_read() => Refusal::of(ErrorCode::Unavailable).after(1_000),
            _ => refuse::not_found(),
        }
    }

    /// Whether this process knows of every call that goes on, and may say that there is no other.
    pub(crate) async fn knows_all(&self) -> Result<bool, Refusal> {
        match &self.shared {
            Some(shared) => shared.knows_all().await.map_err(refuse::of_store),
            None => Ok(true),
        }
    }

    /// How many calls go on here, as the metric tells it: each counts at the process that serves it.
    pub(crate) fn count(&self) {
        let here = || self.shared.as_ref().map_or_else(|| self.live.len(), |shared| shared.count_served());
        self.meters.active(here);
    }

    /// Whether it is this process that decides what happens to a call by itself.
    pub(super) async fn decides(&self, call: CallId) -> bool {
        match &self.shared {
            Some(shared) => shared.decides(call).await,
            None => true,
        }
    }

    /// What has become of a call that went on apart from others: everyone hears it, and what follows is found.
    pub(crate) async fn came_back(&self, call: CallState) {
        self.heard(call.clone());
        self.count();
        self.tell_again(&call);
        if let Err(refusal) = self.change(call.id, Input::Due).await {
            tracing::warn!(call = %call.id, %refusal, "what follows from a merged call waits for its deadline");
        }
    }

    /// Another process has written a version while Redis is gone for it. What comes of it together with what went on here is told, where it is
    /// neither.
    pub(crate) async fn told(&self, call: CallState) -> Result<(), Refusal> {
        let Some(shared) = &self.shared else { return Err(Refusal::unsupported(CALLS_TOLD)) };
        match shared.told(&call).await.map_err(refuse::of_store)? {
            Some(stands) if stands != call => self.came_back(stands).await,
            Some(stands) => self.heard(stands),
            None => {}
        }
        Ok(())
    }

    /// Another process has written a version, and told it. What is held of the one before goes.
    pub(crate) fn heard(&self, call: CallState) {
        let before = self.live.get(call.id);
        if before.as_ref().is_some_and(|before| before.version >= call.version) {
            return;
        }
        let call = Arc::new(call);
        self.live.put(&call);
        if let Some(before) = &before {
            self.end_legs(before, &call);
        }
        if call.deadline() != before.and_then(|before| before.deadline()) {
            self.deadlines.notify_one();
        }
    }
}
