//! The key of a data directory: who shows it belongs to it.
//!
//! It is made at the first start and lies beside the data, readable by the owner only; who can read it could read the data anyway.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use uuid::Uuid;

/// The key. It never prints.
#[derive(Clone)]
pub struct Key(String);

/// 64 hexadecimal digits of two random UUIDs: 244 random bits.
const KEY_CHARS: usize = 64;

impl Key {
    /// A new random key.
    #[must_use]
    pub fn generate() -> Self {
        Self(format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()))
    }

    /// The key in this file.
    ///
    /// # Errors
    /// When the file can't be read or holds no key.
    pub fn load(path: &Path) -> io::Result<Self> {
        Self::parse(&fs::read_to_string(path)?, path)
    }

    /// The key in this file; makes the file if there is none. Processes that start at the same moment get the same key.
    ///
    /// # Errors
    /// When the file can't be read or made, or holds no key.
    pub fn load_or_create(path: &Path) -> io::Result<Self> {
        match Self::load(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            known => return known,
        }
        let key = Self::generate();
        // Written whole under another name, then linked: the name never shows a part of a key, and only one process wins it.
        let draft = path.with_extension(format!("{}.new", Uuid::new_v4().simple()));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(key.0.as_bytes())?;
        file.sync_all()?;
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft)?;
        // A name is the folder's: without this a power cut could bring another key.
        fs::File::open(path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new(".")))?
            .sync_all()?;
        match linked {
            Ok(()) => Ok(key),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::parse(&fs::read_to_string(path)?, path),
            Err(error) => Err(error),
        }
    }

    fn parse(text: &str, path: &Path) -> io::Result<Self> {
        let text = text.trim();
        if text.len() == KEY_CHARS && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(Self(text.to_owned()));
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{} holds no key; remove it and start again", path.display()),
        ))
    }

    /// Whether this value of an `authorization` header is `Bearer <key>`. Takes the same time for every wrong key.
    #[must_use]
    pub fn opens(&self, value: Option<&[u8]>) -> bool {
        let shown = value.and_then(|value| value.strip_prefix(b"Bearer "));
        let shown = shown.unwrap_or_default();
        aws_lc_rs::constant_time::verify_slices_are_equal(shown, self.0.as_bytes()).is_ok()
    }

    /// The value of an `authorization` header that opens.
    #[must_use]
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(****)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn all_who_open_the_directory_get_the_same_key_and_no_one_else_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("link.key");
        let keys: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| Key::load_or_create(&path).unwrap().0)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn only_the_key_opens() {
        let key = Key::generate();
        assert!(key.opens(Some(key.bearer().as_bytes())));
        assert!(!key.opens(Some(Key::generate().bearer().as_bytes())));
        assert!(!key.opens(Some(b"Bearer ")));
        assert!(!key.opens(None));
        assert_eq!(format!("{key:?}"), "Key(****)");
    }

    #[test]
    fn a_file_that_holds_no_key_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("link.key");
        fs::write(&path, "short").unwrap();
        let error = Key::load_or_create(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(fs::read_to_string(&path).unwrap(), "short");
    }
}
