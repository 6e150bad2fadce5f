//! Versioned, reversible migrations.
//!
//! A version is applied or undone in one transaction together with the number in the file's header
//! (`user_version`), so a crash leaves the version before or the version after, never something between.

use rusqlite::{Connection, TransactionBehavior};

use super::file::sqlite;
use super::{OpenError, StoreOptions};

/// One version of a schema.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its number, from 1 without a gap.
    pub version: u32,
    /// What it brings, for people.
    pub name: &'static str,
    /// SQL that leads from the version before to this one.
    pub up: &'static str,
    /// SQL that leads back.
    pub down: &'static str,
}

/// One line of `secureconnect migrate status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The migration's number.
    pub version: u32,
    /// What it brings.
    pub name: &'static str,
    /// Whether the file has it.
    pub applied: bool,
}

/// Which versions the file has. Makes no file.
pub fn status(options: &StoreOptions) -> Result<Vec<Status>, OpenError> {
    let current = match options.path.exists() {
        true => version_of(&super::file::open_existing(options)?, options)?,
        false => 0,
    };
    Ok(options
        .migrations
        .iter()
        .map(|migration| Status {
            version: migration.version,
            name: migration.name,
            applied: migration.version <= current,
        })
        .collect())
}

/// Applies what is pending up to and including `target`; answers the version that the file then has.
pub fn up_to(options: &StoreOptions, target: u32) -> Result<u32, OpenError> {
    check_numbering(options.migrations)?;
    let mut connection = super::file::open_or_create(options)?;
    apply(&mut connection, options.migrations, target)?;
    version_of(&connection, options)
}

/// Undoes all versions above `target`, newest first; answers the version that the file then has.
pub fn down_to(options: &StoreOptions, target: u32) -> Result<u32, OpenError> {
    check_numbering(options.migrations)?;
    let mut connection = super::file::open_existing(options)?;
    let current = version_of(&connection, options)?;
    for migration in options.migrations.iter().rev() {
        if migration.version > target && migration.version <= current {
            step(&mut connection, migration, migration.down, migration.version - 1)?;
        }
    }
    version_of(&connection, options)
}

pub(crate) fn apply_pending(connection: &mut Connection, migrations: &'static [Migration]) -> Result<(), OpenError> {
    apply(connection, migrations, newest(migrations))
}

pub(crate) fn newest(migrations: &[Migration]) -> u32 {
    migrations.last().map_or(0, |migration| migration.version)
}

pub(crate) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

pub(crate) fn check_numbering(migrations: &[Migration]) -> Result<(), OpenError> {
    for (index, migration) in migrations.iter().enumerate() {
        if migration.version as usize != index + 1 {
            return Err(OpenError::Migrations(format!(
                "{} has version {}, its place is {}",
                migration.name,
                migration.version,
                index + 1
            )));
        }
    }
    Ok(())
}

fn version_of(connection: &Connection, options: &StoreOptions) -> Result<u32, OpenError> {
    version(connection).map_err(|error| sqlite(&options.path, error))
}

fn apply(connection: &mut Connection, migrations: &'static [Migration], target: u32) -> Result<(), OpenError> {
    let path = std::path::PathBuf::from(connection.path().unwrap_or_default());
    let current = version(connection).map_err(|error| sqlite(&path, error))?;
    for migration in migrations {
        if migration.version > current && migration.version <= target {
            step(connection, migration, migration.up, migration.version)?;
        }
    }
    Ok(())
}

fn step(connection: &mut Connection, migration: &Migration, sql: &str, becomes: u32) -> Result<(), OpenError> {
    let path = std::path::PathBuf::from(connection.path().unwrap_or_default());
    let done = (|| {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", becomes)?;
        transaction.commit()
    })();
    done.map_err(|source| match sqlite(&path, source) {
        OpenError::Sqlite { source, .. } => {
            OpenError::Migration { version: migration.version, name: migration.name, source }
        }
        other => other,
    })
}
