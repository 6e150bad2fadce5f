//! The router: an allow-list made from the command table. Everything else is a file of the web client, or unknown.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware;
use axum::response::Response;
use axum::routing::any;
use link::Refusal;
use protocol::commands::{COMMANDS, CommandSpec};
use protocol::{ErrorCode, ServiceName};
use runtime::http::{context_layer, declare_endpoint, metrics_layer};

use super::answer::refuse;
use super::request::Origin;
use super::state::Edge;
use super::{files, headers, rest};
use crate::socket;

/// Where the socket is.
const SOCKET_PATH: &str = "/v1/ws";

/// The whole public surface.
pub(crate) fn router(edge: Arc<Edge>) -> Router {
    let mut router = Router::new();
    for (path, specs) in paths() {
        for spec in specs.iter() {
            declare(spec);
        }
        let edge = Arc::clone(&edge);
        let serve = move |request: Request| rest::serve(Arc::clone(&edge), Arc::clone(&specs), request);
        router = router.route(path, any(serve));
    }
    let upgrading = Arc::clone(&edge);
    let upgrade = move |request: Request| socket::upgrade(Arc::clone(&upgrading), request);
    declare_endpoint(ServiceName::Gateway, &http::Method::GET, SOCKET_PATH);
    router
        .route(SOCKET_PATH, any(upgrade))
        .fallback(move |request: Request| unrouted(Arc::clone(&edge), request))
        .layer(middleware::from_fn(headers::security))
        .layer(middleware::from_fn_with_state(ServiceName::Gateway, metrics_layer))
        .layer(middleware::from_fn_with_state(ServiceName::Gateway, context_layer))
}

/// The commands of each path.
fn paths() -> BTreeMap<&'static str, Arc<[&'static CommandSpec]>> {
    let mut paths: BTreeMap<&'static str, Vec<&'static CommandSpec>> = BTreeMap::new();
    for spec in COMMANDS {
        if let Some(rest) = spec.rest {
            paths.entry(rest.path).or_default().push(spec);
        }
    }
    paths.into_iter().map(|(path, specs)| (path, specs.into())).collect()
}

fn declare(spec: &CommandSpec) {
    if let Some(rest) = spec.rest
        && let Ok(method) = rest.method.as_str().parse()
    {
        declare_endpoint(ServiceName::Gateway, &method, rest.path);
    }
}

async fn unrouted(edge: Arc<Edge>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if edge.config.web
        && let Some(file) = files::serve(&parts)
    {
        return file;
    }
    refuse(&Refusal::of(ErrorCode::UnknownCommand), Origin::of(&parts).request_id)
}
