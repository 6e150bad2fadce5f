//! Accounts in the store.

use protocol::accounts::{Account, Profile, Role};
use protocol::{Millis, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::sql::{number, read_number, read_time, read_user, read_word};

/// An account with what only this service may see.
#[derive(Clone, Debug)]
pub(crate) struct AccountRow {
    /// What its owner sees.
    pub(crate) account: Account,
    /// The password's hash (PHC); none: nobody logs in by password.
    pub(crate) password: Option<String>,
    /// When the password was last set.
    pub(crate) password_at: Millis,
    /// Since when it is suspended.
    pub(crate) suspended_at: Option<Millis>,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub(crate) struct NewAccount {
    pub(crate) handle: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) password: Option<String>,
}

const COLUMNS: &str = "id, handle, name, avatar, role, created_at, password, password_at, suspended_at";

fn read(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow {
        account: Account {
            id: read_user(row, 0)?,
            handle: row.get(1)?,
            name: row.get(2)?,
            avatar: row.get(3)?,
            role: read_word(row, 4, Role::parse)?,
            created_at: read_number(row, 5)?,
        },
        password: row.get(6)?,
        password_at: read_number(row, 7)?,
        suspended_at: read_time(row, 8)?,
    })
}

/// The account of this id.
pub(crate) fn by_id(store: &Connection, id: UserId) -> rusqlite::Result<Option<AccountRow>> {
    store
        .prepare_cached(&format!("SELECT {COLUMNS} FROM accounts WHERE id = ?1"))?
        .query_row([id.as_bytes()], read)
        .optional()
}

/// The account of this handle, in its one form.
pub(crate) fn by_handle(store: &Connection, handle: &str) -> rusqlite::Result<Option<AccountRow>> {
    store
        .prepare_cached(&format!("SELECT {COLUMNS} FROM accounts WHERE handle = ?1"))?
        .query_row([handle], read)
        .optional()
}

/// Makes an account; `None` when the handle is taken.
pub(crate) fn insert(store: &Connection, new: &NewAccount, now: Millis) -> rusqlite::Result<Option<Account>> {
    let id = UserId::now();
    let added = store
        .prepare_cached(
            "INSERT INTO accounts (id, handle, name, role, password, password_at, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT (handle) DO NOTHING",
        )?
        .execute(params![id.as_bytes(), new.handle, new.name, new.role.as_str(), new.password, number(now)])?;
    Ok((added == 1).then(|| Account {
        id,
        handle: new.handle.clone(),
        name: new.name.clone(),
        avatar: None,
        role: new.role,
        created_at: now,
    }))
}

/// Writes handle, name and picture; `false` when the handle is taken by another account.
pub(crate) fn update(store: &Connection, account: &Account) -> rusqlite::Result<bool> {
    let other: Option<[u8; 16]> = store
        .prepare_cached("SELECT id FROM accounts WHERE handle = ?1 AND id <> ?2")?
        .query_row(params![account.handle, account.id.as_bytes()], |row| row.get(0))
        .optional()?;
    if other.is_some() {
        return Ok(false);
    }
    store.prepare_cached("UPDATE accounts SET handle = ?2, name = ?3, avatar = ?4 WHERE id = ?1")?.execute(params![
        account.id.as_bytes(),
        account.handle,
        account.name,
        account.avatar
    ])?;
    Ok(true)
}

/// Sets the password's hash.
pub(crate) fn set_password(store: &Connection, id: UserId, phc: &str, now: Millis) -> rusqlite::Result<()> {
    store.prepare_cached("UPDATE accounts SET password = ?2, password_at = ?3 WHERE id = ?1")?.execute(params![
        id.as_bytes(),
        phc,
        number(now)
    ])?;
    Ok(())
}

/// Replaces the hash of an unchanged password.
pub(crate) fn rehash(store: &Connection, id: UserId, phc: &str) -> rusqlite::Result<()> {
    store.prepare_cached("UPDATE accounts SET password = ?2 WHERE id = ?1")?.execute(params![id.as_bytes(), phc])?;
    Ok(())
}

/// Sets the role.
pub(crate) fn set_role(store: &Connection, id: UserId, role: Role) -> rusqlite::Result<()> {
    store
        .prepare_cached("UPDATE accounts SET role = ?2 WHERE id = ?1")?
        .execute(params![id.as_bytes(), role.as_str()])?;
    Ok(())
}

/// Suspends, or lifts it.
pub(crate) fn set_suspended(store: &Connection, id: UserId, since: Option<Millis>) -> rusqlite::Result<()> {
    store
        .prepare_cached("UPDATE accounts SET suspended_at = ?2 WHERE id = ?1")?
        .execute(params![id.as_bytes(), since.map(number)])?;
    Ok(())
}

/// Whether an administrator other than this account could log in.
pub(crate) fn another_admin(store: &Connection, than: UserId) -> rusqlite::Result<bool> {
    store
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM accounts WHERE role = 'admin'
                            AND suspended_at IS NULL AND id <> ?1)",
        )?
        .query_row([than.as_bytes()], |row| row.get(0))
}

/// What others see of an account.
pub(crate) fn profile(account: Account) -> Profile {
    Profile { id: account.id, handle: account.handle, name: account.name, avatar: account.avatar }
}
