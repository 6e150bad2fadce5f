//! Measures SecureConnect beside its floors and writes `docs/performance.md`.
//!
//! The server is the binary that `SECURECONNECT_BIN` names. The floor programs are hidden subcommands of this binary.

mod bed;
mod floor;
mod process;
mod report;
mod scenario;
mod stats;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

use scenario::{Measured, Scenario};

const METHOD: &str = "\
Each figure is the median of interleaved runs, server and floor in turn, in one run of the bench. CPU is what the kernel counts for the
server's process (user and system); the clients run in another process and are counted apart. The server is the release binary in one process
on embedded SQLite, limits on (raised by config), every socket authenticated. Fan-out of a text of 128 bytes: the server commits each message
before it is delivered, and its event says more than the text; the floor that the goal is a share of copies frames of 132 bytes, the one beside
it frames of an event's size. Durable sends: 8 clients, 64 in flight each, a text of 128 bytes;
the floor reads the same frames from bare TCP, commits the same rows and indexes in groups (`synchronous=FULL`) and writes the same
answers. Idle sockets: each its own user in 20 conversations of 10; the slope of resident memory from 5,000 to 15,000; the floor accepts and
holds bare TCP connections.

Where the time goes (profile of the server): three quarters of the fan-out are the kernel's, most of it the send, one per recipient and block;
the rest is waking a task per recipient, its turn, and the store. In bursts a block of 64 events is encoded once and written by every
connection as it is; what remains beside the send is reading each recipient's acknowledgements, one for 50 events, most of which wake the
process. Durable sends spend about as much in the sockets' tasks (parsing, limits, the call, its span, the answer, the sender's own event) as in
the store's writer, which also judges each send.";

#[derive(Parser)]
#[command(about = "Measures SecureConnect beside its floors", args_conflicts_with_subcommands = true)]
struct Arguments {
    /// Which scenarios; all when absent.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Scenario>,
    /// How many interleaved runs each figure is the median of.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Where the document goes; a section of it is only written when all its scenarios ran.
    #[arg(long, default_value = "docs/performance.md")]
    document: PathBuf,
    #[command(subcommand)]
    hidden: Option<Hidden>,
}

#[derive(Subcommand)]
enum Hidden {
    /// Runs a floor program.
    #[command(subcommand, hide = true)]
    Floor(FloorProgram),
}

#[derive(Subcommand)]
enum FloorProgram {
    /// Accepts and holds connections.
    Idle,
    /// Copies from one publisher to all subscribers.
    Fanout {
        /// How many subscribers connect first.
        subscribers: usize,
    },
    /// Reads what the fan-out's floor writes.
    Readers {
        /// Where the floor listens.
        address: SocketAddr,
        /// How many connections.
        count: usize,
    },
    /// Copies between two connections.
    Relay,
    /// Commits sends and acknowledges them.
    Sends {
        /// Where its file goes.
        directory: PathBuf,
    },
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match &arguments.hidden {
        Some(Hidden::Floor(FloorProgram::Idle)) => floor::idle::run(),
        Some(Hidden::Floor(FloorProgram::Fanout { subscribers })) => floor::fanout::run(*subscribers),
        Some(Hidden::Floor(FloorProgram::Readers { address, count })) => floor::readers::run(*address, *count),
        Some(Hidden::Floor(FloorProgram::Relay)) => floor::relay::run(),
        Some(Hidden::Floor(FloorProgram::Sends { directory })) => floor::sends::run(directory),
        None => measure(&arguments),
    }
}

#[allow(clippy::print_stdout, reason = "the table is what the command is for")]
fn measure(arguments: &Arguments) -> Result<()> {
    let all =
        [Scenario::Idle, Scenario::Fanout, Scenario::Sends, Scenario::Calls, Scenario::Processes, Scenario::Gateway];
    let chosen = if arguments.only.is_empty() { &all[..] } else { &arguments.only };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (mut rows, mut sections) = (Vec::new(), Vec::new());
    for scenario in chosen {
        let load = report::load_average();
        match runtime.block_on(scenario.run(arguments.runs.max(1)))? {
            Measured::Rows(measured) => rows.extend(measured),
            Measured::Section { heading, method, table } => {
                println!("{heading}\n{table}");
                sections.push((report::Section { heading, method, load }, table));
            }
        }
    }
    if !rows.is_empty() {
        println!("{}", report::table(&rows));
    }
    if arguments.only.is_empty() {
        report::write(&arguments.document, &rows, METHOD)?;
    }
    for (section, table) in &sections {
        section.write(&arguments.document, table)?;
    }
    Ok(())
}
