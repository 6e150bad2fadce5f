//! `http_requests_*` with bounded labels: the route's pattern, never the path; known methods, never a made-up one.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use metrics::Gauge;
use protocol::ServiceName;

use crate::telemetry::metrics::declare;

/// The endpoint label of requests that no route matches.
const UNMATCHED: &str = "unmatched";

/// Middleware for `axum::middleware::from_fn_with_state(service, metrics_layer)`;
/// put it on the router with `layer` after all routes were added.
pub async fn metrics_layer(State(service): State<ServiceName>, request: Request, next: Next) -> Response {
    let service = service.as_str();
    let method = method_label(request.method());
    let endpoint =
        request.extensions().get::<MatchedPath>().map_or_else(|| UNMATCHED.to_owned(), |path| path.as_str().to_owned());
    let _in_flight = InFlight::new(service);
    let begun = Instant::now();
    let response = next.run(request).await;
    metrics::histogram!("http_request_duration_seconds",
        "service" => service, "method" => method, "endpoint" => endpoint.clone())
    .record(begun.elapsed());
    metrics::counter!("http_requests_total",
        "service" => service, "method" => method, "endpoint" => endpoint,
        "status" => response.status().as_u16().to_string())
    .increment(1);
    response
}

/// Shows an endpoint at zero before its first request.
pub fn declare_endpoint(service: ServiceName, method: &Method, endpoint: &str) {
    let labels = [("method", method_label(method)), ("endpoint", endpoint)];
    declare(service, "http_request_duration_seconds", &labels);
    let [method, endpoint] = labels;
    declare(service, "http_requests_total", &[method, endpoint, ("status", "200")]);
}

fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

/// Counts a request while it is worked on, also when its client goes away.
struct InFlight(Gauge);

impl InFlight {
    fn new(service: &'static str) -> Self {
        let gauge = metrics::gauge!("http_requests_in_flight", "service" => service);
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
