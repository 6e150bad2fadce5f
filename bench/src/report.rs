//! The table, printed and written to `docs/performance.md`.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;

use crate::stats::Median;

/// One row: a figure of the server, the same of its floor, and what is asked.
pub(crate) struct Row {
    /// What was measured.
    pub(crate) what: String,
    /// Its unit.
    pub(crate) unit: &'static str,
    /// The server's figure.
    pub(crate) server: Median,
    /// The floor's figure.
    pub(crate) floor: Median,
    /// Where the floor moves fewer bytes than the server: one that moves as many.
    pub(crate) floor_of_events: Option<Median>,
    /// CPU-seconds of the client during the measured part, where it makes sense.
    pub(crate) client_cpu_seconds: Option<f64>,
    /// What is asked of the figure, and whether it is met.
    pub(crate) goal: Goal,
}

/// What is asked of a figure.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Goal {
    /// At least this share of the floor.
    ShareOfFloor(f64),
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// Nothing: it is measured to be known.
    None,
}

impl Row {
    fn ratio(&self) -> f64 {
        self.server.median / self.floor.median
    }

    fn verdict(&self) -> String {
        let (goal, met) = match self.goal {
            Goal::None => return "–".to_owned(),
            Goal::ShareOfFloor(share) => (format!("≥ {:.0} % of the floor", share * 100.0), self.ratio() >= share),
            Goal::AtMost(most) => (format!("≤ {}", grouped(most)), self.server.median <= most),
            Goal::AtLeast(least) => (format!("≥ {}", grouped(least)), self.server.median >= least),
        };
        format!("{goal}: {}", if met { "met" } else { "missed" })
    }

    fn cells(&self) -> [String; 9] {
        let of_events = |tell: fn(&Self, Median) -> String| {
            self.floor_of_events.map_or_else(|| "–".to_owned(), |floor| tell(self, floor))
        };
        [
            self.what.clone(),
            self.unit.to_owned(),
            spread(self.server),
            spread(self.floor),
            format!("{:.2}", self.ratio()),
            of_events(|_, floor| spread(floor)),
            of_events(|row, floor| format!("{:.2}", row.server.median / floor.median)),
            self.client_cpu_seconds.map_or_else(|| "–".to_owned(), |seconds| format!("{seconds:.2} s")),
            self.verdict(),
        ]
    }
}

const HEADINGS: [&str; 9] = [
    "measured",
    "unit",
    "server: median (lowest – highest)",
    "floor: median (lowest – highest)",
    "server / floor",
    "floor with an event's bytes: median (lowest – highest)",
    "server / that floor",
    "client CPU",
    "goal",
];

/// The table in Markdown, which is also readable on a terminal.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut cells: Vec<[String; 9]> = vec![HEADINGS.map(str::to_owned)];
    cells.extend(rows.iter().map(Row::cells));
    let widths: Vec<usize> = (0..HEADINGS.len())
        .map(|column| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for (index, row) in cells.iter().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            let padding = " ".repeat(width - cell.chars().count());
            let _ = write!(text, "| {cell}{padding} ");
        }
        text.push_str("|\n");
        if index == 0 {
            for width in &widths {
                let _ = write!(text, "|{}", "-".repeat(width + 2));
            }
            text.push_str("|\n");
        }
    }
    text
}

/// Writes the document's head: method, machine, table. Its sections are measured apart and stay.
pub(crate) fn write(path: &Path, rows: &[Row], method: &str) -> Result<()> {
    let mut text = String::from("# Performance\n\nMade by `make bench`; do not edit.\n\n");
    let _ = writeln!(text, "{}\n\n{method}\n", machine());
    text.push_str(&table(rows));
    text.push_str(sections(&std::fs::read_to_string(path).unwrap_or_default()));
    std::fs::write(path, text)?;
    Ok(())
}

fn sections(document: &str) -> &str {
    document.find("\n## ").map_or("", |at| &document[at..])
}

/// A part of the document that is measured, and written, apart from the rest.
pub(crate) struct Section {
    /// Its heading.
    pub(crate) heading: &'static str,
    /// How it was measured.
    pub(crate) method: &'static str,
    /// The machine's load before it began.
    pub(crate) load: String,
}

