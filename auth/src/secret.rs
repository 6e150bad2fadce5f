//! The data directory's secret: a key that never enters the store.
//!
//! Whoever steals the store alone (a backup, a replica) can't make a refresh token from it, nor guess which handles and
//! addresses stand behind the counters. Losing the file logs everybody out and harms nothing else.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// The file's name in the data directory.
pub(crate) const FILE_NAME: &str = "refresh.key";
const BYTES: usize = 32;

/// What a MAC is for; one made for one purpose says nothing for another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// A refresh token.
    Refresh,
    /// Who failures are counted for.
    Tally,
    /// What a registration asked for.
    Registration,
}

/// The key.
pub(crate) struct Secret {
    key: hmac::Key,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file can't be read or made.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not a key.
    #[error("{path} is not a key of 32 bytes; restore it from a backup, or remove it: then everybody logs in again")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Others can read it.
    #[error("{path} can be read by others; run: chmod 600 {path}")]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The system has no randomness.
    #[error("the system gave no random bytes")]
    Random,
}

impl Secret {
    /// Reads the key of this directory; makes one at the first start.
    pub(crate) fn open(directory: &Path) -> Result<Self, SecretError> {
        let path = directory.join(FILE_NAME);
        let io = |source| SecretError::Io { path: path.clone(), source };
        match File::open(&path) {
            Ok(mut file) => {
                let mode = file.metadata().map_err(io)?.permissions().mode();
                if mode & 0o077 != 0 {
                    return Err(SecretError::Exposed { path });
                }
                let mut bytes = Vec::with_capacity(BYTES + 1);
                Read::take(&mut file, BYTES as u64 + 1).read_to_end(&mut bytes).map_err(io)?;
                match bytes.len() {
                    BYTES => Ok(Self::of(&bytes)),
                    _ => Err(SecretError::Damaged { path }),
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let mut bytes = [0; BYTES];
                SystemRandom::new().fill(&mut bytes).map_err(|_| SecretError::Random)?;
                write_durably(directory, &path, &bytes).map_err(io)?;
                Ok(Self::of(&bytes))
            }
            Err(error) => Err(io(error)),
        }
    }

    fn of(bytes: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, bytes) }
    }

    /// The MAC of these parts for a purpose. Each part is preceded by its length, so that no two lists of parts look alike.
    pub(crate) fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&[purpose as u8]);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut mac = [0; 32];
        mac.copy_from_slice(context.sign().as_ref());
        mac
    }
}

/// Half a key after a power cut would be refused forever: the file appears whole or not at all.
fn write_durably(directory: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let unfinished = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_survives_a_restart_and_nobody_else_may_read_it() {
        let directory = tempfile::tempdir().unwrap();
        let mac = |secret: Secret| secret.mac(Purpose::Refresh, &[b"same"]);
        let first = mac(Secret::open(directory.path()).unwrap());
        assert_eq!(mac(Secret::open(directory.path()).unwrap()), first);
        let path = directory.path().join(FILE_NAME);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let exposed = Secret::open(directory.path()).err().unwrap();
        assert!(matches!(exposed, SecretError::Exposed { .. }));
    }

    #[test]
    fn a_damaged_file_is_refused_and_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        write_durably(directory.path(), &directory.path().join(FILE_NAME), b"short").unwrap();
        assert!(matches!(Secret::open(directory.path()).err().unwrap(), SecretError::Damaged { .. }));
        let left = std::fs::read(directory.path().join(FILE_NAME)).unwrap();
        assert_eq!(left, b"short");
    }

    #[test]
    fn parts_and_purposes_do_not_run_together() {
        let secret = Secret::of(&[7; 32]);
        let refresh = |parts: &[&[u8]]| secret.mac(Purpose::Refresh, parts);
        assert_ne!(refresh(&[b"ab", b"c"]), refresh(&[b"a", b"bc"]));
        assert_ne!(refresh(&[b"a"]), secret.mac(Purpose::Tally, &[b"a"]));
    }
}
