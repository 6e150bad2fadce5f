//! A command at work inside its transaction: the store, the time, who asked, and what must happen along with the change.

use std::sync::Arc;

use link::{Actor, Caller, Context, Refusal, Revoked};
use protocol::{ErrorCode, Millis, SessionId, UserId};
use runtime::audit::{self, AuditResult, Event};
use runtime::store::WriteTx;
use rusqlite::Connection;

use crate::account::rows as accounts;
use crate::keys;
use crate::meters;
use crate::session::{Rotation, SessionRow, rows as sessions};
use crate::state::State;
use crate::stop::Stop;
use crate::{lockout, revocations};

/// Clocks of gateways may be off by this much: a revocation outlives the last token it concerns by it.
const REVOCATION_MARGIN_MS: u64 = 120_000;

/// A transaction with its surroundings.
pub(crate) struct Desk<'a> {
    pub(crate) state: &'a Arc<State>,
    pub(crate) tx: &'a WriteTx<'a>,
    /// The time of the transaction. Transactions run one after another, so it never runs back between them.
    pub(crate) now: Millis,
    pub(crate) context: &'a Context,
}

/// Why a session ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ended {
    LoggedOut,
    LoggedOutEverywhere,
    RevokedByOwner,
    PasswordChanged,
    TokenReused,
    Suspended,
    TooMany,
}

impl Ended {
    /// The audit trail's action, and a word about it.
    fn audited(self) -> (&'static str, &'static str) {
        match self {
            Self::LoggedOut => ("session.logout", "logged out"),
            Self::LoggedOutEverywhere => ("session.logout", "logged out everywhere"),
            Self::RevokedByOwner => ("session.revoke", "ended by its owner"),
            Self::PasswordChanged => ("session.revoke", "the password was changed"),
            Self::TokenReused => ("session.revoke", "an old refresh token was used again"),
            Self::Suspended => ("session.revoke", "the account was suspended"),
            Self::TooMany => ("session.revoke", "more sessions than allowed"),
        }
    }
}

/// An audit event about a request.
pub(crate) fn event(action: &'static str, resource: String, result: AuditResult, context: &Context) -> Event {
    Event::new(action, resource, result).with_request(
        context.client_ip,
        Some(context.request_id),
        Some(context.trace.trace_id()),
    )
}

/// How an account is named in the audit trail.
pub(crate) fn account(id: UserId) -> String {
    format!("account:{id}")
}

/// How a session is named in the audit trail.
pub(crate) fn session(id: SessionId) -> String {
    format!("session:{id}")
}

