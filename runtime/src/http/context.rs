//! Gives each request its id and its trace context, as extensions, as span fields and in the answer (GW8).

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderValue;
use link::scope::{Scope, within};
use link::trace::{self, REQUEST_ID_HEADER, TRACEPARENT_HEADER, TraceContext};
use protocol::ServiceName;
use tracing::Instrument;

/// Middleware for `axum::middleware::from_fn_with_state(service, context_layer)`.
///
/// Handlers find a [`protocol::RequestId`] and a [`TraceContext`] in the extensions; all that they log carries both, and
/// `user_id` once they record it on the current span; what they ask of other services bears the same names ([`link::scope`]).
pub async fn context_layer(State(service): State<ServiceName>, mut request: Request, next: Next) -> Response {
    let request_id = trace::request_id(header(&request, REQUEST_ID_HEADER));
    let context = TraceContext::of(header(&request, TRACEPARENT_HEADER)).child();
    request.extensions_mut().insert(request_id);
    request.extensions_mut().insert(context);
    let span = tracing::info_span!(
        "request",
        service = service.as_str(),
        request_id = request_id.0.as_u128(),
        trace_id = context.trace_number(),
        user_id = tracing::field::Empty,
    );
    let scope = Scope { request_id, trace: context };
    let mut response = within(scope, next.run(request)).instrument(span).await;
    if let Ok(value) = HeaderValue::from_str(&request_id.to_string()) {
        response.headers_mut().insert(REQUEST_ID_HEADER, value);
    }
    response
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}