impl Section {
    /// Replaces the section in the document, or adds it at the end.
    pub(crate) fn write(&self, path: &Path, table: &str) -> Result<()> {
        let document = std::fs::read_to_string(path)?;
        std::fs::write(path, self.put_into(&document, table))?;
        Ok(())
    }

    fn put_into(&self, document: &str, table: &str) -> String {
        let heading = format!("## {}\n", self.heading);
        let (before, rest) = document.split_once(&heading).unwrap_or((document, ""));
        let after = sections(rest);
        let Self { method, load, .. } = self;
        let before = before.trim_end();
        format!(
            "{before}\n\n{heading}\n{}\nLoad average before the measurement: {load}\n\n{method}\n\n{table}{after}",
            machine()
        )
    }
}

/// How much else the machine was doing: on a shared one latencies and CPU times are higher.
pub(crate) fn load_average() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let figures: Vec<&str> = text.split(' ').take(3).collect();
    let is_shared = figures.first().and_then(|last| last.parse().ok()).is_some_and(|last: f64| last >= 1.0);
    let shared = if is_shared { "; the machine was shared with other work" } else { "" };
    format!("{} (1, 5 and 15 minutes){shared}.", figures.join(", "))
}

fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu_info = read("/proc/cpuinfo");
    let cpu = cpu_info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory = read("/proc/meminfo");
    let kilobytes: u64 = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))
        .and_then(|rest| rest.split_ascii_whitespace().next()?.parse().ok())
        .unwrap_or(0);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("Machine: {cores} cores of {cpu}, {} GiB, Linux {}, loopback.", kilobytes / 1024 / 1024, kernel.trim())
}

/// A median with the lowest and the highest.
pub(crate) fn spread(figure: Median) -> String {
    format!("{} ({} – {})", grouped(figure.median), grouped(figure.lowest), grouped(figure.highest))
}

/// A number with thin spaces between its thousands; three digits where it is small.
fn grouped(number: f64) -> String {
    if number.abs() < 100.0 {
        return format!("{number:.2}");
    }
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) && digit.is_ascii_digit() {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_easily() {
        assert_eq!(grouped(1_234_567.0), "1,234,567");
        assert_eq!(grouped(123.0), "123");
        assert_eq!(grouped(1.5), "1.50");
    }

    #[test]
    fn a_section_takes_the_place_of_its_former_self() {
        let section = Section { heading: "Calls", method: "How.", load: String::new() };
        let first = section.put_into("# All\n\n| rest |\n", "| old |\n");
        let second = section.put_into(&format!("{first}\n## Other\n\nKept.\n"), "| new |\n");
        assert!(second.starts_with("# All\n\n| rest |\n\n## Calls\n"), "{second}");
        assert!(second.ends_with("How.\n\n| new |\n\n## Other\n\nKept.\n") && !second.contains("old"), "{second}");
    }

    #[test]
    fn a_new_head_leaves_the_sections() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("performance.md");
        std::fs::write(&path, "# Performance\n\n| old |\n\n## Calls\n\nKept.\n").unwrap();
        write(&path, &[], "How.").unwrap();
        let document = std::fs::read_to_string(&path).unwrap();
        assert!(document.contains("How.") && !document.contains("old"), "{document}");
        assert!(document.ends_with("\n\n## Calls\n\nKept.\n"), "{document}");
    }

    #[test]
    fn a_goal_says_whether_it_was_met() {
        let median = |figure| Median::of(&[figure]).unwrap();
        let row = |goal| Row {
            what: String::new(),
            unit: "",
            server: median(50.0),
            floor: median(100.0),
            floor_of_events: None,
            client_cpu_seconds: None,
            goal,
        };
        assert!(row(Goal::ShareOfFloor(0.5)).verdict().ends_with(": met"));
        assert!(row(Goal::ShareOfFloor(0.6)).verdict().ends_with("missed"));
        assert!(row(Goal::AtMost(49.0)).verdict().ends_with("missed"));
    }
}
