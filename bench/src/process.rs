//! Processes under measurement: their CPU time and memory as the kernel counts them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

/// CPU time that the process has used so far, user and system together.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the name in parentheses and may hold spaces; utime and stime are fields 14 and 15.
    let after_name = stat.rsplit_once(')').context("no name in stat")?.1;
    let fields: Vec<&str> = after_name.split_ascii_whitespace().collect();
    let ticks: u64 =
        fields.get(11).context("no utime")?.parse::<u64>()? + fields.get(12).context("no stime")?.parse::<u64>()?;
    Ok(Duration::from_secs_f64(ticks as f64 / ticks_per_second()))
}

/// Resident memory of the process, in bytes.
pub(crate) fn resident_bytes(pid: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    let kilobytes: u64 = line.split_ascii_whitespace().nth(1).context("no number in VmRSS")?.parse()?;
    Ok(kilobytes * 1024)
}

fn ticks_per_second() -> f64 {
    #[allow(unsafe_code, reason = "sysconf has no safe wrapper; it reads a constant of the system")]
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    ticks as f64
}

/// A floor program, run by this binary's own hidden subcommand; killed when dropped.
pub(crate) struct Floor {
    child: Child,
    out: BufReader<ChildStdout>,
    /// Where it listens.
    pub(crate) address: std::net::SocketAddr,
}

impl Floor {
    /// Starts `floor <arguments>` and waits until it says where it listens.
    pub(crate) fn start(arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("floor")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut out = BufReader::new(child.stdout.take().context("no stdout")?);
        let mut line = String::new();
        out.read_line(&mut line)?;
        match line.trim().parse() {
            Ok(address) => Ok(Self { child, out, address }),
            Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                bail!("the floor program {arguments:?} did not start")
            }
        }
    }

    /// Writes a line to it and awaits its answer.
    pub(crate) fn ask(&mut self, question: &str) -> Result<()> {
        let input = self.child.stdin.as_mut().context("no stdin")?;
        writeln!(input, "{question}")?;
        input.flush()?;
        let mut answer = String::new();
        self.out.read_line(&mut answer)?;
        ensure!(!answer.is_empty(), "the floor program has ended");
        Ok(())
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Floor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
