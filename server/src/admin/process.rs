//! What the kernel knows of this process, in Prometheus' text format and by the names that its client libraries use.

use std::fmt::Write;

/// Memory, CPU time, threads and open files.
pub(crate) fn metrics() -> String {
    let mut text = String::new();
    let mut gauge = |name: &str, kind: &str, help: &str, value: Option<f64>| {
        if let Some(value) = value {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
        }
    };
    let kib = |field: &str| status(field).map(|kib| kib * 1024.0);
    gauge("process_resident_memory_bytes", "gauge", "Memory in RAM.", kib("VmRSS:"));
    gauge("process_virtual_memory_bytes", "gauge", "Address space.", kib("VmSize:"));
    gauge("process_threads", "gauge", "Threads.", status("Threads:"));
    gauge("process_open_fds", "gauge", "Open files and sockets.", open_files());
    gauge("process_cpu_seconds_total", "counter", "CPU time, user and system.", cpu_seconds());
    text
}

fn status(field: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn open_files() -> Option<f64> {
    // The listing itself has one open.
    let files = std::fs::read_dir("/proc/self/fd").ok()?.count();
    Some(files.saturating_sub(1) as f64)
}

fn cpu_seconds() -> Option<f64> {
    // Nanoseconds on a core, of all threads that live.
    let mut nanoseconds = 0.0;
    for task in std::fs::read_dir("/proc/self/task").ok()?.flatten() {
        let Ok(stat) = std::fs::read_to_string(task.path().join("schedstat")) else { continue };
        nanoseconds += stat.split_ascii_whitespace().next()?.parse::<f64>().ok()?;
    }
    Some(nanoseconds / 1e9)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_process_is_described() {
        let text = super::metrics();
        for name in ["process_resident_memory_bytes", "process_threads", "process_open_fds"] {
            assert!(text.lines().any(|line| line.starts_with(name)), "{name} in {text}");
        }
    }
}
