//! `/metrics`, `/healthz` and `/readyz` on every service's port.
//!
//! They tell an operator much, so strangers get what a path that does not exist gets. Allowed are loopback and the
//! configured networks, and only directly: a request that shows any sign of a proxy comes from somewhere else
//! than it seems, so behind a proxy on the same host these paths don't exist either.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::{Stream, stream};
use http::{StatusCode, header};
use ipnet::IpNet;
use parking_lot::Mutex;
use protocol::ServiceName;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::lifecycle::{Phase, Shutdown};
use crate::listen::{PeerAddr, ViaProxy};
use crate::telemetry::metrics::MetricsHandles;

/// What a service needs in order to serve, and how it stands. Clones share it.
#[derive(Debug, Clone)]
pub struct Readiness {
    shutdown: Shutdown,
    dependencies: Dependencies,
}

/// How each stands, and the word that one of them has changed.
#[derive(Debug, Clone, Default)]
struct Dependencies {
    standings: Arc<Mutex<BTreeMap<Arc<str>, Standing>>>,
    changed: Arc<watch::Sender<()>>,
}

#[derive(Debug, Clone)]
struct Standing {
    needed: bool,
    /// Why it is down; `None` is up.
    down: Option<String>,
}

/// Reports how one dependency stands. Clones share it.
#[derive(Debug, Clone)]
pub struct Dependency {
    name: Arc<str>,
    dependencies: Dependencies,
}

impl Readiness {
    /// Ready as long as `shutdown` has not begun.
    pub fn new(shutdown: Shutdown) -> Self {
        Self { shutdown, dependencies: Dependencies::default() }
    }

    /// Adds a dependency, down until it is reported up. Without a `needed` one the service can't serve.
    pub fn dependency(&self, name: impl Into<Arc<str>>, needed: bool) -> Dependency {
        let name = name.into();
        let standing = Standing { needed, down: Some("starting".to_owned()) };
        self.dependencies.standings.lock().insert(Arc::clone(&name), standing);
        self.dependencies.changed.send_replace(());
        Dependency { name, dependencies: self.dependencies.clone() }
    }

    /// Whether the service can serve.
    pub fn is_ready(&self) -> bool {
        self.shutdown.is_running()
            && self.dependencies.standings.lock().values().all(|standing| !standing.needed || standing.down.is_none())
    }

    /// Whether the service can serve: now, and whenever that changes. It ends with the shutdown.
    pub fn changes(&self) -> impl Stream<Item = bool> + Send + 'static {
        let state = (self.clone(), self.dependencies.changed.subscribe(), None);
        stream::unfold(state, async |(readiness, mut changed, told)| {
            loop {
                // What changes after this look wakes the waiting below.
                changed.mark_unchanged();
                let ready = readiness.is_ready();
                if told != Some(ready) {
                    return Some((ready, (readiness, changed, Some(ready))));
                }
                if !readiness.shutdown.is_running() {
                    return None;
                }
                tokio::select! {
                    // The sender lives as long as `readiness`.
                    _ = changed.changed() => {}
                    () = readiness.shutdown.reached(Phase::NotReady) => {}
                }
            }
        })
    }

    fn report(&self) -> Value {
        let dependencies: serde_json::Map<String, Value> = self
            .dependencies
            .standings
            .lock()
            .iter()
            .map(|(name, standing)| {
                let value = match &standing.down {
                    None => json!({ "state": "up", "needed": standing.needed }),
                    Some(reason) => {
                        json!({ "state": "down", "needed": standing.needed, "reason": reason })
                    }
                };
                (name.to_string(), value)
            })
            .collect();
        let status = match (self.is_ready(), self.shutdown.is_running()) {
            (true, _) => "ready",
            (false, true) => "not_ready",
            (false, false) => "draining",
        };
        json!({ "status": status, "dependencies": dependencies })
    }
}

impl Dependency {
    /// It works.
    pub fn up(&self) {
        self.set(None);
    }

    /// It does not, and why.
    pub fn down(&self, reason: impl Into<String>) {
        self.set(Some(reason.into()));
    }

    fn set(&self, down: Option<String>) {
        if let Some(standing) = self.dependencies.standings.lock().get_mut(&self.name) {
            standing.down = down;
        }
        self.dependencies.changed.send_replace(());
    }
}

#[derive(Clone)]
struct Ops {
    service: ServiceName,
    handles: MetricsHandles,
    readiness: Readiness,
    networks: Arc<[IpNet]>,
}

/// The three routes, for loopback and `networks` only; merge it into the service's router.
pub fn router(service: ServiceName, handles: MetricsHandles, readiness: Readiness, networks: Vec<IpNet>) -> Router {
    let ops = Ops { service, handles, readiness, networks: networks.into() };
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route_layer(middleware::from_fn_with_state(ops.clone(), only_operators))
        .with_state(ops)
}

