//! Accounts in bulk: from another system, or for a measurement.
//!
//! The same file again changes nothing: an account whose handle exists is left as it is. Where tokens are asked for, each account gets a
//! session of its own, also one that existed: asking for tokens is asking for new logins.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt};
use link::{Context, Refusal};
use protocol::accounts::Role;
use protocol::{Millis, SessionId, UserId};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::account::{NewAccount, rows as accounts, rules};
use crate::desk::Desk;
use crate::password;
use crate::state::{Issued, State};
use crate::stop::Stop;

/// Accounts in one transaction.
const BATCH: usize = 1_000;
/// Passwords of an import that are hashed or wait for it at once; logins go on beside it.
const HASHES_AT_ONCE: usize = 4;

/// An account to be taken.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportUser {
    /// The handle.
    pub handle: String,
    /// The name.
    pub name: String,
    /// The role; `user` where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The password. Hashing it costs about 0.1 s: give hashes for many accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The password's Argon2 hash as PHC string. With neither, nobody logs in by password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<String>,
}

/// What became of one account.
#[derive(Clone, Serialize, Deserialize)]
pub struct ImportedUser {
    /// Its handle as it was given.
    pub handle: String,
    /// How it went.
    pub outcome: ImportOutcome,
    /// A login, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<ImportTokens>,
}

/// How the import of one account went.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportOutcome {
    /// It was made.
    Created(UserId),
    /// It was there already and is as it was.
    Existed(UserId),
    /// It was not taken, and why.
    Refused(String),
}

/// A login of an imported account.
#[derive(Clone, Serialize, Deserialize)]
pub struct ImportTokens {
    /// The login.
    pub session: SessionId,
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
    /// When the access token expires.
    pub expires_at: Millis,
}

impl ImportOutcome {
    /// The account, if there is one.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::Created(user) | Self::Existed(user) => Some(*user),
            Self::Refused(_) => None,
        }
    }
}

pub(crate) async fn import(
    state: &Arc<State>,
    users: Vec<ImportUser>,
    tokens: bool,
) -> Result<Vec<ImportedUser>, Refusal> {
    let mut imported = Vec::with_capacity(users.len());
    let mut rest = users.into_iter();
    loop {
        let batch: Vec<ImportUser> = rest.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            return Ok(imported);
        }
        let handles: Vec<String> = batch.iter().map(|user| user.handle.clone()).collect();
        let prepared = futures_util::stream::iter(batch)
            .map(|user| prepare(state, user))
            .buffered(HASHES_AT_ONCE)
            .try_collect()
            .await?;
        let written =
            state.write("accounts/import", &Context::internal(), move |desk| take(desk, prepared, tokens)).await?;
        for (handle, (outcome, issued)) in handles.into_iter().zip(written) {
            let tokens = issued.map(|issued| login(state, issued)).transpose()?;
            imported.push(ImportedUser { handle, outcome, tokens });
        }
    }
}

/// Checks an account by the same rules as a registration, except that its password's strength is its former system's.
async fn prepare(state: &State, user: ImportUser) -> Result<Result<NewAccount, String>, Refusal> {
    let checked = (|| {
        let handle = rules::handle(&user.handle).map_err(|refusal| refusal.message)?;
        let name = rules::name(&user.name).map_err(|refusal| refusal.message)?;
        match (&user.password, &user.password_hash) {
            (Some(_), Some(_)) => return Err("give password or password_hash, not both".to_owned()),
            (None, Some(phc)) => {
                password::check_foreign(phc).map_err(|problem| format!("password_hash: {problem}"))?;
            }
            (Some(password), None) => {
                password::check(password, &handle).map_err(|refusal| refusal.message)?;
            }
            (None, None) => {}
        }
        Ok((handle, name))
    })();
    let (handle, name) = match checked {
        Ok(checked) => checked,
        Err(problem) => return Ok(Err(problem)),
    };
    let password = match user.password {
        Some(password) => Some(state.hasher.hash(SecretString::from(password)).await?),
        None => user.password_hash,
    };
    Ok(Ok(NewAccount { handle, name, role: user.role.unwrap_or(Role::User), password }))
}

type Taken = (ImportOutcome, Option<Issued>);

fn take(desk: &Desk<'_>, prepared: Vec<Result<NewAccount, String>>, tokens: bool) -> Result<Vec<Taken>, Stop> {
    let mut taken = Vec::with_capacity(prepared.len());
    let mut created = 0;
    for new in prepared {
        taken.push(match new {
            Err(problem) => (ImportOutcome::Refused(problem), None),
            Ok(new) => {
                let (outcome, account) = match accounts::insert(desk.tx, &new, desk.now)? {
                    Some(account) => (ImportOutcome::Created(account.id), account),
                    None => {
                        let row = accounts::by_handle(desk.tx, &new.handle)?
                            .ok_or_else(|| Stop::Fault("a handle is taken by nobody".to_owned()))?;
                        (ImportOutcome::Existed(row.account.id), row.account)
                    }
                };
                created += u32::from(matches!(outcome, ImportOutcome::Created(_)));
                let session = match tokens {
                    true => Some(desk.begin_session(account.id, Some("import".to_owned()))?),
                    false => None,
                };
                let at = desk.now;
                let issued = session.map(|session| Issued { account, session, at });
                (outcome, issued)
            }
        });
    }
    let logins = if tokens { ", each with a login" } else { "" };
    let summary = format!("{created} of {} created{logins}", taken.len());
    desk.audit_why("account.import", "accounts".to_owned(), None, summary)?;
    Ok(taken)
}

fn login(state: &State, issued: Issued) -> Result<ImportTokens, Refusal> {
    let (grant, refresh_token) = state.grant(issued)?;
    Ok(ImportTokens {
        session: grant.session,
        access_token: grant.access_token,
        refresh_token,
        expires_at: grant.expires_at,
    })
}
