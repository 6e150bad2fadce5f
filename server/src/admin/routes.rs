//! What each admin route does; each is one call of the service that it concerns.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use link::Refusal;
use protocol::accounts::{Done, Role as AccountRole};
use protocol::{ErrorCode, Millis, ServiceName};
use serde::{Deserialize, Serialize};

use super::{Admin, Asked, Refused, process};
use crate::import::{ConversationBatch, ConversationsDone, FindHandle, Found, UserBatch, UsersDone};

type Answer<T> = Result<Json<T>, Refused>;

/// `secureconnect users role`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UsersRole {
    pub(crate) handle: String,
    pub(crate) role: AccountRole,
}

/// `secureconnect log`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetLog {
    pub(crate) filter: String,
}

/// The answer of `secureconnect keys rotate`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Rotated {
    /// The new key's `kid`.
    pub(crate) kid: String,
    /// From when on it signs.
    pub(crate) signs_from: Millis,
}

pub(crate) async fn users_role(State(admin): State<Admin>, Json(body): Json<UsersRole>) -> Answer<Done> {
    let auth = admin.auth.ok_or_else(|| elsewhere(ServiceName::Auth))?;
    auth.set_role(&body.handle, body.role).await?;
    Ok(Json(Done {}))
}

pub(crate) async fn keys_rotate(State(admin): State<Admin>) -> Answer<Rotated> {
    let auth = admin.auth.ok_or_else(|| elsewhere(ServiceName::Auth))?;
    let (kid, signs_from) = auth.rotate_keys().await?;
    Ok(Json(Rotated { kid, signs_from }))
}

pub(crate) async fn log(
    State(admin): State<Admin>,
    Extension(asked): Extension<Asked>,
    Json(body): Json<SetLog>,
) -> Answer<Done> {
    let set = admin.log.set_filter(&body.filter);
    set.map_err(|error| Refusal::new(ErrorCode::InvalidRequest, error.to_string()))?;
    admin.trail.log_filter(&body.filter, asked).await;
    Ok(Json(Done {}))
}

pub(crate) async fn users_find(State(admin): State<Admin>, Json(body): Json<FindHandle>) -> Answer<Found> {
    let accounts = admin.accounts.ok_or_else(|| elsewhere(ServiceName::Auth))?;
    Ok(Json(Found { user: accounts.find(body.handle).await? }))
}

pub(crate) async fn import_users(State(admin): State<Admin>, Json(batch): Json<UserBatch>) -> Answer<UsersDone> {
    let accounts = admin.accounts.ok_or_else(|| elsewhere(ServiceName::Auth))?;
    Ok(Json(accounts.import(batch).await?))
}

pub(crate) async fn import_conversations(
    State(admin): State<Admin>,
    Json(batch): Json<ConversationBatch>,
) -> Answer<ConversationsDone> {
    let conversations = admin.conversations.ok_or_else(|| elsewhere(ServiceName::Chat))?;
    Ok(Json(conversations.import(batch).await?))
}

pub(crate) async fn process_metrics() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, METRICS_TYPE)], process::metrics())
}

pub(crate) async fn service_metrics(
    State(admin): State<Admin>,
    Path(role): Path<String>,
) -> Result<impl IntoResponse, Refused> {
    let service = ServiceName::from_role(&role).ok_or_else(|| Refusal::of(ErrorCode::NotFound))?;
    Ok(([(header::CONTENT_TYPE, METRICS_TYPE)], admin.metrics.render(service)))
}

const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

fn elsewhere(service: ServiceName) -> Refusal {
    Refusal::new(ErrorCode::Unavailable, format!("{} does not run in this process", service.as_str()))
}
