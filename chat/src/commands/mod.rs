//! From a command's name to what does it: bodies are parsed and checked here, and judged in the transaction.

mod conversations;
mod members;
mod messages;
mod presence;

use link::{Actor, Call, Refusal, Reply};
use protocol::limits::PAGE_MAX;
use protocol::{ConversationId, ErrorCode};

use crate::calls;
use crate::origin::Origin;
use crate::refuse::invalid;
use crate::service::Chat;

/// The page of lists that name no limit.
const PAGE_DEFAULT: usize = 50;

/// Serves a command, and audits its denial.
pub(crate) async fn execute(chat: &Chat, call: Call) -> Reply {
    if call.actor == Actor::System {
        return calls::execute(&chat.shared, &call).await.unwrap_or_else(calls::unknown);
    }
    let origin = match Origin::of(&call) {
        Ok(origin) => origin,
        Err(refusal) => return refusal.into(),
    };
    let reply = dispatch(Command { chat, origin: &origin, call: &call }).await;
    if let Err(refusal) = &reply.result {
        let reason = match refusal.code {
            ErrorCode::Forbidden => "forbidden",
            ErrorCode::Banned => "banned",
            ErrorCode::NotFound if call.to.is_some() => "not_found",
            _ => return reply,
        };
        chat.shared.spool.report(origin.denial(&call.command, call.to.as_deref(), reason));
    }
    reply
}

async fn dispatch(command: Command<'_>) -> Reply {
    match command.call.command.as_str() {
        "messages.send" => command.send().await.into(),
        "messages.edit" => command.edit().await.into(),
        "messages.delete" => command.delete().await.into(),
        "messages.list" => command.history().await.into(),
        "messages.revisions" => command.revisions().await.into(),
        "read.mark" => command.mark_read().await.into(),
        "typing.set" => command.typing().await.into(),
        "conversations.create" => command.create().await,
        "conversations.list" => command.conversations().await.into(),
        "conversations.get" => command.conversation().await.into(),
        "conversations.update" => command.rename().await.into(),
        "channels.find" => command.channels().await.into(),
        "channels.join" => command.join().await.into(),
        "members.list" => command.members().await.into(),
        "members.invite" => command.invite().await.into(),
        "members.kick" => command.kick().await.into(),
        "members.role" => command.role().await.into(),
        "members.leave" => command.leave().await.into(),
        "members.ban" => command.ban().await.into(),
        "members.unban" => command.unban().await.into(),
        "presence.get" => command.presence().await.into(),
        "presence.set" => command.set_presence().into(),
        "presence.watch" => command.watch_presence().await.into(),
        unknown => Refusal::unsupported(unknown).into(),
    }
}

/// A command on its way to being done.
#[derive(Clone, Copy)]
struct Command<'a> {
    chat: &'a Chat,
    origin: &'a Origin,
    call: &'a Call,
}

impl Command<'_> {
    /// The conversation that the command is about. A text that is no id names nothing.
    fn conversation_id(&self) -> Result<ConversationId, Refusal> {
        self.call.to.as_deref().and_then(|to| to.parse().ok()).ok_or_else(|| Refusal::of(ErrorCode::NotFound))
    }
}

/// The size of a page.
fn page_size(limit: Option<u32>, default: usize) -> Result<usize, Refusal> {
    match limit.map(|limit| limit as usize) {
        None => Ok(default),
        Some(limit) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(invalid(format!("limit: 1 to {PAGE_MAX}"))),
    }
}
