//! What one run has measured, and the rows that several runs make.
//!
//! All figures of a run come from the same two servers, in the same order in every run: so runs are joined figure by figure.

use anyhow::{Context, Result};

use crate::report::{Goal, Row};
use crate::stats::{Median, quantile};

/// One figure of one run.
pub(super) struct Figure {
    pub(super) what: &'static str,
    pub(super) unit: &'static str,
    pub(super) server: f64,
    pub(super) floor: f64,
    /// The client's CPU-seconds during the measured part.
    pub(super) client_cpu: Option<f64>,
    pub(super) goal: Goal,
}

impl Figure {
    /// Median and 99th percentile of latencies, in milliseconds, each with what is asked of it.
    pub(super) fn latencies(
        what: [&'static str; 2],
        server: &[f64],
        floor: &[f64],
        goals: [Goal; 2],
    ) -> Result<[Self; 2]> {
        let figure = |index: usize, share| -> Result<Self> {
            Ok(Self {
                what: what[index],
                unit: "ms",
                server: quantile(server, share).context("no latencies")?,
                floor: quantile(floor, share).context("no latencies of the floor")?,
                client_cpu: None,
                goal: goals[index],
            })
        };
        Ok([figure(0, 0.5)?, figure(1, 0.99)?])
    }
}

/// The rows of the table: each the median of the same figure of all runs.
pub(super) fn rows(runs: &[Vec<Figure>]) -> Vec<Row> {
    let count = runs.iter().map(Vec::len).min().unwrap_or(0);
    (0..count).filter_map(|index| row(runs, index)).collect()
}

fn row(runs: &[Vec<Figure>], index: usize) -> Option<Row> {
    let first = runs.first()?.get(index)?;
    let median = |pick: fn(&Figure) -> Option<f64>| {
        Median::of(&runs.iter().filter_map(|run| pick(&run[index])).collect::<Vec<_>>())
    };
    Some(Row {
        what: first.what.to_owned(),
        unit: first.unit,
        server: median(|figure| Some(figure.server))?,
        floor: median(|figure| Some(figure.floor))?,
        floor_of_events: None,
        client_cpu_seconds: median(|figure| figure.client_cpu).map(|cpu| cpu.median),
        goal: first.goal,
    })
}
