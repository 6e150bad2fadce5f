//! Any command of the table over HTTP.
//!
//! Path, query and body are made from the command's row, so that a new command needs no code here.

mod login;
mod request;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use protocol::accounts::{Grant, Login as LoginBody, RefreshToken, Register};
use protocol::commands;
use protocol::envelope::{Failure, Success};
use protocol::{ClientId, ErrorBody, ErrorCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use login::Login;
use request::Parts;

/// A request that takes longer has failed; its outcome is unknown.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// The header that carries a command's key.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum RestError {
    /// The server refused it.
    #[error("{}: {}", error.code.as_str(), error.message)]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Why.
        error: ErrorBody,
    },
    /// No answer; whether it was done is unknown.
    #[error("no answer")]
    Transport(#[source] reqwest::Error),
    /// The answer is not of the protocol's form.
    #[error("status {status} with an answer that is not of the protocol's form")]
    Unreadable {
        /// The HTTP status.
        status: u16,
    },
    /// It can't be asked for over HTTP in this way.
    #[error("{0}")]
    Invalid(&'static str),
}

impl RestError {
    /// The code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Refused { error, .. } => Some(error.code),
            _ => None,
        }
    }
}

/// A client of a gateway's HTTP side. Cloning is cheap; clones share connections.
#[derive(Clone)]
pub struct Rest {
    http: reqwest::Client,
    base: Arc<str>,
    token: Option<Arc<str>>,
}

impl Rest {
    /// A client of the gateway at `base`, such as `http://127.0.0.1:8080`, that connects from `bind` where given.
    ///
    /// # Errors
    /// No TLS could be set up.
    pub fn new(base: impl Into<String>, bind: Option<IpAddr>) -> Result<Self, RestError> {
        let http = reqwest::Client::builder()
            .local_address(bind)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .build()
            .map_err(RestError::Transport)?;
        Ok(Self::with_http(base, http))
    }

    /// The same on an HTTP client of one's own.
    #[must_use]
    pub fn with_http(base: impl Into<String>, http: reqwest::Client) -> Self {
        let base: String = base.into();
        Self { http, base: base.trim_end_matches('/').into(), token: None }
    }

    /// The same client as whoever the access token says.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// Asks for a command of the table. `to` is what its route names. A command that needs a key gets `key`, or a new one.
    ///
    /// # Errors
    /// It was refused, got no answer, or has no HTTP form.
    pub async fn command<T: DeserializeOwned>(
        &self,
        name: &str,
        to: Option<&str>,
        body: &impl Serialize,
        key: Option<ClientId>,
    ) -> Result<T, RestError> {
        let spec = commands::find(name).ok_or(RestError::Invalid("no command of this name"))?;
        let body = serde_json::to_value(body).map_err(|_| RestError::Invalid("no JSON body"))?;
        let parts = Parts::of(spec, to, body)?;
        let method = reqwest::Method::from_bytes(parts.method.as_str().as_bytes())
            .map_err(|_| RestError::Invalid("no method"))?;
        let mut request = self.http.request(method, format!("{}{}", self.base, parts.path));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if spec.repeat == commands::Repeat::Key {
            let key = key.unwrap_or_else(|| ClientId(uuid::Uuid::new_v4()));
            request = request.header(IDEMPOTENCY_KEY, key.to_string());
        }
        if let Some(body) = &parts.body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(RestError::Transport)?;
        let status = response.status().as_u16();
        let text = response.bytes().await.map_err(RestError::Transport)?;
        let unreadable = |_| RestError::Unreadable { status };
        if (200..300).contains(&status) {
            let success: Success<'_> = serde_json::from_slice(&text).map_err(unreadable)?;
            serde_json::from_str(success.data.get()).map_err(unreadable)
        } else {
            let failure: Failure = serde_json::from_slice(&text).map_err(unreadable)?;
            let error = failure.error;
            Err(RestError::Refused { status, error })
        }
    }

    /// Makes an account and logs it in.
    ///
    /// # Errors
    /// It was refused or got no answer.
    pub async fn register(&self, handle: &str, name: &str, password: &str, device: &str) -> Result<Grant, RestError> {
        let body = Register {
            handle: handle.to_owned(),
            name: name.to_owned(),
            password: password.to_owned(),
            device: Some(device.to_owned()),
            cookie: false,
        };
        self.command("auth.register", None, &body, None).await
    }

    /// Logs in.
    ///
    /// # Errors
    /// It was refused or got no answer.
    pub async fn login(&self, handle: &str, password: &str, device: &str) -> Result<Grant, RestError> {
        let body = LoginBody {
            handle: handle.to_owned(),
            password: password.to_owned(),
            device: Some(device.to_owned()),
            cookie: false,
        };
        self.command("auth.login", None, &body, None).await
    }

    /// Takes a refresh token and gives its successor with a new access token.
    ///
    /// # Errors
    /// It was refused or got no answer.
    pub async fn refresh(&self, refresh_token: &str) -> Result<Grant, RestError> {
        let refresh_token = Some(refresh_token.to_owned());
        let body = RefreshToken { refresh_token };
        self.command("auth.refresh", None, &body, None).await
    }
}
