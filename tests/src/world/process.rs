//! One process of the system: started, signalled, awaited, its output kept in a file that a failing test prints the end of.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::process::{Child, Command};

use crate::topology::Part;
use crate::wait;

/// How many lines of a log a failing test prints.
const LINES_PRINTED: usize = 80;

pub(crate) struct Process {
    name: &'static str,
    child: Child,
    pid: u32,
}

/// The binary under test: `SECURECONNECT_BIN`, or the one that was built beside this test.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn binary() -> PathBuf {
    let path = std::env::var_os("SECURECONNECT_BIN").map_or_else(beside_this_test, PathBuf::from);
    assert!(path.is_file(), "no binary at {}: run `cargo build -p secureconnect` first", path.display());
    path
}

fn beside_this_test() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let profile = test.parent().and_then(Path::parent).expect("target/<profile>/deps");
    profile.join("secureconnect")
}

impl Process {
    /// Starts a part; `wrapper` is the command that it is started under, `arguments` are those of `serve` beside the roles.
    pub(crate) fn spawn(
        part: Part,
        wrapper: &[String],
        arguments: &[String],
        data_dir: &Path,
        environment: &[(String, String)],
    ) -> Self {
        let roles: Vec<&str> = part.roles.iter().map(|role| role.role()).collect();
        let mut words = wrapper.iter().map(OsString::from).collect::<Vec<_>>();
        words.push(binary().into());
        words.extend(["serve", "--role", &roles.join(",")].map(OsString::from));
        words.extend(arguments.iter().map(OsString::from));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        Self::run(part.name, command, data_dir, environment)
    }

    fn run(name: &'static str, mut command: Command, data_dir: &Path, environment: &[(String, String)]) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(log_file(data_dir, name)).expect("a log file");
        command
            .env_clear()
            .envs(environment.iter().cloned())
            .current_dir(data_dir)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .kill_on_drop(true);
        die_with_this_test(&mut command);
        let child = command.spawn().expect("the binary starts");
        let pid = child.id().expect("a process id");
        Self { name, child, pid }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn assert_running(&mut self) {
        if let Some(status) = self.child.try_wait().expect("its status") {
            panic!("{} ended by itself: {status}", self.name);
        }
    }

    pub(crate) fn signal(&mut self, signal: i32) {
        self.assert_running();
        self.send(signal);
    }

    #[allow(unsafe_code, reason = "kill(2) has no safe form; the process is our own child and not yet awaited")]
    pub(crate) fn send(&mut self, signal: i32) {
        let pid = self.pid.try_into().expect("a pid");
        // SAFETY: no memory is passed.
        let result = unsafe { libc::kill(pid, signal) };
        assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    }

    pub(crate) async fn kill(&mut self) {
        self.assert_running();
        self.child.kill().await.expect("killed");
    }

    pub(crate) async fn exited(&mut self) -> ExitStatus {
        let what = format!("{} to end", self.name);
        wait::within(&what, self.child.wait()).await.expect("its status")
    }
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

/// A loopback address that no other world of this machine has at the same time.
pub(crate) fn own_address() -> Ipv4Addr {
    static WORLDS: AtomicU8 = AtomicU8::new(0);
    let [high, low, ..] = (std::process::id() as u16).to_be_bytes();
    let world = WORLDS.fetch_add(1, Ordering::Relaxed);
    Ipv4Addr::new(127, 64 + high % 128, low, 1 + world % 250)
}

fn log_file(data_dir: &Path, name: &str) -> PathBuf {
    data_dir.join(format!("{name}.log"))
}

pub(crate) fn read_log(data_dir: &Path, name: &str) -> String {
    std::fs::read_to_string(log_file(data_dir, name)).unwrap_or_default()
}

#[allow(clippy::print_stderr, reason = "the test runner shows it beside the failure")]
pub(crate) fn print_end_of_log(data_dir: &Path, name: &str) {
    let log = read_log(data_dir, name);
    let lines: Vec<&str> = log.lines().collect();
    let end = &lines[lines.len().saturating_sub(LINES_PRINTED)..];
    eprintln!("--- the last lines of {name} ---\n{}", end.join("\n"));
}
