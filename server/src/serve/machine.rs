//! What is set up once for the process before anything is served.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Makes the data directory, for its owner alone; one that exists is left as it is.
///
/// Each folder that is made is synced in the one around it: what is synced in a folder that a power cut takes away is gone too.
pub(crate) fn make_data_dir(path: &Path) -> io::Result<()> {
    let missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    let made: Vec<&Path> = path.ancestors().take_while(missing).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    for folder in made {
        let around = folder.parent().filter(|around| !around.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(around)?.sync_all()?;
    }
    Ok(())
}

/// Whatever this process makes is its user's alone: databases, keys, sockets, tokens. Nothing relies on the mode of the folder around.
#[allow(unsafe_code, reason = "umask has no safe form in std")]
pub(crate) fn keep_files_private() {
    // SAFETY: it takes and gives a number; it is called before there are other threads.
    unsafe { libc::umask(0o077) };
}

/// Raises the limit of open files as far as the system allows: every socket is one, and the usual soft limit is 1,024.
#[allow(unsafe_code, reason = "getrlimit and setrlimit have no safe form in std")]
pub(crate) fn raise_open_files() -> io::Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a value of ours that outlives the call.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: as above.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(limit.rlim_cur)
}
