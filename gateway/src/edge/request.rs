//! What is known of a request before its body is read.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use http::HeaderMap;
use http::request::Parts;
use link::{Context, Refusal, Scope, TraceContext};
use protocol::{ErrorCode, RequestId};
use runtime::listen::{ClientAddr, Secure};

/// The longest user agent that is passed on.
const USER_AGENT_CHARS_MAX: usize = 200;

/// Where a request comes from and what it is called.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) request_id: RequestId,
    pub(crate) trace: TraceContext,
    pub(crate) address: IpAddr,
    pub(crate) user_agent: Option<Arc<str>>,
    pub(crate) secure: bool,
}

impl Origin {
    /// What the listener and the outer layers noted.
    pub(crate) fn of(parts: &Parts) -> Self {
        let extensions = &parts.extensions;
        let user_agent = header(&parts.headers, "user-agent")
            .map(|text| text.chars().take(USER_AGENT_CHARS_MAX).collect::<String>());
        let trace: TraceContext = extensions.get().copied().unwrap_or_else(|| TraceContext::make(false));
        Self {
            request_id: extensions.get().copied().unwrap_or_else(RequestId::now),
            trace,
            address: extensions.get().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ClientAddr(address)| *address),
            user_agent: user_agent.map(Into::into),
            secure: extensions.get().is_some_and(|Secure(secure)| *secure),
        }
    }

    /// The names of what is done for this request.
    pub(crate) fn scope(&self) -> Scope {
        Scope { request_id: self.request_id, trace: self.trace }
    }

    /// The context of a command of this request.
    pub(crate) fn context(&self) -> Context {
        Context {
            request_id: self.request_id,
            trace: self.trace,
            client_ip: Some(self.address),
            user_agent: self.user_agent.clone(),
        }
    }

    /// The same for one of many commands of a socket: each has a name of its own, and goes on with the trace that its frame names.
    pub(crate) fn context_of_command(&self, traceparent: Option<&str>) -> Context {
        let named = traceparent.and_then(TraceContext::parse).map(|named| named.child());
        Context { request_id: RequestId::now(), trace: named.unwrap_or(self.trace), ..self.context() }
    }
}

/// A header's text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The token of the `Authorization` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let Some(value) = headers.get(http::header::AUTHORIZATION) else {
        return Ok(None);
    };
    let token = value.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    token
        .map(Some)
        .ok_or_else(|| Refusal::new(ErrorCode::Unauthenticated, "Authorization must be `Bearer <access token>`."))
}
