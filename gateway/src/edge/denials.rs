//! Denials that the gateway itself decides, on their way into the audit trail (AD2).
//!
//! They go through the spool: bounded, merged and batched, so that a flood of them costs no write each.

use link::Refusal;
use protocol::{ErrorCode, UserId};
use runtime::audit::{AuditResult, Event, Spool};

use super::request::Origin;

/// Where they go; nowhere when the gateway runs without a store (tests of it alone).
pub(crate) struct Denials {
    spool: Option<Spool>,
}

impl Denials {
    pub(crate) fn new(spool: Option<Spool>) -> Self {
        Self { spool }
    }

    /// Notes that this request was denied, if the refusal is a denial.
    pub(crate) fn note(&self, refusal: &Refusal, resource: &'static str, user: Option<UserId>, origin: &Origin) {
        let action = match refusal.code {
            ErrorCode::Forbidden => "permission.denied",
            ErrorCode::OriginNotAllowed => "origin.denied",
            ErrorCode::TokenRevoked => "token.blacklisted",
            ErrorCode::Unauthenticated => "token.invalid",
            _ => return,
        };
        if let Some(spool) = &self.spool {
            let event = Event::new(action, resource, AuditResult::Denied)
                .with_user(user)
                .with_reason(refusal.code.as_str())
                .with_request(Some(origin.address), Some(origin.request_id), Some(origin.trace.trace_id()));
            spool.report(event);
        }
    }

    /// Writes out what waits.
    pub(crate) async fn drain(&self) {
        if let Some(spool) = &self.spool {
            spool.drain().await;
        }
    }
}
