//! One process per data directory.
//!
//! SQLite itself would let two processes in; two writers would then each believe that they hold the head of every log. The
//! lock is `flock`'s, so the kernel releases it with the process, however that ends; a stale file means nothing.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::telemetry::logs::rfc3339;

/// Held for as long as the process uses the directory.
#[derive(Debug)]
pub struct StoreLock {
    path: PathBuf,
    // Dropping the file releases the lock.
    _file: File,
}

/// Why the directory could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process uses it.
    #[error(
        "{directory} is in use by process {pid} (started {since}). Stop it first, or give this one another data directory"
    )]
    Held {
        /// The data directory.
        directory: PathBuf,
        /// The holder's process id, or `?` in the instant before it has written it.
        pid: String,
        /// When the holder started.
        since: String,
    },
    /// The lock file can't be made.
    #[error("can't lock {directory}: {source}")]
    Io {
        /// The data directory.
        directory: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl StoreLock {
    /// Takes `<directory>/lock`, or says who has it. Makes the directory if there is none.
    pub fn acquire(directory: &Path) -> Result<Self, LockError> {
        let io = |source| LockError::Io { directory: directory.to_path_buf(), source };
        std::fs::create_dir_all(directory).and_then(|()| sync_entry(directory)).map_err(io)?;
        let path = directory.join("lock");
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Self::held(directory, file)),
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        // The note is a help for people; on a full disk the lock holds without it.
        let _ = write_note(&mut file);
        Ok(Self { path, _file: file })
    }

    /// The process that holds the directory right now, if any: how a command line tool finds out whether a server runs.
    pub fn holder(directory: &Path) -> Option<String> {
        let file = File::open(directory.join("lock")).ok()?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => match Self::held(directory, file) {
                LockError::Held { pid, .. } => Some(pid),
                LockError::Io { .. } => None,
            },
            _ => None,
        }
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn held(directory: &Path, mut file: File) -> LockError {
        let mut note = String::new();
        let _ = Read::by_ref(&mut file).take(256).read_to_string(&mut note);
        let mut words = note.split_whitespace();
        LockError::Held {
            directory: directory.to_path_buf(),
            pid: words.next().unwrap_or("?").to_owned(),
            since: words.next().unwrap_or("just now").to_owned(),
        }
    }
}

/// Makes the directory's own entry durable: what is synced inside a directory that a power cut takes away is gone too.
fn sync_entry(directory: &Path) -> std::io::Result<()> {
    match directory.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

fn write_note(file: &mut File) -> std::io::Result<()> {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    writeln!(file, "{} {}", std::process::id(), rfc3339(now_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_the_first_ones_pid() {
        let directory = tempfile::tempdir().unwrap();
        let held = StoreLock::acquire(directory.path()).unwrap();
        let refused = StoreLock::acquire(directory.path()).unwrap_err().to_string();
        assert!(refused.contains(&std::process::id().to_string()), "{refused}");
        assert_eq!(StoreLock::holder(directory.path()), Some(std::process::id().to_string()));
        drop(held);
        assert_eq!(StoreLock::holder(directory.path()), None);
        StoreLock::acquire(directory.path()).unwrap();
    }

    #[test]
    fn a_lock_file_left_by_a_dead_process_means_nothing() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("lock"), "1 2020-01-01T00:00:00Z\n").unwrap();
        StoreLock::acquire(directory.path()).unwrap();
    }
}
