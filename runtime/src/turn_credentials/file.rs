//! The secret where none is configured: made at the first start, in a file of the data directory, so that signaling and TURN hold the
//! same one without anybody having to think of it.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use uuid::Uuid;

use super::TurnSecrets;
use crate::config::Secret;

impl TurnSecrets {
    /// The secrets of the configuration; where it has none, the one in this file, which is made if it isn't there.
    /// Processes that start at the same moment get the same one.
    ///
    /// # Errors
    /// When the file can't be read or made, or holds no secret.
    pub fn configured_or_of_file(current: &Secret, previous: &Secret, path: &Path) -> io::Result<Self> {
        if let Some(configured) = Self::new(current, previous) {
            return Ok(configured);
        }
        let kept = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => create(path)?,
            read => read?,
        };
        let kept = Secret::new(kept.trim());
        Self::new(&kept, previous).ok_or_else(|| {
            let message = format!("{} holds no secret; remove it and start again", path.display());
            io::Error::new(io::ErrorKind::InvalidData, message)
        })
    }
}

/// Makes the file; answers what is in it then, which may be another process's.
fn create(path: &Path) -> io::Result<String> {
    // 244 random bits.
    let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    // Written whole under another name, then linked: the name never shows a part of a secret, and only one process wins it.
    let draft = path.with_extension(format!("{}.new", Uuid::new_v4().simple()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    // A name is the folder's: without this a power cut could bring another secret than the one that credentials were made with.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()?;
    match linked {
        Ok(()) => Ok(secret),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => fs::read_to_string(path),
        Err(error) => Err(error),
    }
}
