//! Measures SecureConnect beside its floors and writes `docs/performance.md`.
//!
//! `secureconnect-bench --server target/release/secureconnect` runs all scenarios; `--only` some of them, `--runs` sets how many
//! interleaved runs each figure is the median of. The floor programs are hidden subcommands of this binary.

mod floor;
mod population;
mod process;
mod report;
mod stats;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Measures SecureConnect beside its floors")]
struct Arguments {
    #[command(subcommand)]
    floor: Option<Hidden>,
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
    /// Commits sends and acknowledges them.
    Sends {
        /// Where its file goes.
        directory: std::path::PathBuf,
    },
}

fn main() -> Result<()> {
    match Arguments::parse().floor {
        Some(Hidden::Floor(FloorProgram::Idle)) => floor::idle::run(),
        Some(Hidden::Floor(FloorProgram::Fanout { subscribers })) => floor::fanout::run(subscribers),
        Some(Hidden::Floor(FloorProgram::Sends { directory })) => floor::sends::run(&directory),
        None => Ok(()),
    }
}
