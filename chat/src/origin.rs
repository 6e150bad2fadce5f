//! Who asks, and from where: what a command is judged and audited by.

use std::net::IpAddr;

use link::{Call, Refusal, TraceContext};
use protocol::accounts::Role;
use protocol::{ConnectionId, ConversationId, RequestId, SessionId, UserId};
use runtime::audit::{AuditResult, Event};

/// The logged-in user behind a command.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) role: Role,
    client_ip: Option<IpAddr>,
    request_id: RequestId,
    trace: TraceContext,
}

impl Origin {
    pub(crate) fn of(call: &Call) -> Result<Self, Refusal> {
        let caller = call.caller()?;
        Ok(Self {
            user: caller.user,
            session: caller.session,
            connection: caller.connection,
            role: caller.role,
            client_ip: call.context.client_ip,
            request_id: call.context.request_id,
            trace: call.context.trace,
        })
    }

    /// Whether the account may act on messages of conversations that it is no member of.
    pub(crate) fn is_moderator(&self) -> bool {
        self.role >= Role::Moderator
    }

    /// An audit event of this user.
    pub(crate) fn audit(
        &self,
        action: &'static str,
        conversation: ConversationId,
        target: Option<UserId>,
        result: AuditResult,
    ) -> Event {
        let resource = match target {
            Some(user) => format!("conversation:{conversation}/user:{user}"),
            None => format!("conversation:{conversation}"),
        };
        Event::new(action, resource, result).with_user(Some(self.user)).with_request(
            self.client_ip,
            Some(self.request_id),
            Some(self.trace.trace_id()),
        )
    }

    /// The audit event of a denial.
    pub(crate) fn denial(&self, command: &str, to: Option<&str>, reason: &'static str) -> Event {
        // `to` is the client's own text: only what is an id may become a resource.
        let conversation = to.and_then(|to| to.parse::<ConversationId>().ok());
        let resource = conversation.map_or_else(|| "chat".to_owned(), |id| format!("conversation:{id}"));
        Event::new(command.to_owned(), resource, AuditResult::Denied)
            .with_user(Some(self.user))
            .with_reason(reason)
            .with_request(self.client_ip, Some(self.request_id), Some(self.trace.trace_id()))
    }
}
