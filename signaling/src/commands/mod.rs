//! From a command's name to what does it. Bodies are parsed and checked here; what a call makes of them the machine says.

mod history;
mod host;
mod join;
mod leg;
mod start;

use std::sync::Arc;

use link::calls::{CALLS_RESTATE, CALLS_TOLD};
use link::{Actor, Call, Caller, Refusal, Reply};
use protocol::CallId;
use protocol::accounts::Done;
use runtime::audit::Spool;

use crate::audit;
use crate::desk::{Changed, Desk};
use crate::machine::{CallState, Device, Input};
use crate::refuse;

/// Serves a command, and audits its denial.
pub(crate) async fn execute(desk: &Desk, spool: &Spool, call: Call) -> Reply {
    if call.actor == Actor::System && call.command == CALLS_RESTATE {
        return desk.restate().await.map(|()| Done::default()).into();
    }
    if call.actor == Actor::System && call.command == CALLS_TOLD {
        return match call.parse() {
            Ok(told) => desk.told(told).await.map(|()| Done::default()).into(),
            Err(refusal) => refusal.into(),
        };
    }
    let caller = match call.caller() {
        Ok(caller) => caller,
        Err(refusal) => return refusal.into(),
    };
    let reply = dispatch(Command { desk, spool, call: &call, caller }).await;
    if let Err(refusal) = &reply.result {
        audit::denial(spool, &call, caller, refusal);
    }
    reply
}

async fn dispatch(command: Command<'_>) -> Reply {
    match command.call.command.as_str() {
        "call.start" => command.start().await.into(),
        "call.join" => command.join().await.into(),
        "call.ring" => command.ring().await.into(),
        "call.decline" => command.decline().await.into(),
        "call.leave" => command.leave().await.into(),
        "call.end" => command.end().await.into(),
        "call.media" => command.media().await.into(),
        "call.signal" => command.signal().await.into(),
        "call.ice" => command.ice().await.into(),
        "call.admit" => command.admit().await.into(),
        "call.mute" => command.mute().await.into(),
        "call.remove" => command.remove().await.into(),
        "call.quality" => command.quality().await.into(),
        "call.get" => command.get().await.into(),
        "calls.list" => command.list().await.into(),
        "calls.seen" => command.seen().await.into(),
        unknown => Refusal::unsupported(unknown).into(),
    }
}

/// A command on its way to being done.
#[derive(Clone, Copy)]
struct Command<'a> {
    desk: &'a Desk,
    spool: &'a Spool,
    call: &'a Call,
    caller: Caller,
}

impl Command<'_> {
    /// The call that the command is about. A text that is no id names nothing.
    fn call_id(&self) -> Result<CallId, Refusal> {
        self.call.to.as_deref().and_then(|to| to.parse().ok()).ok_or_else(refuse::not_found)
    }

    /// The call, for someone who has a part in it; for anyone else it does not exist.
    async fn visible(&self) -> Result<Arc<CallState>, Refusal> {
        let has_part = |call: &Arc<CallState>| call.parts.contains_key(&self.caller.user);
        let ask = |call: &Arc<CallState>| if has_part(call) { Ok(Arc::clone(call)) } else { Err(refuse::not_found()) };
        self.desk.ask(self.call_id()?, ask).await
    }

    /// The call, for a leg that is in it.
    async fn with_leg(&self, epoch: u64) -> Result<Arc<CallState>, Refusal> {
        let user = self.caller.user;
        let ask = |call: &Arc<CallState>| match call.parts.contains_key(&user) {
            true => call.leg(user, epoch).map(|_| Arc::clone(call)).map_err(refuse::of_machine),
            false => Err(refuse::not_found()),
        };
        self.desk.ask(self.call_id()?, ask).await
    }

    /// The device that asks: a leg stands on a socket.
    fn device(&self) -> Result<Device, Refusal> {
        let connection = self.caller.connection.ok_or_else(|| refuse::invalid("a call is joined on a socket"))?;
        Ok(Device { session: self.caller.session, connection })
    }

    /// Something happens to a call that the caller has a part in.
    async fn apply(&self, input: Input) -> Result<Changed, Refusal> {
        let call = self.visible().await?;
        self.desk.change(call.id, input).await
    }

    /// The same, answered with the call.
    async fn applied(&self, input: Input) -> Result<protocol::calls::Call, Refusal> {
        self.apply(input).await.map(|changed| changed.call.view())
    }
}