impl Desk<'_> {
    /// Writes into the audit trail what `user` did.
    pub(crate) fn audit(&self, action: &'static str, resource: String, user: Option<UserId>) -> Result<(), Stop> {
        self.append(event(action, resource, AuditResult::Allowed, self.context).with_user(user))
    }

    /// Writes into the audit trail what `user` did, and a word about it.
    pub(crate) fn audit_why(
        &self,
        action: &'static str,
        resource: String,
        user: Option<UserId>,
        reason: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Result<(), Stop> {
        let event = event(action, resource, AuditResult::Allowed, self.context).with_user(user);
        self.append(event.with_reason(reason))
    }

    /// Writes into the audit trail what was refused.
    pub(crate) fn audit_denied(
        &self,
        action: &'static str,
        resource: String,
        user: Option<UserId>,
        code: ErrorCode,
    ) -> Result<(), Stop> {
        let event = event(action, resource, AuditResult::Denied, self.context).with_user(user);
        self.append(event.with_reason(code.as_str()))
    }

    fn append(&self, mut event: Event) -> Result<(), Stop> {
        event.at = self.now;
        Ok(audit::append(self.tx, &event)?)
    }

    /// Adds one to a counter once this is committed.
    pub(crate) fn count(&self, counter: &'static str) {
        self.tx.on_commit(move || meters::count(counter));
    }

    /// Voids access tokens.
    pub(crate) fn revoke(&self, user: UserId, revoked: Revoked) -> Result<(), Stop> {
        let life_ms = self.state.config.access_token_s.saturating_mul(1_000);
        let until = self.now.saturating_add(life_ms).saturating_add(REVOCATION_MARGIN_MS);
        revocations::append(self.tx, user, revoked, until)?;
        self.count("auth_token_blacklisted_total");
        let (publisher, grown) = (self.state.publisher.clone(), revocations::grown(self.now));
        self.tx.on_commit(move || publisher.publish(grown));
        Ok(())
    }

    /// Signs with the keys as they stand in the store, from the commit on; commits are in order, so is this.
    pub(crate) fn use_stored_keys(&self) -> Result<(), Stop> {
        let (state, keys) = (Arc::clone(self.state), keys::load(self.tx)?);
        self.tx.on_commit(move || state.use_keys(keys));
        Ok(())
    }

    /// Begins a session. One too many ends the one that was last seen longest ago.
    pub(crate) fn begin_session(&self, account: UserId, device: Option<String>) -> Result<SessionRow, Stop> {
        let cap = self.state.config.sessions_max as usize;
        if cap > 0 {
            let living = sessions::living(self.tx, account, self.now)?;
            for oldest in living.iter().skip(cap - 1) {
                self.end_session(oldest, Ended::TooMany)?;
            }
        }
        let session = SessionRow {
            id: SessionId::now(),
            account,
            rotation: Rotation::begin(self.now),
            device,
            address: self.context.client_ip.map(|ip| ip.to_canonical().to_string()),
            created_at: self.now,
            seen_at: self.now,
            expires_at: self.state.refresh_expiry(self.now),
            ended_at: None,
        };
        sessions::insert(self.tx, &session)?;
        if let Some(address) = self.context.client_ip {
            lockout::remember_place(self.tx, account, address.into(), self.now)?;
        }
        Ok(session)
    }

    /// Ends a session: its refresh token is worth nothing from now on, its access tokens are void.
    pub(crate) fn end_session(&self, ended: &SessionRow, why: Ended) -> Result<(), Stop> {
        sessions::end(self.tx, ended.id, self.now)?;
        self.revoke(ended.account, Revoked::Session(ended.id))?;
        let (action, reason) = why.audited();
        self.audit_why(action, session(ended.id), Some(ended.account), reason)
    }

    /// Ends all sessions of an account but one; says how many.
    pub(crate) fn end_sessions(&self, account: UserId, but: Option<SessionId>, why: Ended) -> Result<usize, Stop> {
        let living = sessions::living(self.tx, account, self.now)?;
        let ending = living.iter().filter(|session| Some(session.id) != but);
        let mut count = 0;
        for session in ending {
            self.end_session(session, why)?;
            count += 1;
        }
        Ok(count)
    }
}

/// Refuses whose session has ended since its access token was made.
pub(crate) fn living_caller(store: &Connection, caller: Caller, now: Millis) -> Result<SessionRow, Stop> {
    match sessions::by_id(store, caller.session)? {
        Some(session) if session.account == caller.user && session.lives(now) => Ok(session),
        _ => Err(Refusal::of(ErrorCode::TokenRevoked).into()),
    }
}

/// Refuses who is no administrator at this moment, whatever the access token says.
pub(crate) fn administrator(store: &Connection, actor: Actor, now: Millis) -> Result<Option<UserId>, Stop> {
    use protocol::accounts::Role;
    match actor {
        Actor::System => Ok(None),
        Actor::Anonymous => Err(Refusal::of(ErrorCode::Unauthenticated).into()),
        Actor::User(caller) => {
            living_caller(store, caller, now)?;
            match accounts::by_id(store, caller.user)? {
                Some(row) if row.account.role == Role::Admin => Ok(Some(caller.user)),
                _ => Err(Refusal::of(ErrorCode::Forbidden).into()),
            }
        }
    }
}
