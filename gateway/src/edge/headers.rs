//! What every answer tells a browser not to do (GW6).

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue, header};
use link::trace::{TRACEPARENT_HEADER, TraceContext};
use runtime::listen::Secure;

/// For answers that are no page.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

const FIXED: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("permissions-policy"), HeaderValue::from_static("geolocation=(), payment=(), usb=()")),
];

/// Adds the headers to every answer, and returns the trace it belongs to.
pub(super) async fn security(request: Request, next: Next) -> Response {
    let secure = request.extensions().get() == Some(&Secure(true));
    let trace = request.extensions().get::<TraceContext>().copied();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, value);
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(POLICY);
    if secure {
        let value = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    if let Some(value) = trace.and_then(|trace| HeaderValue::from_str(&trace.header()).ok()) {
        headers.insert(TRACEPARENT_HEADER, value);
    }
    response
}
