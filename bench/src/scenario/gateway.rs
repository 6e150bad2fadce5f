//! How soon clients are back when their gateway is killed.

use anyhow::{Context, Result};
use harness::crowd::{Killed, kill_a_gateway_under};
use harness::figures::Percentiles;
use harness::history;

use super::progress;
use crate::report::spread;
use crate::stats::Median;

/// How many sockets the gateway has.
const SOCKETS: usize = 5_000;

/// How it is measured.
pub(crate) const METHOD: &str = "\
Five processes, a Redis and a second gateway behind the shipped proxy (Caddy, TLS), all of it and 5,000 clients in one more process on this machine. All
clients are on one gateway, in groups of ten in which others, on the second gateway, go on talking. The first one is killed (SIGKILL); each client
is back when it has been welcomed by the other one and is in step: it has all that it missed. Clients have the settings of the SDK; each
connection begins with a whole TLS handshake. The history checker finds nothing missed and nothing twice.";

/// A row of the table.
type Row = (&'static str, fn(&Percentiles) -> f64, &'static str);

const ROWS: [Row; 3] = [
    ("from the kill to live on another gateway, p50", |back| back.p50.as_secs_f64(), "–"),
    ("from the kill to live on another gateway, p99", |back| back.p99.as_secs_f64(), "≤ 5 s"),
    ("from the kill to live on another gateway, the last", |back| back.most.as_secs_f64(), "–"),
];

/// Measures and answers the table.
pub(crate) async fn run(runs: usize) -> Result<String> {
    let bar = progress("gateway", runs as u64);
    let mut all = Vec::new();
    for _ in 0..runs {
        let Killed { back, history, .. } = kill_a_gateway_under(SOCKETS).await;
        history::must_be_right(&history);
        all.push(Percentiles::of(back));
        bar.inc(1);
    }
    bar.finish();
    let mut text = String::from("| measured | unit | median (lowest – highest) | goal |\n|---|---|---|---|\n");
    for (what, figure, goal) in ROWS {
        let figures: Vec<f64> = all.iter().map(figure).collect();
        let median = Median::of(&figures).context("a run")?;
        text.push_str(&format!("| {what} | s | {} | {goal} |\n", spread(median)));
    }
    Ok(text)
}
