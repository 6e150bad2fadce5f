//! What a leg, or someone who is called, says about itself.

use link::Refusal;
use protocol::accounts::Done;
use protocol::calls::{Call, Ice, Leg, ReportQuality, SendSignal, SetMedia};
use protocol::limits::CALL_PARTICIPANTS_MAX;

use super::Command;
use crate::machine::Input;
use crate::refuse;

impl Command<'_> {
    pub(super) async fn ring(self) -> Result<Done, Refusal> {
        self.apply(Input::Ring { user: self.caller.user }).await?;
        Ok(Done::default())
    }

    pub(super) async fn decline(self) -> Result<Call, Refusal> {
        self.applied(Input::Decline { user: self.caller.user }).await
    }

    pub(super) async fn leave(self) -> Result<Call, Refusal> {
        let Leg { epoch } = self.call.parse()?;
        self.applied(Input::Leave { user: self.caller.user, epoch }).await
    }

    pub(super) async fn media(self) -> Result<Call, Refusal> {
        let SetMedia { epoch, media } = self.call.parse()?;
        self.applied(Input::Media { user: self.caller.user, epoch, media }).await
    }

    pub(super) async fn signal(self) -> Result<Done, Refusal> {
        let signal: SendSignal = self.call.parse()?;
        self.desk.signal(self.call_id()?, self.caller.user, signal).await?;
        Ok(Done::default())
    }

    /// New TURN credentials, for whoever is in.
    pub(super) async fn ice(self) -> Result<Ice, Refusal> {
        let Leg { epoch } = self.call.parse()?;
        let call = self.with_leg(epoch).await?;
        let now = self.desk.store.now().await.map_err(refuse::of_store)?;
        Ok(self.desk.ice(call.id, self.caller.user, epoch, now))
    }

    pub(super) async fn quality(self) -> Result<Done, Refusal> {
        let report: ReportQuality = self.call.parse()?;
        self.with_leg(report.epoch).await?;
        if report.peers.len() > CALL_PARTICIPANTS_MAX {
            return Err(refuse::invalid(format!("peers: at most {CALL_PARTICIPANTS_MAX}")));
        }
        report.peers.iter().for_each(|peer| self.desk.meters.quality(peer));
        Ok(Done::default())
    }

    pub(super) async fn get(self) -> Result<Call, Refusal> {
        self.visible().await.map(|call| call.view())
    }
}
