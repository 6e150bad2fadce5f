//! A request's way through: origin, token, limits, role, body, parameters, key; then the service; then the envelope.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Query, RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use link::{Call, Caller, Refusal};
use protocol::ErrorCode;
use protocol::commands::{CommandSpec, Repeat};
use protocol::limits::BODY_BYTES_MAX;
use uuid::Uuid;

use super::answer::{plain, refuse, success, tell_limits};
use super::origin::Page;
use super::params::Asked;
use super::request::{Origin, bearer, header as text};
use super::state::{Edge, actor, admit};
use super::{cookies, params};
use crate::limits::{Client, Spent};

/// A body must have arrived within this time.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// The command whose answer has a form of its own.
const JWKS: &str = "auth.jwks";

/// Serves one request of a path; `specs` are the commands of that path, one for each method.
pub(super) async fn serve(edge: Arc<Edge>, specs: Arc<[&'static CommandSpec]>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let origin = Origin::of(&parts);
    let cookie = cookies::refresh_cookie(&parts.headers);
    let page = match edge.origins.judge(&parts, cookie.is_some(), origin.secure) {
        Ok(page) => page,
        Err(refusal) => {
            let resource = specs.first().map_or("rest", |spec| spec.name);
            edge.denials.note(&refusal, resource, None, &origin);
            return refuse(&refusal, origin.request_id);
        }
    };
    let method = parts.method.as_str();
    let spec = specs.iter().find(|spec| spec.rest.is_some_and(|rest| rest.method.as_str() == method));
    let mut response = match spec {
        Some(spec) => {
            let mut spent = Spent::default();
            let asked = Asking { edge: &edge, spec, origin: &origin, cookie, spent: &mut spent };
            let mut response = match asked.answer(&mut parts, body).await {
                Ok(response) => response,
                Err(refusal) => refuse(&refusal, origin.request_id),
            };
            edge.meters.answered(response.status().as_u16());
            tell_limits(&mut response, spent);
            response
        }
        None => no_such_method(&specs, &parts, &page, &origin),
    };
    page.allow(response.headers_mut());
    response
}

/// One request while it is worked on.
struct Asking<'a> {
    edge: &'a Edge,
    spec: &'static CommandSpec,
    origin: &'a Origin,
    cookie: Option<String>,
    spent: &'a mut Spent,
}

impl Asking<'_> {
    async fn answer(mut self, parts: &mut Parts, body: Body) -> Result<Response, Refusal> {
        let caller = self.caller(parts).await?;
        let (edge, spec) = (self.edge, self.spec);
        if let Err(refusal) = admit(spec, caller.as_ref()) {
            let user = caller.map(|caller| caller.user);
            edge.denials.note(&refusal, spec.name, user, self.origin);
            return Err(refusal);
        }
        let Asked { to, body } = self.asked(parts, body).await?;
        let client = self.client(caller);
        let routed = routed(to.as_deref())?;
        let counted = edge.limits.pace(spec, client, routed, self.spent);
        self.limited(counted)?;
        let call = Call {
            command: spec.name.to_owned(),
            actor: actor(caller),
            to,
            body,
            key: idempotency_key(spec, parts)?,
            cookie: self.cookie.take().filter(|_| spec.service == protocol::ServiceName::Auth),
            context: self.origin.context(),
        };
        let reply = edge.execute(spec, call).await;
        let mut response = match &reply.result {
            Ok(body) if spec.name == JWKS => plain(body.clone()),
            Ok(body) => success(body, self.origin.request_id),
            Err(refusal) => refuse(refusal, self.origin.request_id),
        };
        cookies::change(response.headers_mut(), &reply.cookie);
        Ok(response)
    }

    /// Who asks. Whoever can't say pays from the address's budget.
    async fn caller(&mut self, parts: &Parts) -> Result<Option<Caller>, Refusal> {
        let verified = match bearer(&parts.headers) {
            Ok(None) => Ok(None),
            Ok(Some(token)) => self.edge.tokens.verify(token).await.map(Some),
            Err(refusal) => Err(refusal),
        };
        let caller = verified.as_ref().ok().and_then(|verified| verified.map(|v| v.caller));
        let client = self.client(caller);
        let counted = self.edge.limits.request(self.spec, client, self.spent).await;
        self.limited(counted)?;
        match verified {
            Ok(_) => {
                if let Some(caller) = caller {
                    tracing::Span::current().record("user_id", tracing::field::display(caller.user));
                }
                Ok(caller)
            }
            // Who logs in or out with a stale token in hand is served like anyone.
            Err(_) if self.spec.access == protocol::commands::Access::Anonymous => Ok(None),
            Err(refusal) => {
                self.edge.denials.note(&refusal, self.spec.name, None, self.origin);
                Err(refusal)
            }
        }
    }

    fn client(&self, caller: Option<Caller>) -> Client {
        Client { user: caller.map(|caller| caller.user), address: self.origin.address }
    }

    fn limited(&self, decision: Result<(), Refusal>) -> Result<(), Refusal> {
        let endpoint = self.spec.rest.map_or(self.spec.name, |rest| rest.path);
        self.edge.meters.limit(endpoint, decision.is_err());
        decision
    }

    async fn asked(&self, parts: &mut Parts, body: Body) -> Result<Asked, Refusal> {
        let body = read_body(parts, body).await?;
        let invalid = |message: &str| Refusal::new(ErrorCode::InvalidRequest, message);
        let Query(query) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| invalid("The query can't be read."))?;
        let path =
            RawPathParams::from_request_parts(parts, &()).await.map_err(|_| invalid("The path can't be read."))?;
        params::merge(self.spec, path.iter(), &query, body)
    }
}

