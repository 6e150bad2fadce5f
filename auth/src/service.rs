//! The door: which command is served by what, and what every one of them has in common (its counters, the audit trail
//! of what was refused).

use std::sync::Arc;

use async_trait::async_trait;
use link::{Actor, Call, CookieChange, Hints, Refusal, Reply, Revocations, Service};
use protocol::accounts::Role;
use protocol::{ErrorCode, Millis, ServiceName};
use runtime::audit::{AuditResult, Filter, Record, Spool};

use crate::commands::{admin, login, logout, me, password, refresh, register, sessions, users};
use crate::desk;
use crate::import::{self, ImportUser, ImportedUser};
use crate::keys::KeySet;
use crate::meters::{self, Method};
use crate::state::State;
use crate::stop::Denial;
use crate::{revocations, tidy};

/// The auth service.
pub struct Auth {
    state: Arc<State>,
}

impl Auth {
    pub(crate) fn new(state: Arc<State>) -> Self {
        Self { state }
    }

    /// Gives the account of this handle or id a role, as the operator.
    ///
    /// # Errors
    /// `not_found`, or what the store says.
    pub async fn set_role(&self, handle_or_id: &str, role: Role) -> Result<(), Refusal> {
        admin::set_role(&self.state, handle_or_id.to_owned(), role).await
    }

    /// Publishes a new signing key; answers its `kid` and from when on it signs.
    ///
    /// # Errors
    /// `conflict` while the key of the last rotation doesn't sign yet.
    pub async fn rotate_keys(&self) -> Result<(String, Millis), Refusal> {
        admin::rotate_keys(&self.state).await
    }

    /// Takes accounts in bulk, in one transaction per thousand. An account whose handle exists is left as it is. With `tokens`
    /// each account also gets a session. The answers are in the order of the users.
    ///
    /// # Errors
    /// What the store says; batches before the one that failed stay.
    pub async fn import_users(&self, users: Vec<ImportUser>, tokens: bool) -> Result<Vec<ImportedUser>, Refusal> {
        import::import(&self.state, users, tokens).await
    }

    /// Rows of the audit trail.
    ///
    /// # Errors
    /// What the store says.
    pub async fn audit(&self, filter: Filter) -> Result<Vec<Record>, Refusal> {
        self.state.read("audit/query", move |store| Ok(runtime::audit::query(store, &filter)?)).await
    }

    /// The way into the audit trail for what the process does that is no command of its own.
    #[must_use]
    pub fn audit_spool(&self) -> Spool {
        self.state.spool.clone()
    }

    /// Forgets what has expired now, instead of within a minute.
    ///
    /// # Errors
    /// What the store says.
    pub async fn tidy(&self) -> Result<(), Refusal> {
        tidy::tidy(&self.state).await
    }

    async fn serve(&self, call: &Call) -> Reply {
        let served = self.route(call).await;
        if let Some(method) = Method::of(&call.command) {
            let outcome = match &served {
                Ok(reply) => reply.result.as_ref().map(|_| ()).map_err(|refusal| refusal.code),
                Err(denial) => Err(denial.refusal.code),
            };
            meters::attempt(method, outcome);
            if method == Method::Password
                && outcome.is_err()
                && let Some(address) = call.context.client_ip
            {
                self.state.offenders.record(&address.to_canonical().to_string());
            }
        }
        served.unwrap_or_else(|denial| self.refuse(call, denial))
    }

    async fn route(&self, call: &Call) -> Result<Reply, Denial> {
        let state = &self.state;
        match call.command.as_str() {
            "auth.register" => register::register(state, call).await,
            "auth.login" => login::login(state, call).await,
            "auth.refresh" => refresh::refresh(state, call).await,
            "auth.logout" => logout::logout(state, call).await,
            "auth.logout_all" => logout::logout_all(state, call).await,
            "auth.jwks" => Ok(self.key_set()),
            "me.get" => me::get(state, call).await,
            "me.update" => me::update(state, call).await,
            "me.password" => password::change(state, call).await,
            "sessions.list" => sessions::list(state, call).await,
            "sessions.revoke" => sessions::revoke(state, call).await,
            "users.find" => users::find(state, call).await,
            "users.role" => admin::role(state, call).await,
            "users.suspend" => admin::suspend(state, call).await,
            "users.unsuspend" => admin::unsuspend(state, call).await,
            command => Err(Refusal::unsupported(command).into()),
        }
    }

    fn key_set(&self) -> Reply {
        let ring = self.state.ring();
        Reply::ok(&KeySet::of(ring.published(self.state.clock.now())))
    }

    /// The answer of a refusal; what the audit trail wants to know of it goes there by the spool.
    fn refuse(&self, call: &Call, denial: Denial) -> Reply {
        let code = denial.refusal.code;
        if !denial.audited && is_denial(code) {
            let actor = match call.actor {
                Actor::User(caller) => Some(caller.user),
                Actor::Anonymous | Actor::System => None,
            };
            let action = audited_as(&call.command);
            let resource = denial.user.map_or_else(|| "account".to_owned(), desk::account);
            let mut event = desk::event(action, resource, AuditResult::Denied, &call.context);
            event.at = self.state.clock.now();
            let event = event.with_user(denial.user.or(actor)).with_reason(code.as_str());
            self.state.spool.report(event);
        }
        let mut reply = Reply::from(denial.refusal);
        if denial.clear_cookie {
            reply.cookie = CookieChange::Clear;
        }
        reply
    }
}

/// Whether a refusal says something about who asked, not only about the form of the question.
fn is_denial(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::Unauthenticated
            | ErrorCode::TokenRevoked
            | ErrorCode::InvalidCredentials
            | ErrorCode::RefreshTokenInvalid
            | ErrorCode::RefreshTokenReused
            | ErrorCode::Forbidden
            | ErrorCode::Suspended
            | ErrorCode::NotFound
            | ErrorCode::AccountLocked
            | ErrorCode::RateLimited
            | ErrorCode::IdempotencyKeyReused
    )
}

/// The audit trail's name of what a command wants to do.
fn audited_as(command: &str) -> &'static str {
    match command {
        "auth.register" => "account.register",
        "auth.login" => "session.login",
        "auth.refresh" => "session.refresh",
        "auth.logout" | "auth.logout_all" => "session.logout",
        "me.get" => "account.read",
        "me.update" => "account.update",
        "me.password" => "account.password",
        "sessions.list" => "session.list",
        "sessions.revoke" => "session.revoke",
        "users.find" => "account.find",
        "users.role" => "account.role",
        "users.suspend" => "account.suspend",
        "users.unsuspend" => "account.unsuspend",
        _ => "unknown",
    }
}

#[async_trait]
impl Service for Auth {
    fn name(&self) -> ServiceName {
        ServiceName::Auth
    }

    async fn execute(&self, call: Call) -> Reply {
        self.serve(&call).await
    }

    async fn watch(&self) -> Result<Hints, Refusal> {
        Ok(self.state.publisher.watch())
    }

    async fn revocations(&self, after: u64) -> Result<Revocations, Refusal> {
        let now = self.state.clock.now();
        self.state.read_own("revocations/tail", move |store| Ok(revocations::after(store, after, now)?)).await
    }
}
