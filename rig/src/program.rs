//! One process: started, signalled, awaited; its output is kept in a file, and it never outlives its test.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use tokio::process::{Child, Command};

use crate::wait;

/// How many lines of a log a failing test prints.
const LINES_PRINTED: usize = 80;

/// A process.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    pid: u32,
    log: PathBuf,
}

impl Program {
    /// Starts a command whose output is added to `<name>.log` in the folder.
    ///
    /// # Panics
    /// When it can't be started.
    #[must_use]
    pub fn start(name: &str, mut command: Command, folder: &Path) -> Self {
        let log = log_file(folder, name);
        let file = OpenOptions::new().create(true).append(true).open(&log).expect("a log file");
        command.stdin(Stdio::null()).stdout(file.try_clone().expect("a log file")).stderr(file).kill_on_drop(true);
        die_with_this_test(&mut command);
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let pid = child.id().expect("a process id");
        Self { name: name.to_owned(), child, pid, log }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// What it has written so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether it has ended.
    ///
    /// # Panics
    /// When its status can't be read.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("its status").is_some()
    }

    /// Fails the test if it has ended.
    ///
    /// # Panics
    /// When it has.
    pub fn assert_running(&mut self) {
        if let Some(status) = self.child.try_wait().expect("its status") {
            panic!("{} ended by itself: {status}", self.name);
        }
    }

    /// Sends a signal to it; it must be running.
    ///
    /// # Panics
    /// When it is not.
    pub fn signal(&mut self, signal: i32) {
        self.assert_running();
        self.send(signal);
    }

    /// Sends a signal to it, whether it has ended or not, as long as nobody has awaited it.
    ///
    /// # Panics
    /// When it can't be signalled.
    #[allow(unsafe_code, reason = "kill(2) has no safe form; the process is our own child and not yet awaited")]
    pub fn send(&mut self, signal: i32) {
        let pid = self.pid.try_into().expect("a pid");
        // SAFETY: no memory is passed.
        let result = unsafe { libc::kill(pid, signal) };
        assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    }

    /// Freezes it: it answers nothing, and its connections stay.
    pub fn freeze(&mut self) {
        self.signal(libc::SIGSTOP);
    }

    /// Ends the freeze.
    pub fn thaw(&mut self) {
        self.signal(libc::SIGCONT);
    }

    /// Kills it by SIGKILL and awaits its end.
    ///
    /// # Panics
    /// When it had ended by itself.
    pub async fn kill(&mut self) {
        self.assert_running();
        self.child.kill().await.expect("killed");
    }

    /// Awaits its end.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn exited(&mut self) -> ExitStatus {
        let what = format!("{} to end", self.name);
        wait::within(&what, self.child.wait()).await.expect("its status")
    }
}

/// Where the output of a program of this name goes.
#[must_use]
pub fn log_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.log"))
}

/// What a program of this name has written there.
#[must_use]
pub fn read_log(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(log_file(folder, name)).unwrap_or_default()
}

/// Shows the end of a log, for a test that failed.
#[allow(clippy::print_stderr, reason = "the test runner shows it beside the failure")]
pub fn print_end_of_log(folder: &Path, name: &str) {
    let log = read_log(folder, name);
    let lines: Vec<&str> = log.lines().collect();
    let end = &lines[lines.len().saturating_sub(LINES_PRINTED)..];
    eprintln!("--- the last lines of {name} ---\n{}", end.join("\n"));
}

/// A test that is killed leaves no servers behind.
#[allow(unsafe_code, reason = "prctl(2) has no safe form")]
fn die_with_this_test(command: &mut Command) {
    // SAFETY: between fork and exec only one async-signal-safe system call is made.
    unsafe {
        command.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            Ok(())
        });
    }
}
