//! One process of the system.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use rig::Program;
use tokio::process::Command;

use crate::topology::Part;

pub(crate) struct Process(Program);

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
        command.args(&words[1..]).env_clear().envs(environment.iter().cloned()).current_dir(data_dir);
        Self(Program::start(part.name, command, data_dir))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.pid()
    }

    pub(crate) fn assert_running(&mut self) {
        self.0.assert_running();
    }

    pub(crate) fn signal(&mut self, signal: i32) {
        self.0.signal(signal);
    }

    pub(crate) fn send(&mut self, signal: i32) {
        self.0.send(signal);
    }

    pub(crate) async fn kill(&mut self) {
        self.0.kill().await;
    }

    pub(crate) async fn exited(&mut self) -> ExitStatus {
        self.0.exited().await
    }
}
