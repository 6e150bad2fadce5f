//! What each service's listener serves: the gateway its routes, every service the operators' ones.

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::middleware;
use ipnet::IpNet;
use protocol::ServiceName;
use runtime::http::{context_layer, declare_endpoint, metrics_layer};
use runtime::ops::{self, Readiness};
use runtime::telemetry::metrics::MetricsHandles;

const OPS_ROUTES: [&str; 3] = ["/metrics", "/healthz", "/readyz"];

/// The operators' routes of a service, counted like all others.
pub(crate) fn operators(
    service: ServiceName,
    handles: &MetricsHandles,
    readiness: Readiness,
    networks: Vec<IpNet>,
) -> Router {
    for route in OPS_ROUTES {
        declare_endpoint(service, &Method::GET, route);
    }
    ops::router(service, handles.clone(), readiness, networks)
        .layer(middleware::from_fn_with_state(service, metrics_layer))
        .layer(middleware::from_fn_with_state(service, context_layer))
}

/// A listener that has nothing but the operators' routes.
pub(crate) fn operators_only(routes: Router) -> Router {
    routes.fallback(|| async { StatusCode::NOT_FOUND })
}
