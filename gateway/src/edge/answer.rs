//! The one shape of every REST answer, and what else stands in its head.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use link::Refusal;
use protocol::envelope::Failure;
use protocol::{ErrorBody, ErrorCode, RequestId, Retry};

use crate::limits::Spent;

/// How long a client waits when a code's rule is `after` and nothing is stated.
const RETRY_AFTER_MS: u64 = 1_000;

/// The error that a client sees.
pub(crate) fn error_body(refusal: &Refusal, request: RequestId) -> ErrorBody {
    let stated = refusal.retry_after_ms;
    let waits = refusal.code.retry() == Retry::After;
    ErrorBody {
        code: refusal.code,
        message: refusal.message.clone(),
        request_id: request.to_string(),
        retry_after_ms: stated.or(waits.then_some(RETRY_AFTER_MS)),
    }
}

/// A refused request.
pub(crate) fn refuse(refusal: &Refusal, request: RequestId) -> Response {
    let error = error_body(refusal, request);
    let status = status(refusal.code);
    // Whoever may repeat at once may do so later, too; clients that know no codes look for the header.
    let wait_ms = error.retry_after_ms.or((status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_AFTER_MS));
    let body = serde_json::to_vec(&Failure { error }).unwrap_or_default();
    let mut response = json(status, body.into());
    if let Some(wait_ms) = wait_ms {
        let seconds = HeaderValue::from(wait_ms.div_ceil(1_000).max(1));
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    if refusal.code == ErrorCode::Unauthenticated {
        let scheme = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}

/// A command's answer in the envelope. The body passes through unread.
pub(super) fn success(body: &Bytes, request: RequestId) -> Response {
    let meta = format!(r#","meta":{{"request_id":"{request}"}}}}"#);
    let mut text = Vec::with_capacity(body.len() + meta.len() + 8);
    text.extend_from_slice(br#"{"data":"#);
    text.extend_from_slice(if body.is_empty() { b"{}" } else { body });
    text.extend_from_slice(meta.as_bytes());
    json(StatusCode::OK, text.into())
}

/// A body as it is, without the envelope: for formats that others have defined.
pub(super) fn plain(body: Bytes) -> Response {
    let mut response = json(StatusCode::OK, body);
    let cache = HeaderValue::from_static("public, max-age=60");
    response.headers_mut().insert(header::CACHE_CONTROL, cache);
    response
}

/// Tells what is left of the tightest budget that was asked.
pub(super) fn tell_limits(response: &mut Response, spent: Spent) {
    let Some(decision) = spent.0 else { return };
    let values = [
        ("x-ratelimit-limit", u64::from(decision.limit)),
        ("x-ratelimit-remaining", u64::from(decision.remaining)),
        ("x-ratelimit-reset", decision.reset_ms.div_ceil(1_000)),
    ];
    for (name, value) in values {
        response.headers_mut().insert(name, value.into());
    }
}

fn json(status: StatusCode, body: Bytes) -> Response {
    let kind = HeaderValue::from_static("application/json");
    let cache = HeaderValue::from_static("no-store");
    let head = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)];
    (status, head, body).into_response()
}

fn status(code: ErrorCode) -> StatusCode {
    StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_503_says_when_to_come_back() {
        for code in ErrorCode::ALL.iter().filter(|code| code.status() == 503) {
            let response = refuse(&Refusal::of(*code), RequestId::now());
            assert_eq!(response.headers()[header::RETRY_AFTER], "1", "{}", code.as_str());
        }
        let stated = refuse(&Refusal::of(ErrorCode::Unavailable).after(2_500), RequestId::now());
        assert_eq!(stated.headers()[header::RETRY_AFTER], "3");
    }
}
