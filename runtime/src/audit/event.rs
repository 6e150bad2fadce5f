//! The one shape of an audit event.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use protocol::{Millis, RequestId, ServiceName, UserId};
use uuid::Uuid;

/// How what was tried ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditResult {
    /// It was done.
    Allowed,
    /// It was refused.
    Denied,
    /// It was allowed and did not work.
    Failed,
}

impl AuditResult {
    /// The name in the table and the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Allowed, Self::Denied, Self::Failed].into_iter().find(|result| result.as_str() == name)
    }
}

/// Who tried what on what, and how it ended. It never holds a secret or a message's text.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Event {
    /// The event's own id.
    pub event_id: Uuid,
    /// When.
    #[serde(rename = "timestamp")]
    pub at: Millis,
    /// Who, if known.
    pub user_id: Option<UserId>,
    /// On what: `conversation:<id>`, `session:<id>`, `account`.
    pub resource: Cow<'static, str>,
    /// What, as `subject.verb`: `session.login`, `member.kick`.
    pub action: Cow<'static, str>,
    /// How it ended.
    pub result: AuditResult,
    /// Why, for what did not succeed.
    pub reason: Option<Cow<'static, str>>,
    /// From where.
    pub client_ip: Option<IpAddr>,
    /// In which request.
    pub request_id: Option<RequestId>,
    /// In which trace.
    pub trace_id: Option<String>,
}

impl Event {
    /// An event of now; the rest is filled in by the `with_…` methods or the fields.
    pub fn new(
        action: impl Into<Cow<'static, str>>,
        resource: impl Into<Cow<'static, str>>,
        result: AuditResult,
    ) -> Self {
        Self {
            event_id: Uuid::now_v7(),
            at: now_ms(),
            user_id: None,
            resource: resource.into(),
            action: action.into(),
            result,
            reason: None,
            client_ip: None,
            request_id: None,
            trace_id: None,
        }
    }

    /// Names the user.
    #[must_use]
    pub fn with_user(mut self, user_id: Option<UserId>) -> Self {
        self.user_id = user_id;
        self
    }

    /// Gives the reason.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<Cow<'static, str>>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Says from where and in which request.
    #[must_use]
    pub fn with_request(
        mut self,
        client_ip: Option<IpAddr>,
        request_id: Option<RequestId>,
        trace_id: Option<String>,
    ) -> Self {
        self.client_ip = client_ip;
        self.request_id = request_id;
        self.trace_id = trace_id;
        self
    }

    /// Writes the event's log line and counts it.
    pub(super) fn log(&self, service: ServiceName, count: u64) {
        metrics::counter!("audit_events_total",
            "service" => service.as_str(), "result" => self.result.as_str())
        .increment(count);
        tracing::info!(
            audit = true,
            service = service.as_str(),
            event_id = %self.event_id,
            user_id = self.user_id.map(tracing::field::display),
            resource = %self.resource,
            action = %self.action,
            result = self.result.as_str(),
            reason = self.reason.as_deref(),
            client_ip = self.client_ip.map(tracing::field::display),
            request_id = self.request_id.map(tracing::field::display),
            trace_id = self.trace_id.as_deref(),
            count,
            "audit"
        );
    }
}

pub(super) fn now_ms() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
