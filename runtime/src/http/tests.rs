use axum::body::Body;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::{Extension, Router};
use link::TraceContext;
use protocol::{RequestId, ServiceName};
use tower::ServiceExt;

use super::*;
use crate::telemetry::metrics;

const SERVICE: ServiceName = ServiceName::Signaling;

fn router() -> Router {
    let names = |Extension(id): Extension<RequestId>, Extension(context): Extension<TraceContext>| async move {
        format!("{id} {}", context.trace_id())
    };
    Router::new()
        .route("/calls/{id}", get(names))
        .layer(from_fn_with_state(SERVICE, metrics_layer))
        .layer(from_fn_with_state(SERVICE, context_layer))
}

async fn answer(request: http::request::Builder) -> (http::response::Parts, String) {
    let request: Request = request.body(Body::empty()).unwrap();
    let (parts, body) = router().oneshot(request).await.unwrap().into_parts();
    let bytes = axum::body::to_bytes(body, 10_000).await.unwrap();
    (parts, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn the_callers_names_reach_the_handler_and_come_back() {
    let id = "0190f3a5-7c1e-7000-8000-000000000001";
    let request = Request::builder()
        .uri("/calls/1")
        .header("x-request-id", id)
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let (parts, body) = answer(request).await;
    assert_eq!(body, format!("{id} 4bf92f3577b34da6a3ce929d0e0e4736"));
    assert_eq!(parts.headers["x-request-id"], id);
    let (parts, _) = answer(Request::builder().uri("/calls/1").header("x-request-id", "evil\tvalue")).await;
    assert!(parts.headers["x-request-id"].to_str().unwrap().parse::<RequestId>().is_ok());
}

#[tokio::test]
async fn requests_are_counted_by_pattern_never_by_path() {
    let handles = metrics::install();
    declare_endpoint(SERVICE, &http::Method::POST, "/calls/declared");
    for path in ["/calls/a", "/calls/b", "/nowhere/1", "/nowhere/2"] {
        answer(Request::builder().uri(path)).await;
    }
    answer(Request::builder().method("BREW").uri("/calls/c")).await;
    let text = handles.render(SERVICE);
    let line = |parts: &[&str]| text.lines().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(line(&["http_requests_total", "endpoint=\"/calls/{id}\"", "method=\"GET\"", "status=\"200\""]), "{text}");
    assert!(line(&["endpoint=\"unmatched\"", "status=\"404\""]));
    assert!(line(&["method=\"OTHER\"", "status=\"405\""]));
    assert!(line(&["http_request_duration_seconds_count", "endpoint=\"/calls/declared\"", " 0"]));
    assert!(!text.contains("/nowhere") && !text.contains("BREW"));
}
