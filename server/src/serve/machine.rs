//! What is set up once for the process before anything is served.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Makes the data directory, for its owner alone; one that exists is left as it is.
pub(crate) fn make_data_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
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
