//! A command on its way to the service that serves it, and the answer.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use protocol::accounts::Role;
use protocol::{ConnectionId, ErrorCode, RequestId, SessionId, UserId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::scope::Scope;
use crate::trace::TraceContext;

/// A command with all that a service needs to judge it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// The command's name in the table of `protocol`.
    pub command: String,
    /// Who asks.
    pub actor: Actor,
    /// What it is routed by, where the table says so.
    pub to: Option<String>,
    /// The body, a JSON object.
    pub body: Bytes,
    /// The idempotency key, where the table wants one.
    pub key: Option<Uuid>,
    /// The refresh cookie's value; the gateway passes it to commands of the auth service only.
    pub cookie: Option<String>,
    /// What surrounds the command.
    pub context: Context,
}

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Actor {
    /// Nobody who is logged in.
    Anonymous,
    /// A user, by a verified access token.
    User(Caller),
    /// Another part of the system (a service, the CLI).
    System,
}

/// A logged-in user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Who.
    pub user: UserId,
    /// The login.
    pub session: SessionId,
    /// Which of the login's connections the command came on; none over REST.
    pub connection: Option<ConnectionId>,
    /// The account's role when the token was made.
    pub role: Role,
}

/// What surrounds a command: for logs, audit and limits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Context {
    /// Names the request.
    pub request_id: RequestId,
    /// Where the request stands in its trace.
    pub trace: TraceContext,
    /// The client's address (GW10).
    pub client_ip: Option<IpAddr>,
    /// What the client calls itself.
    pub user_agent: Option<Arc<str>>,
}

/// The answer of a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// The answer's body (JSON), or why it was refused.
    pub result: Result<Bytes, Refusal>,
    /// What the gateway does to the refresh cookie of the browser.
    pub cookie: CookieChange,
}

/// What the gateway does to the refresh cookie.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum CookieChange {
    /// Nothing.
    #[default]
    Keep,
    /// Sets it to this refresh token.
    Set {
        /// The token.
        token: String,
        /// How long the browser keeps it, in seconds.
        max_age_s: u64,
    },
    /// Removes it.
    Clear,
}

/// Why a command was refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}: {message}", code.as_str())]
pub struct Refusal {
    /// For programs.
    pub code: ErrorCode,
    /// For people: what is wrong and what to do.
    pub message: String,
    /// Where the code's rule is `after`: how long to wait.
    pub retry_after_ms: Option<u64>,
}

impl Refusal {
    /// A refusal without a stated wait.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: None }
    }

    /// A command that a service does not know: only one of a newer version sends it, because the gateway passes on what it knows itself.
    #[must_use]
    pub fn unsupported(command: &str) -> Self {
        Self::new(ErrorCode::Unsupported, format!("this version does not offer `{command}`"))
    }

    /// A refusal whose message is the code's own meaning.
    #[must_use]
    pub fn of(code: ErrorCode) -> Self {
        Self::new(code, code.meaning())
    }

    /// The same with a stated wait.
    #[must_use]
    pub fn after(mut self, wait_ms: u64) -> Self {
        self.retry_after_ms = Some(wait_ms);
        self
    }
}

impl Context {
    /// The context of what the system itself asks: the names of the work that it is part of, or new ones where no client asked for that.
    #[must_use]
    pub fn internal() -> Self {
        let Scope { request_id, trace } = Scope::current().unwrap_or_else(Scope::begin);
        Self { request_id, trace, client_ip: None, user_agent: None }
    }

    /// The names that what is done for the command is known by.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope { request_id: self.request_id, trace: self.trace }
    }
}

impl Call {
    /// A command from one part of the system to another.
    ///
    /// # Errors
    /// When the body can't be written as JSON.
    pub fn internal(command: &str, to: Option<String>, body: &impl Serialize) -> Result<Self, Refusal> {
        Ok(Self {
            command: command.to_owned(),
            actor: Actor::System,
            to,
            body: encode(body)?,
            key: None,
            cookie: None,
            context: Context::internal(),
        })
    }

    /// What commands share that keep their order: what they are routed by, or else who asks.
    #[must_use]
    pub fn route_key(&self) -> &[u8] {
        match (&self.to, &self.actor) {
            (Some(to), _) => to.as_bytes(),
            (None, Actor::User(caller)) => caller.user.as_bytes(),
            (None, Actor::Anonymous | Actor::System) => self.context.request_id.as_bytes(),
        }
    }

    /// The body as the command's type.
    ///
    /// # Errors
    /// `invalid_request` with the field and what is wrong with it.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(body)
            .map_err(|error| Refusal::new(ErrorCode::InvalidRequest, format!("{}: {error}", self.command)))
    }

    /// The logged-in user.
    ///
    /// # Errors
    /// `unauthenticated` for anyone else.
    pub fn caller(&self) -> Result<Caller, Refusal> {
        match self.actor {
            Actor::User(caller) => Ok(caller),
            Actor::Anonymous | Actor::System => Err(Refusal::of(ErrorCode::Unauthenticated)),
        }
    }
}

impl Reply {
    /// An answer.
    #[must_use]
    pub fn ok(body: &impl Serialize) -> Self {
        Self { result: encode(body), cookie: CookieChange::Keep }
    }

    /// The answer as the command's type; for calls between services.
    ///
    /// # Errors
    /// The refusal, or `internal` when the answer is not of that type.
    pub fn parse<T: DeserializeOwned>(self) -> Result<T, Refusal> {
        let body = self.result?;
        serde_json::from_slice(&body).map_err(|error| Refusal::new(ErrorCode::Internal, error.to_string()))
    }
}

impl<T: Serialize> From<Result<T, Refusal>> for Reply {
    fn from(result: Result<T, Refusal>) -> Self {
        Self { result: result.and_then(|body| encode(&body)), cookie: CookieChange::Keep }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self { result: Err(refusal), cookie: CookieChange::Keep }
    }
}

fn encode(body: &impl Serialize) -> Result<Bytes, Refusal> {
    match serde_json::to_vec(body) {
        Ok(json) => Ok(json.into()),
        Err(error) => Err(Refusal::new(ErrorCode::Internal, error.to_string())),
    }
}