async fn only_operators(State(ops): State<Ops>, request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let direct = extensions.get::<ViaProxy>() == Some(&ViaProxy(false));
    let near = extensions.get::<PeerAddr>().is_some_and(|PeerAddr(peer)| {
        let peer = peer.ip().to_canonical();
        peer.is_loopback() || ops.networks.iter().any(|network| network.contains(&peer))
    });
    match direct && near {
        true => next.run(request).await,
        false => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn metrics(State(ops): State<Ops>) -> Response {
    // Judged now, so that a scrape and a probe of /readyz at the same moment agree.
    let ready = f64::from(u8::from(ops.readiness.is_ready()));
    metrics::gauge!("service_ready", "service" => ops.service.as_str()).set(ready);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], ops.handles.render(ops.service))
        .into_response()
}

async fn healthz(State(ops): State<Ops>) -> Response {
    Json(json!({ "status": "alive", "service": ops.service.as_str() })).into_response()
}

async fn readyz(State(ops): State<Ops>) -> Response {
    let status = match ops.readiness.is_ready() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(ops.readiness.report())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use futures_util::StreamExt;
    use tower::ServiceExt;

    async fn answer(readiness: &Readiness, path: &str, peer: &str, proxied: bool) -> (StatusCode, String) {
        answer_of(ServiceName::Storage, readiness, path, peer, proxied).await
    }

    async fn answer_of(
        service: ServiceName,
        readiness: &Readiness,
        path: &str,
        peer: &str,
        proxied: bool,
    ) -> (StatusCode, String) {
        let networks = vec!["10.1.0.0/16".parse().unwrap()];
        let handles = crate::telemetry::metrics::install();
        let router = router(service, handles, readiness.clone(), networks);
        let mut request = Request::builder().uri(path).body(Body::empty()).unwrap();
        request.extensions_mut().insert(PeerAddr(peer.parse().unwrap()));
        request.extensions_mut().insert(ViaProxy(proxied));
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        (parts.status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn only_operators_who_come_directly_find_these_paths() {
        let readiness = Readiness::new(Shutdown::new());
        for path in ["/metrics", "/healthz", "/readyz"] {
            for (peer, proxied, status) in [
                ("127.0.0.1:9", false, StatusCode::OK),
                ("10.1.2.3:9", false, StatusCode::OK),
                ("[::ffff:10.1.2.3]:9", false, StatusCode::OK),
                ("127.0.0.1:9", true, StatusCode::NOT_FOUND),
                ("10.2.0.1:9", false, StatusCode::NOT_FOUND),
                ("203.0.113.1:9", false, StatusCode::NOT_FOUND),
            ] {
                assert_eq!(answer(&readiness, path, peer, proxied).await.0, status, "{path} {peer}");
            }
        }
    }

    #[tokio::test]
    async fn a_scrape_says_whether_the_service_is_ready() {
        let readiness = Readiness::new(Shutdown::new());
        let store = readiness.dependency("store", true);
        let ready = async || {
            // The recorder is the process's: no other test scrapes this service.
            let (_, text) = answer_of(ServiceName::Turn, &readiness, "/metrics", "127.0.0.1:9", false).await;
            text.contains("\nservice_ready{service=\"turn-server\"} 1\n")
        };
        assert!(!ready().await);
        store.up();
        assert!(ready().await);
        store.down("full");
        assert!(!ready().await);
    }

    #[tokio::test]
    async fn each_change_is_told_once_and_the_shutdown_is_the_last() {
        let shutdown = Shutdown::new();
        let readiness = Readiness::new(shutdown.clone());
        let store = readiness.dependency("store", true);
        let cache = readiness.dependency("cache", false);
        let mut changes = std::pin::pin!(readiness.changes());
        assert_eq!(changes.next().await, Some(false));
        store.up();
        assert_eq!(changes.next().await, Some(true));
        // Nothing that needs telling.
        cache.down("refused");
        store.up();
        assert_eq!(futures_util::poll!(changes.next()), std::task::Poll::Pending);
        store.down("full");
        assert_eq!(changes.next().await, Some(false));
        store.up();
        assert_eq!(changes.next().await, Some(true));
        shutdown.advance(Phase::NotReady);
        assert_eq!(changes.next().await, Some(false));
        assert_eq!(changes.next().await, None);
    }

    #[tokio::test]
    async fn readiness_names_each_dependency_and_fails_with_a_needed_one() {
        let shutdown = Shutdown::new();
        let readiness = Readiness::new(shutdown.clone());
        let store = readiness.dependency("store", true);
        let cache = readiness.dependency("cache", false);
        let ready = async || answer(&readiness, "/readyz", "127.0.0.1:9", false).await;
        assert_eq!(ready().await.0, StatusCode::SERVICE_UNAVAILABLE);
        store.up();
        cache.down("refused");
        let (status, body) = ready().await;
        assert_eq!(status, StatusCode::OK);
        let report: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(report["dependencies"]["store"]["state"], "up");
        assert_eq!(report["dependencies"]["cache"]["reason"], "refused");
        shutdown.advance(Phase::NotReady);
        let (status, body) = ready().await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(body.contains("draining"));
    }
}
