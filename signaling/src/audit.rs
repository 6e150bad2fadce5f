//! What the audit trail hears of calls: denials, and what a host did to others.

use link::{Call, Caller, Refusal};
use protocol::{CallId, ErrorCode, UserId};
use runtime::audit::{AuditResult, Event, Spool};

/// A command was denied.
pub(crate) fn denial(spool: &Spool, call: &Call, caller: Caller, refusal: &Refusal) {
    let reason = match refusal.code {
        ErrorCode::Forbidden => "forbidden",
        ErrorCode::NotFound if call.to.is_some() => "not_found",
        ErrorCode::NotInCall => "not_in_call",
        ErrorCode::CallTakenOver => "call_taken_over",
        _ => return,
    };
    // `to` is the client's own text: only what is an id may become a resource.
    let id = call.to.as_deref().and_then(|to| to.parse::<CallId>().ok());
    let kind = if call.command == "call.start" { "conversation" } else { "call" };
    let resource = id.map_or_else(|| "calls".to_owned(), |id| format!("{kind}:{id}"));
    spool.report(event(call, caller, resource, AuditResult::Denied).with_reason(reason));
}

/// A host has done something.
pub(crate) fn done(spool: &Spool, call: &Call, caller: Caller, id: CallId, target: Option<UserId>) {
    let resource = match target {
        Some(user) => format!("call:{id}/user:{user}"),
        None => format!("call:{id}"),
    };
    spool.report(event(call, caller, resource, AuditResult::Allowed));
}

fn event(call: &Call, caller: Caller, resource: String, result: AuditResult) -> Event {
    let context = &call.context;
    Event::new(call.command.clone(), resource, result).with_user(Some(caller.user)).with_request(
        context.client_ip,
        Some(context.request_id),
        Some(context.trace.trace_id()),
    )
}
