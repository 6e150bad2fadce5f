//! A disk that can't sync, without a disk that is broken: strace answers the system call in the kernel's place.

use std::path::Path;

/// The command under which the syncs of one file from number `first` to number `last` fail as those of a dying disk do, counted in each
/// thread; the program and its arguments follow. The program stays our own child (`-D`).
#[must_use]
pub fn failing_syncs(file: &Path, first: u32, last: u32) -> Vec<String> {
    let fixed = ["strace", "-D", "-f", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e"];
    let mut command: Vec<String> = fixed.map(str::to_owned).to_vec();
    command.push(format!("inject=fsync,fdatasync:error=EIO:when={first}..{last}"));
    command.extend(["-P".to_owned(), file.display().to_string()]);
    command
}
