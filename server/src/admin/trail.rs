//! What the admin listener itself decides, on its way into the audit trail of a service that runs here.
//!
//! Most of what an operator does is audited by the service that does it, in its transaction. Refused requests and the log's filter
//! are nobody's rows; they go by a spool, so that whoever knocks without the token writes a row with a count.

use std::net::IpAddr;

use link::TraceContext;
use protocol::RequestId;
use runtime::audit::{AuditResult, Event, Spool};

/// The way into the trail; a process whose services have no store has only its log.
#[derive(Clone)]
pub(crate) struct Trail(pub(crate) Option<Spool>);

/// Which request an event is about.
#[derive(Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) client: Option<IpAddr>,
    pub(crate) request: Option<RequestId>,
    pub(crate) trace: Option<TraceContext>,
}

impl Trail {
    /// A request without the token. Never waits.
    pub(super) fn refused(&self, asked: Asked) {
        let event = Event::new("admin.request", "admin", AuditResult::Denied).with_reason("unauthenticated");
        self.note(event, asked);
    }

    /// The log's filter was changed; returns once that is on disk.
    pub(super) async fn log_filter(&self, filter: &str, asked: Asked) {
        let event = Event::new("log.filter", "log", AuditResult::Allowed).with_reason(filter.to_owned());
        self.note(event, asked);
        if let Some(spool) = &self.0 {
            spool.drain().await;
        }
    }

    fn note(&self, event: Event, asked: Asked) {
        let event = event.with_request(asked.client, asked.request, asked.trace.map(|trace| trace.trace_id()));
        match &self.0 {
            Some(spool) => spool.report(event),
            None => tracing::info!(
                audit = true,
                action = %event.action,
                resource = %event.resource,
                result = event.result.as_str(),
                reason = event.reason.as_deref(),
                client_ip = asked.client.map(tracing::field::display),
                "audit"
            ),
        }
    }
}
