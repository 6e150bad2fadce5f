//! The admin listener: what the command line asks of a running server.
//!
//! It may do everything, so it listens on loopback only, and every request shows the token that lies in the data directory,
//! readable by the server's user alone. It is apart from the public listeners: nothing that comes through 8080 reaches it.

mod process;
mod routes;
mod trail;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{Extensions, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use link::Refusal;
use link::grpc::Key;
use protocol::envelope::Failure;
use protocol::{ErrorBody, ErrorCode, RequestId, ServiceName};
use runtime::http::context_layer;
use runtime::listen::ClientAddr;
use runtime::telemetry::logs::LogHandle;
use runtime::telemetry::metrics::MetricsHandles;

use crate::import::{Accounts, Conversations};

pub(crate) use routes::{Rotated, SetLog, UsersRole};
use trail::Asked;
pub(crate) use trail::Trail;

/// What the admin listener administrates: the parts that run in this process.
#[derive(Clone)]
pub(crate) struct Admin {
    pub(crate) auth: Option<Arc<auth::Auth>>,
    pub(crate) accounts: Option<Accounts>,
    pub(crate) conversations: Option<Conversations>,
    pub(crate) log: LogHandle,
    pub(crate) metrics: MetricsHandles,
    pub(crate) trail: Trail,
}

/// One batch of an import.
const BODY_BYTES_MAX: usize = 32 << 20;

/// The routes, behind the token. `service` is whose name the listener's logs carry.
pub(crate) fn router(admin: Admin, token: Key, service: ServiceName) -> Router {
    let door = Door { token, trail: admin.trail.clone() };
    Router::new()
        .route("/v1/users/role", post(routes::users_role))
        .route("/v1/users/find", post(routes::users_find))
        .route("/v1/keys/rotate", post(routes::keys_rotate))
        .route("/v1/log", post(routes::log))
        .route("/v1/import/users", post(routes::import_users))
        .route("/v1/import/conversations", post(routes::import_conversations))
        .route("/metrics", get(routes::process_metrics))
        .route("/metrics/{role}", get(routes::service_metrics))
        .fallback(|| async { Refused(Refusal::of(ErrorCode::UnknownCommand)) })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(door, only_with_token))
        .layer(middleware::from_fn_with_state(service, context_layer))
        .with_state(admin)
}

/// What stands before all routes.
#[derive(Clone)]
struct Door {
    token: Key,
    trail: Trail,
}

async fn only_with_token(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let asked = asked(request.extensions());
    let shown = request.headers().get(header::AUTHORIZATION);
    if door.token.opens(shown.map(|value| value.as_bytes())) {
        request.extensions_mut().insert(asked);
        return next.run(request).await;
    }
    door.trail.refused(asked);
    Refused(Refusal::new(ErrorCode::Unauthenticated, "show the token in <data_dir>/admin.token as a bearer token"))
        .into_response()
}

/// What the listener and the outer layer know of a request.
fn asked(known: &Extensions) -> Asked {
    Asked {
        client: known.get::<ClientAddr>().map(|client| client.0),
        request: known.get().copied(),
        trace: known.get().copied(),
    }
}

/// A refusal as an answer.
pub(crate) struct Refused(pub(crate) Refusal);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(refusal) = self;
        let status = StatusCode::from_u16(refusal.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let failure = Failure {
            error: ErrorBody {
                code: refusal.code,
                message: refusal.message,
                request_id: RequestId::now().to_string(),
                retry_after_ms: refusal.retry_after_ms,
            },
        };
        (status, Json(failure)).into_response()
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}
