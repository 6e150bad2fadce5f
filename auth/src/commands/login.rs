//! `auth.login`.
//!
//! The order of the questions is the protection: the budget and the lock come before the costly hash, a handle that nobody has costs the
//! same time and answers the same as a wrong password, and the lock is asked once more in the transaction that logs in, so that
//! guesses made at the same time don't slip past it together.

use std::sync::Arc;

use link::{Call, Refusal, Reply};
use protocol::accounts::Login;
use protocol::{ErrorCode, Millis, UserId};
use runtime::limits::{Refused, draw};
use rusqlite::Connection;
use secrecy::SecretString;

use crate::account::{AccountRow, rows as accounts, rules};
use crate::desk::{self, Desk};
use crate::lockout::{self, Guard, Locks, Place};
use crate::password::Verified;
use crate::session::{RefreshToken, rows as sessions};
use crate::state::{Issued, State};
use crate::stop::{Denial, Stop, Verdict};

const DAY_MS: Millis = 24 * 60 * 60 * 1_000;
/// When who was refused for want of Redis comes again.
const UNAVAILABLE_MS: Millis = 1_000;

/// Serves the command.
pub(crate) async fn login(state: &Arc<State>, call: &Call) -> Result<Reply, Denial> {
    let body: Login = call.parse()?;
    let device = rules::device(body.device.as_deref(), call.context.user_agent.as_deref());
    // A handle that can't exist is treated as one that doesn't.
    let handle = rules::handle(&body.handle).unwrap_or_else(|_| body.handle.to_lowercase());
    let now = state.clock.now();
    let Approach { found, guard, open } = look_up(state, call, handle, now).await?;
    let user = found.as_ref().map(|row| row.account.id);
    let denied = |refusal| Denial::about(user, refusal);
    open.map_err(denied)?;
    within_budget(state, &guard).await.map_err(denied)?;

    let phc = found.as_ref().and_then(|row| row.password.clone());
    let password = SecretString::from(body.password);
    let verified = state.hasher.verify(password.clone(), phc.clone()).await?;
    let verdict = match (found, verified) {
        (Some(row), Verified::Right { outdated }) => {
            let better = match outdated {
                true => Some(state.hasher.hash(password).await?),
                false => None,
            };
            let passed = Passed { row, better, device };
            state.write("sessions/login", &call.context, move |desk| log_in(desk, &guard, passed)).await?
        }
        _ => state.write("tallies/fail", &call.context, move |desk| fail(desk, &guard, user)).await?,
    };
    Ok(state.answer(verdict?, body.cookie)?)
}

/// Draws from the logins of what the attempt is counted against.
async fn within_budget(state: &State, guard: &Guard) -> Result<(), Refusal> {
    let budget = (&state.logins, guard.rate_key());
    match draw(state.redis.as_ref(), &[budget], || state.clock.now()).await {
        Ok(_) => Ok(()),
        Err(Refused::Limited(decision)) => {
            let message = "too many logins to this account: wait, or log in from a place where you did before";
            Err(Refusal::new(ErrorCode::RateLimited, message).after(decision.retry_after_ms))
        }
        Err(Refused::Unavailable) => Err(Refusal::of(ErrorCode::Unavailable).after(UNAVAILABLE_MS)),
    }
}

/// What is known of an attempt before anything is verified.
struct Approach {
    found: Option<AccountRow>,
    /// What it is counted against.
    guard: Guard,
    /// Whether that is locked.
    open: Result<(), Refusal>,
}

/// The account behind a handle, and what an attempt from here is counted against.
async fn look_up(state: &Arc<State>, call: &Call, handle: String, now: Millis) -> Result<Approach, Refusal> {
    let known_since = now.saturating_sub(Millis::from(state.config.lockout.known_days) * DAY_MS);
    let device = call.cookie.as_deref().and_then(|cookie| RefreshToken::open(cookie, &state.secret));
    let (shared, address) = (Arc::clone(state), call.context.client_ip);
    state
        .read("accounts/login", move |store| {
            let found = accounts::by_handle(store, &handle)?;
            let mut place = Place::Unknown;
            if let Some(row) = &found {
                let account = row.account.id;
                if let Some(token) = device
                    && let Some(session) = sessions::by_id(store, token.session)?
                    && session.account == account
                    && session.seen_at >= known_since
                {
                    place = Place::KnownDevice(session.id);
                } else if let Some(address) = address
                    && lockout::known_place(store, account, address.into(), known_since)?
                {
                    place = Place::KnownAddress(account);
                }
            }
            let guard = Guard::of_login(&shared.secret, &shared.config.lockout, &handle, place, address);
            let open = guard.check(store, now)?;
            Ok(Approach { found, guard, open })
        })
        .await
}

/// Someone who knew the password.
struct Passed {
    row: AccountRow,
    /// The hash by today's parameters, where the present one is outdated.
    better: Option<String>,
    device: Option<String>,
}

fn log_in(desk: &Desk<'_>, guard: &Guard, passed: Passed) -> Result<Verdict<Issued>, Stop> {
    let Passed { row, better, device } = passed;
    let id = row.account.id;
    if let Err(locked) = guard.check(desk.tx, desk.now)? {
        return Ok(Err(Denial::about(Some(id), locked)));
    }
    // What was verified must still be so: the password may have been changed since.
    let present = still(desk.tx, id, row.password.as_deref())?;
    let Some(present) = present else {
        return Ok(Err(Denial::about(Some(id), Refusal::of(ErrorCode::InvalidCredentials))));
    };
    if present.suspended_at.is_some() {
        return Ok(Err(Denial::about(Some(id), Refusal::of(ErrorCode::Suspended))));
    }
    guard.succeeded(desk.tx)?;
    if let Some(phc) = better {
        accounts::rehash(desk.tx, id, &phc)?;
    }
    let session = desk.begin_session(id, device)?;
    desk.audit("session.login", desk::session(session.id), Some(id))?;
    Ok(Ok(Issued { account: present.account, session, at: desk.now }))
}

fn still(store: &Connection, id: UserId, phc: Option<&str>) -> Result<Option<AccountRow>, Stop> {
    let row = accounts::by_id(store, id)?;
    Ok(row.filter(|row| row.password.as_deref() == phc))
}

/// Counts a failure. The count is all that a guess writes: it has to survive a restart, and it is bounded, because a lock ends it.
/// That the guess was refused goes through the spool, which merges equal ones; only what it locked is an event in here.
fn fail(desk: &Desk<'_>, guard: &Guard, user: Option<UserId>) -> Result<Verdict<Issued>, Stop> {
    let locks = guard.failed(desk.tx, desk.now)?;
    audit_locks(desk, locks, user)?;
    Ok(Err(Denial::about(user, Refusal::of(ErrorCode::InvalidCredentials))))
}

/// Records what a failure locked.
pub(super) fn audit_locks(desk: &Desk<'_>, locks: Locks, user: Option<UserId>) -> Result<(), Stop> {
    if locks.account {
        // The handle of nobody is not written down: people type passwords there.
        let resource = user.map_or_else(|| "account".to_owned(), desk::account);
        desk.audit_denied("account.lock", resource, user, ErrorCode::AccountLocked)?;
    }
    if locks.address {
        desk.audit_denied("address.lock", "address".to_owned(), None, ErrorCode::AccountLocked)?;
    }
    if locks.account || locks.address {
        desk.count("auth_account_locked_total");
    }
    Ok(())
}
