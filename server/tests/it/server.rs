//! The real binary on a data directory of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything takes on a machine that has much else to do.
const WITHIN: Duration = Duration::from_secs(60);
/// Between two looks at a condition.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A data directory.
pub(crate) struct Home(tempfile::TempDir);

/// A running server. It is killed when it goes.
pub(crate) struct Server {
    child: Child,
    folder: PathBuf,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The program with these arguments on this directory, on free ports, with cheap password hashes.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_secureconnect"));
        command.args(arguments).env_clear().env("SECURECONNECT_DATA_DIR", self.path());
        for role in ["GATEWAY", "AUTH", "CHAT", "SIGNALING", "STORAGE", "TURN"] {
            command.env(format!("SECURECONNECT_LISTEN__{role}"), "127.0.0.1:0");
        }
        command
            .env("SECURECONNECT_ADMIN__LISTEN", "127.0.0.1:0")
            .env("SECURECONNECT_TURN__LISTEN", r#"["127.0.0.1:0"]"#)
            .env("SECURECONNECT_AUTH__PASSWORD__MEMORY_KIB", "64")
            .env("SECURECONNECT_DRAIN__NOT_READY_MS", "0")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that must succeed; answers what it printed.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs a command that must fail; answers what it said.
    pub(crate) fn fail(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?}: {}", text(&output.stdout));
        text(&output.stderr)
    }

    /// Starts a server with these roles and awaits that it is ready.
    pub(crate) fn serve(&self, roles: &[&str]) -> Server {
        let log = std::fs::File::create(self.path().join(format!("{}.log", roles.join("-")))).unwrap();
        let mut command = self.command(&["serve", "--role", &roles.join(",")]);
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let mut server = Server { child, folder: self.path().join(roles[0]) };
        let roles = roles.join(",");
        until("the server to be ready", || {
            assert!(server.child.try_wait().unwrap().is_none(), "it ended by itself");
            self.run(&["healthcheck", "--role", &roles]).status.success()
        });
        server
    }

    /// Writes an import file.
    pub(crate) fn file(&self, lines: &[&str]) -> String {
        let path = self.path().join("import.jsonl");
        std::fs::write(&path, lines.join("\n")).unwrap();
        path.display().to_string()
    }
}

impl Server {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where something of this process listens, by the addresses file of its first role.
    pub(crate) fn address(&self, name: &str) -> SocketAddr {
        let text = std::fs::read_to_string(self.folder.join("addresses.json")).unwrap();
        let addresses: BTreeMap<String, SocketAddr> = serde_json::from_str(&text).unwrap();
        addresses[name]
    }

    /// Asks it to end, and awaits that it did.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let sent = Command::new("kill").arg(self.pid().to_string()).status().unwrap();
        assert!(sent.success());
        let mut status = None;
        until("the server to end", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks until it is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + WITHIN;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::park_timeout(LOOK_AGAIN);
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
