//! `auth.register`: an account and its first session, once per idempotency key.
//!
//! A client that didn't hear the answer asks again with the same key and gets the same account and, as long as nothing has
//! happened since, the same session. What it asked for is remembered as a MAC under the data directory's secret: it holds
//! the password too (another password is another request), and the store alone is no way to guess it.

use std::sync::Arc;

use link::{Call, Refusal, Reply};
use protocol::ErrorCode;
use protocol::accounts::{Account, Register, Role};
use rusqlite::{Connection, OptionalExtension, params};
use secrecy::SecretString;
use uuid::Uuid;

use crate::account::{NewAccount, rows as accounts, rules};
use crate::desk::{self, Desk};
use crate::password;
use crate::secret::{Purpose, Secret};
use crate::session::rows as sessions;
use crate::sql::{number, read_number, read_session, read_user};
use crate::state::{Issued, State};
use crate::stop::{Denial, Stop};
use crate::tidy::REGISTRATION_MS;

type Fingerprint = [u8; 32];

/// Serves the command.
pub(crate) async fn register(state: &Arc<State>, call: &Call) -> Result<Reply, Denial> {
    let body: Register = call.parse()?;
    let Some(key) = call.key else {
        return Err(Refusal::of(ErrorCode::IdempotencyKeyRequired).into());
    };
    let handle = rules::handle(&body.handle)?;
    let name = rules::name(&body.name)?;
    let device = rules::device(body.device.as_deref(), call.context.user_agent.as_deref());
    let fingerprint = fingerprint(&state.secret, &handle, &name, &body);

    // Asked before the costly hash; the transaction asks again.
    let (asked, repeated) = (handle.clone(), {
        let now = state.clock.now();
        move |store: &Connection| known(store, key, &fingerprint, now)
    });
    let taken = state
        .read("accounts/register", move |store| {
            Ok(repeated(store)?.is_none() && accounts::by_handle(store, &asked)?.is_some())
        })
        .await?;
    if taken {
        return Err(handle_taken().into());
    }
    password::check(&body.password, &handle)?;
    let phc = state.hasher.hash(SecretString::from(body.password)).await?;

    let new = NewAccount { handle, name, role: Role::User, password: Some(phc) };
    let issued = state
        .write("accounts/register", &call.context, move |desk| {
            if let Some(before) = known(desk.tx, key, &fingerprint, desk.now)? {
                return again(desk, before, device);
            }
            let account = accounts::insert(desk.tx, &new, desk.now)?.ok_or_else(handle_taken)?;
            let session = desk.begin_session(account.id, device)?;
            desk.tx
                .prepare_cached(
                    "INSERT OR REPLACE INTO registrations (key, fingerprint, account, session, at)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![
                    key.as_bytes(),
                    fingerprint,
                    account.id.as_bytes(),
                    session.id.as_bytes(),
                    number(desk.now)
                ])?;
            desk.audit("account.register", desk::account(account.id), Some(account.id))?;
            desk.audit("session.login", desk::session(session.id), Some(account.id))?;
            let at = desk.now;
            Ok(Issued { account, session, at })
        })
        .await?;
    Ok(state.answer(issued, body.cookie)?)
}

fn handle_taken() -> Refusal {
    Refusal::new(ErrorCode::HandleTaken, "handle: another account has it, choose another one")
}

fn fingerprint(secret: &Secret, handle: &str, name: &str, body: &Register) -> Fingerprint {
    let device = body.device.as_deref().unwrap_or_default();
    let parts: [&[u8]; 5] =
        [handle.as_bytes(), name.as_bytes(), body.password.as_bytes(), device.as_bytes(), &[u8::from(body.cookie)]];
    secret.mac(Purpose::Registration, &parts)
}

/// What a key led to before.
struct Before {
    account: protocol::UserId,
    session: protocol::SessionId,
    at: protocol::Millis,
}

/// What this key led to before, if it is the same request.
fn known(
    store: &Connection,
    key: Uuid,
    fingerprint: &Fingerprint,
    now: protocol::Millis,
) -> Result<Option<Before>, Stop> {
    let found = store
        .prepare_cached("SELECT fingerprint, account, session, at FROM registrations WHERE key = ?1")?
        .query_row([key.as_bytes()], |row| {
            let before =
                Before { account: read_user(row, 1)?, session: read_session(row, 2)?, at: read_number(row, 3)? };
            Ok((row.get::<_, Fingerprint>(0)?, before))
        })
        .optional()?;
    match found {
        Some((_, before)) if before.at.saturating_add(REGISTRATION_MS) <= now => Ok(None),
        Some((same, before)) if same == *fingerprint => Ok(Some(before)),
        Some(_) => Err(Refusal::of(ErrorCode::IdempotencyKeyReused).into()),
        None => Ok(None),
    }
}

/// The answer once more. A session that went on meanwhile is left alone: the same request logs in anew.
fn again(desk: &Desk<'_>, before: Before, device: Option<String>) -> Result<Issued, Stop> {
    let at = desk.now;
    let row = accounts::by_id(desk.tx, before.account)?
        .filter(|row| row.suspended_at.is_none() && row.password_at <= before.at)
        .ok_or_else(|| Refusal::of(ErrorCode::InvalidCredentials))?;
    let account: Account = row.account;
    let first = sessions::by_id(desk.tx, before.session)?;
    let untouched = first.filter(|session| session.lives(at) && session.rotation.generation == 1);
    let session = match untouched {
        Some(session) => session,
        None => {
            let session = desk.begin_session(account.id, device)?;
            desk.audit("session.login", desk::session(session.id), Some(account.id))?;
            session
        }
    };
    Ok(Issued { account, session, at })
}
