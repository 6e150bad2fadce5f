//! What it costs that the services are processes of their own: per message, by the link alone, and with a Redis between them.
//!
//! The same load on one process, on five that only have the link, and on five that share a Redis. There is no floor: one process is what the others
//! are held against.

mod cost;
mod load;
mod logouts;

use anyhow::Result;
use harness::Topology;
use harness::world::Settings;

use super::progress;
use crate::bed::Bed;
use cost::{Cost, Figure};
use harness::Population;
use load::MEMBERS;

/// How it is measured.
pub(crate) const METHOD: &str = "\
The same load on the release binary as one process, as five processes (TURN beside storage) that are joined by the link over Unix sockets, and as the
same five with a Redis between them. A group of 8, all connected, each sends 2,000 texts of 128 bytes, 16 in flight: every message is committed,
acknowledged, and delivered to 8 devices. CPU is what the kernel counts for all server processes, per message, and for Redis apart; commands and bytes are
what Redis itself counts, probes and restatements included. Latency: one message at a time, 1,000 of them, from the moment before the client library is given
the text to the moment after another client's library hands over the event. Logout: 200 logins, one after the other, from the answer to the command, given
over REST, to the end of the login's socket.";

/// Where the services run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Spread {
    One,
    FiveByLink,
    FiveWithRedis,
}

const SPREADS: [Spread; 3] = [Spread::One, Spread::FiveByLink, Spread::FiveWithRedis];

impl Spread {
    const fn heading(self) -> &'static str {
        match self {
            Self::One => "one process",
            Self::FiveByLink => "five, by the link",
            Self::FiveWithRedis => "five, with Redis",
        }
    }

    async fn start(self, population: &Population) -> Result<Bed> {
        let settings = Settings::default();
        match self {
            Self::One => Bed::start_on(Topology::OneProcess, settings, population).await,
            Self::FiveByLink => Bed::start_on(Topology::FiveProcesses, settings.set("redis.url", ""), population).await,
            Self::FiveWithRedis => Bed::start_on(Topology::FiveProcesses, settings, population).await,
        }
    }
}

/// Measures and answers the table.
pub(crate) async fn run(runs: usize) -> Result<String> {
    let mut population = Population::of(MEMBERS);
    population.group("crew", &(0..MEMBERS).collect::<Vec<_>>());
    let bar = progress("processes", (runs * SPREADS.len()) as u64);
    let mut costs: [Vec<Cost>; 3] = Default::default();
    for _ in 0..runs {
        for (spread, costs) in SPREADS.iter().zip(&mut costs) {
            let mut bed = spread.start(&population).await?;
            costs.push(load::run(&mut bed).await?);
            bar.inc(1);
        }
    }
    bar.finish();
    Ok(table(&costs))
}

fn table(costs: &[Vec<Cost>; 3]) -> String {
    let headings = SPREADS.map(Spread::heading);
    let mut text = format!("| measured | unit | {} |\n|---|---|---|---|---|\n", headings.join(" | "));
    for figure in Figure::ALL {
        let cells: Vec<String> = costs.iter().map(|costs| figure.cell(costs)).collect();
        text.push_str(&format!("| {} | {} | {} |\n", figure.what(), figure.unit(), cells.join(" | ")));
    }
    text
}
