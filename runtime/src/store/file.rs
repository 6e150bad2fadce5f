//! The file itself: whose it is, how it is made, how its connections are set up.
//!
//! A new store is made under another name, synced and renamed, so that a file at the store's path is always whole
//! and always carries our mark. That lets the check for foreign files read a hundred bytes and touch nothing.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use protocol::{Epoch, ServiceName};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};
use uuid::Uuid;

use super::{OpenError, StoreOptions};

/// `SCN` and the service's number: SQLite's place for "whose format is this".
const APPLICATION_ID: i32 = 0x5343_4e00;

/// Where SQLite's file header holds the application id, big-endian.
const HEADER_APPLICATION_ID: std::ops::Range<usize> = 68..72;

/// Only a stranger's connection (a shell, a backup) ever holds a lock; it is waited for this long.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Statements kept prepared per connection; more than any service has.
const STATEMENT_CACHE: usize = 256;

fn application_id(service: ServiceName) -> i32 {
    APPLICATION_ID
        + match service {
            ServiceName::Gateway => 1,
            ServiceName::Auth => 2,
            ServiceName::Chat => 3,
            ServiceName::Signaling => 4,
            ServiceName::Storage => 5,
            ServiceName::Turn => 6,
        }
}

/// The writer's connection: of the file that is there, or of a new one.
pub(crate) fn open_or_create(options: &StoreOptions) -> Result<Connection, OpenError> {
    let path = &options.path;
    match std::fs::metadata(path) {
        Ok(found) if found.len() > 0 => {}
        Ok(_) => create(options)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => create(options)?,
        Err(source) => return Err(io(path, source)),
    }
    open_existing(options)
}

/// The writer's connection to a file that must be there.
pub(crate) fn open_existing(options: &StoreOptions) -> Result<Connection, OpenError> {
    let path = &options.path;
    check_header(path, options.service)?;
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .map_err(|error| sqlite(path, error))?;
    check_version(&connection, options)?;
    configure_writer(&connection, options).map_err(|error| sqlite(path, error))?;
    Ok(connection)
}

/// A reader's connection: it can't write, and sees one snapshot per transaction.
pub(crate) fn open_reader(options: &StoreOptions) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(&options.path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    configure(&connection, options.cache_kib / 4)?;
    Ok(connection)
}

/// The store's epoch, made when the file was.
pub(crate) fn epoch(connection: &Connection) -> Result<Epoch, OpenError> {
    let path = PathBuf::from(connection.path().unwrap_or_default());
    let stored: Option<Uuid> = connection
        .query_row("SELECT value FROM meta WHERE key = 'epoch'", [], |row| {
            row.get::<_, [u8; 16]>(0).map(Uuid::from_bytes)
        })
        .optional()
        .map_err(|error| sqlite(&path, error))?;
    stored.map(Epoch).ok_or_else(|| OpenError::Foreign { path, found: "it carries our mark but no epoch".to_owned() })
}

fn create(options: &StoreOptions) -> Result<(), OpenError> {
    let path = &options.path;
    let mut draft = path.clone().into_os_string();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    match std::fs::remove_file(&draft) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(path, error)),
        _ => {}
    }
    let made = fill(&draft, options.service)
        .map_err(|error| sqlite(path, error))
        .and_then(|()| publish(&draft, path).map_err(|error| io(path, error)));
    if made.is_err() {
        // Best effort: the next start removes it as well.
        let _ = std::fs::remove_file(&draft);
    }
    made
}

fn fill(draft: &Path, service: ServiceName) -> rusqlite::Result<()> {
    let connection = Connection::open(draft)?;
    connection.pragma_update(None, "page_size", 4096)?;
    connection.pragma_update(None, "application_id", application_id(service))?;
    connection.execute_batch("CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID")?;
    connection.execute("INSERT INTO meta (key, value) VALUES ('epoch', ?1)", [Uuid::new_v4().as_bytes()])?;
    connection.close().map_err(|(_, error)| error)
}

fn publish(draft: &Path, path: &Path) -> std::io::Result<()> {
    File::open(draft)?.sync_all()?;
    std::fs::rename(draft, path)?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

fn check_header(path: &Path, service: ServiceName) -> Result<(), OpenError> {
    let foreign = |found: &str| OpenError::Foreign { path: path.to_path_buf(), found: found.to_owned() };
    let mut header = Vec::with_capacity(100);
    File::open(path).and_then(|file| file.take(100).read_to_end(&mut header)).map_err(|source| io(path, source))?;
    if header.len() < 100 || !header.starts_with(b"SQLite format 3\0") {
        return Err(foreign("not a SQLite file"));
    }
    let mut id = [0; 4];
    id.copy_from_slice(&header[HEADER_APPLICATION_ID]);
    let id = i32::from_be_bytes(id);
    if id == application_id(service) {
        return Ok(());
    }
    match ServiceName::ALL.into_iter().find(|other| application_id(*other) == id) {
        Some(owner) => {
            Err(OpenError::OtherService { path: path.to_path_buf(), owner: owner.as_str(), wanted: service.as_str() })
        }
        None => Err(foreign("another program's SQLite file")),
    }
}

/// Refuses a newer schema. Until that is known, closing must not even move the WAL into the file.
fn check_version(connection: &Connection, options: &StoreOptions) -> Result<(), OpenError> {
    let path = &options.path;
    let version = connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .and_then(|_| super::migrate::version(connection))
        .map_err(|error| sqlite(path, error))?;
    let known = super::migrate::newest(options.migrations);
    if version > known {
        return Err(OpenError::NewerSchema { path: path.clone(), found: version, known });
    }
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
        .map(|_| ())
        .map_err(|error| sqlite(path, error))
}

fn configure_writer(connection: &Connection, options: &StoreOptions) -> rusqlite::Result<()> {
    configure(connection, options.cache_kib)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // The writer checkpoints by its own rule, when it is idle.
    connection.pragma_update(None, "wal_autocheckpoint", 0)
}

fn configure(connection: &Connection, cache_kib: u32) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    // Otherwise SQLite looks at some bound values while it plans (a LIMIT, what a partial index's column is compared with), and plans
    // the statement anew each time that they are bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "cache_size", -i64::from(cache_kib))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "trusted_schema", false)
}

pub(crate) fn io(path: &Path, source: std::io::Error) -> OpenError {
    if source.kind() == std::io::ErrorKind::StorageFull {
        return OpenError::Full { path: path.to_path_buf() };
    }
    OpenError::Io { path: path.to_path_buf(), source }
}

pub(crate) fn sqlite(path: &Path, source: rusqlite::Error) -> OpenError {
    match source.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => OpenError::Full { path: path.to_path_buf() },
        Some(ErrorCode::NotADatabase) => {
            OpenError::Foreign { path: path.to_path_buf(), found: "not a SQLite file".to_owned() }
        }
        _ => OpenError::Sqlite { path: path.to_path_buf(), source },
    }
}
