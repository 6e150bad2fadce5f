//! What the host does to others. Each of it stands in the audit trail.

use link::Refusal;
use protocol::UserId;
use protocol::calls::{Call, CallMember};

use super::Command;
use crate::audit;
use crate::machine::Input;

impl Command<'_> {
    pub(super) async fn end(self) -> Result<Call, Refusal> {
        self.as_host(Input::End { by: self.caller.user }, None).await
    }

    pub(super) async fn admit(self) -> Result<Call, Refusal> {
        let CallMember { user } = self.call.parse()?;
        self.as_host(Input::Admit { by: self.caller.user, user }, Some(user)).await
    }

    pub(super) async fn mute(self) -> Result<Call, Refusal> {
        let CallMember { user } = self.call.parse()?;
        self.as_host(Input::Mute { by: self.caller.user, user }, Some(user)).await
    }

    pub(super) async fn remove(self) -> Result<Call, Refusal> {
        let CallMember { user } = self.call.parse()?;
        self.as_host(Input::Remove { by: self.caller.user, user }, Some(user)).await
    }

    async fn as_host(self, input: Input, target: Option<UserId>) -> Result<Call, Refusal> {
        let changed = self.apply(input).await?;
        audit::done(self.spool, self.call, self.caller, changed.call.id, target);
        Ok(changed.call.view())
    }
}
