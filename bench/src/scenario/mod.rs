//! The scenarios, one file each. Every figure is measured on the server and on its floor in turn, and reported as median.

pub(crate) mod calls;
mod fanout;
pub(crate) mod gateway;
mod idle;
pub(crate) mod processes;
mod sends;

use anyhow::Result;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use crate::report::{self, Row};

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Scenario {
    /// Memory of an idle authenticated socket.
    Idle,
    /// One message to 1,000 and to 10,000 members.
    Fanout,
    /// Messages that are on disk before they are acknowledged.
    Sends,
    /// 7,000 calls at once: what they cost, and how soon their devices hear of each other.
    Calls,
    /// What it costs that the services are processes of their own.
    Processes,
    /// How soon clients are back when their gateway is killed.
    Gateway,
}

/// What a scenario measured.
pub(crate) enum Measured {
    /// Rows of the head's table.
    Rows(Vec<Row>),
    /// A section of its own: how it was measured, and its table.
    Section {
        /// Its heading.
        heading: &'static str,
        /// How it was measured.
        method: &'static str,
        /// What came of it.
        table: String,
    },
}

impl Scenario {
    /// Measures, `runs` times in turn with the floor.
    pub(crate) async fn run(self, runs: usize) -> Result<Measured> {
        let section = |heading, method, table| Measured::Section { heading, method, table };
        Ok(match self {
            Self::Idle => Measured::Rows(idle::run(runs).await?),
            Self::Fanout => Measured::Rows(fanout::run(runs).await?),
            Self::Sends => Measured::Rows(sends::run(runs).await?),
            Self::Calls => section("Calls", calls::METHOD, report::table(&calls::run(runs).await?)),
            Self::Processes => section("Processes", processes::METHOD, processes::run(runs).await?),
            Self::Gateway => section("A gateway is killed", gateway::METHOD, gateway::run(runs).await?),
        })
    }
}

/// A bar on the terminal, so that minutes of measuring don't look like a hang.
fn progress(what: &str, length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:32} {wide_bar} {pos}/{len} {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style).with_prefix(what.to_owned())
}
