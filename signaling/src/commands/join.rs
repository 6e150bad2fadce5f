//! `call.join`: with a new leg, or back to an own one.

use std::sync::Arc;

use link::Refusal;
use protocol::CallId;
use protocol::calls::{Call, Ice, JoinCall, Joined, Media};

use super::Command;
use crate::machine::{CallState, Input};
use crate::refuse;

impl Command<'_> {
    pub(super) async fn join(self) -> Result<Joined, Refusal> {
        let request: JoinCall = self.call.parse()?;
        let id = self.call_id()?;
        match request.epoch {
            Some(epoch) => {
                self.visible().await?;
                self.come_back_to(id, epoch, request.heard, request.media).await
            }
            None => self.join_call(id, request.media).await,
        }
    }

    /// Comes in with a new leg. Membership is asked for now, not when one was called, and once more when the leg is there.
    pub(super) async fn join_call(&self, id: CallId, media: Media) -> Result<Joined, Refusal> {
        let (desk, user) = (self.desk, self.caller.user);
        let device = self.device()?;
        let call = desk.load(id).await?;
        let audience = desk.ask_audience(call.conversation, vec![user], 0).await?;
        if !audience.of_those.contains(&user) {
            return Err(refuse::not_found());
        }
        self.must_be_free(Some(id)).await?;
        desk.serve(id).await;
        let changed = desk.change(id, Input::Join { user, device, epoch: None, media }).await?;
        self.watch_connection().await;
        self.look_again(&changed.call).await?;
        Ok(self.answer(changed.call, changed.outcome.epoch).await)
    }

    /// Comes back to a leg: what it missed meanwhile is answered with it.
    pub(super) async fn come_back_to(
        &self,
        id: CallId,
        epoch: u64,
        heard: u64,
        media: Media,
    ) -> Result<Joined, Refusal> {
        let (desk, user) = (self.desk, self.caller.user);
        let device = self.device()?;
        desk.serve(id).await;
        let changed = desk.change(id, Input::Join { user, device, epoch: Some(epoch), media }).await?;
        self.watch_connection().await;
        let replay = desk.mailboxes.replay(id, user, epoch, heard);
        let mut joined = self.answer(changed.call, Some(epoch)).await;
        joined.signals = replay.signals;
        joined.renegotiate = replay.lost;
        Ok(joined)
    }

    /// The connection carries a leg from now on. It may have closed before its join was judged.
    pub(super) async fn watch_connection(&self) {
        let (Some(connection), Ok(now)) = (self.caller.connection, self.desk.store.now().await) else { return };
        self.desk.connections.carries_leg(connection, now);
    }

    /// Who came in while their membership ended does not stay. Between two people it never ends.
    pub(super) async fn look_again(&self, call: &CallState) -> Result<(), Refusal> {
        if !call.direct && self.desk.look_at(call).await.contains(&self.caller.user) {
            return Err(refuse::not_found());
        }
        Ok(())
    }

    /// The answer of a join.
    pub(super) async fn answer(&self, call: Arc<CallState>, epoch: Option<u64>) -> Joined {
        let user = self.caller.user;
        let ice = match (epoch, self.desk.store.now().await) {
            (Some(epoch), Ok(now)) => {
                self.desk.mailboxes.open(call.id, user, epoch);
                self.desk.ice(call.id, user, epoch, now)
            }
            _ => Ice::default(),
        };
        Joined { call: call.view(), epoch, ice, signals: Vec::new(), renegotiate: false }
    }
}

/// The answer for a call that is over.
pub(super) fn over(call: Call) -> Joined {
    Joined { call, epoch: None, ice: Ice::default(), signals: Vec::new(), renegotiate: false }
}