async fn read_body(parts: &Parts, body: Body) -> Result<Bytes, Refusal> {
    let collected = Limited::new(body, BODY_BYTES_MAX).collect();
    let body = match tokio::time::timeout(BODY_WITHIN, collected).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let message = format!("The body is over {BODY_BYTES_MAX} bytes.");
            return Err(Refusal::new(ErrorCode::PayloadTooLarge, message));
        }
        Ok(Err(_)) => return Err(Refusal::new(ErrorCode::InvalidRequest, "The body broke off.")),
        Err(_) => return Err(Refusal::new(ErrorCode::InvalidRequest, "The body did not arrive in time.")),
    };
    let kind = text(&parts.headers, "content-type").unwrap_or("");
    let essence = kind.split(';').next().unwrap_or("").trim();
    if !body.is_empty() && !essence.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::of(ErrorCode::UnsupportedMediaType));
    }
    Ok(body)
}

fn idempotency_key(spec: &CommandSpec, parts: &Parts) -> Result<Option<Uuid>, Refusal> {
    if spec.repeat != Repeat::Key {
        return Ok(None);
    }
    let key = text(&parts.headers, "idempotency-key").and_then(|key| key.parse().ok());
    key.map(Some).ok_or_else(|| Refusal::of(ErrorCode::IdempotencyKeyRequired))
}

/// What a command is routed by. What is no id names nothing that exists.
pub(crate) fn routed(to: Option<&str>) -> Result<Option<Uuid>, Refusal> {
    to.map(|id| Uuid::parse_str(id).map_err(|_| Refusal::of(ErrorCode::NotFound))).transpose()
}

/// The path exists, with other methods; or a browser asks what it may do.
fn no_such_method(specs: &[&CommandSpec], parts: &Parts, page: &Page, origin: &Origin) -> Response {
    let methods: Vec<&str> = specs.iter().filter_map(|spec| spec.rest.map(|rest| rest.method.as_str())).collect();
    let methods = methods.join(", ");
    if parts.method == Method::OPTIONS {
        let mut response = StatusCode::NO_CONTENT.into_response();
        page.allow_preflight(response.headers_mut(), &methods);
        return response;
    }
    let mut response = refuse(&Refusal::of(ErrorCode::MethodNotAllowed), origin.request_id);
    if let Ok(methods) = HeaderValue::from_str(&methods) {
        response.headers_mut().insert(header::ALLOW, methods);
    }
    response
}
